// The step loop on the CPU: parallel regions of some tenths of a second, in which the owners of neurons meet once or
// twice for each batch of steps.
#include "build/work.h"
#include "core/openmp.h"
#include "core/portable.h"
#include "step/exchange.h"
#include "step/relay.h"
#include "step/ways.h"

#include <atomic>
#include <cstddef>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

EXPORT void inject(const Plan& plan, Team team, int32 group, int64 step, int32 n_step);
EXPORT void couple(const Plan& plan, Team team, int32 group, int64 step, int32 n_step);
EXPORT void record(const Plan& plan, Team team, int32 group, int64 step, int32 n_step);
EXPORT void deliver(const Plan& plan, Team team, int32 group, int64 step, int32 n_step);
EXPORT void deliver_plain(const Plan& plan, Team team, int32 group, int64 step, int32 n_step);
EXPORT void deliver_dense(const Plan& plan, Team team, int32 group, int64 step, int32 n_step);
EXPORT void modulate(const Plan& plan, Team team, int32 group, int64 step, int32 n_step);
EXPORT void remember(const Plan& plan, Team team, int32 group, int64 step, int32 n_step);

namespace {

// In single precision, denormals are zero here because they are on the GPU.
class FlushDenormals {
 public:
#if defined(__x86_64__)
  explicit FlushDenormals(bool on) : saved_(_mm_getcsr()) {
    if (on) _mm_setcsr(saved_ | 0x8040);
  }
  ~FlushDenormals() { _mm_setcsr(saved_); }

 private:
  unsigned saved_;
#elif defined(__aarch64__)
  explicit FlushDenormals(bool on) {
    asm volatile("mrs %0, fpcr" : "=r"(saved_));
    if (on) asm volatile("msr fpcr, %0" : : "r"(saved_ | (uint64(1) << 24)));
  }
  ~FlushDenormals() { asm volatile("msr fpcr, %0" : : "r"(saved_)); }

 private:
  uint64 saved_;
#else
  explicit FlushDenormals(bool) {}
#endif
};

// Whether the next steps could overflow an owner's spike record.
bool nearly_full(const Plan& plan, int32 owner) {
  const SpikeRecord& kept = plan.record[owner];
  return *kept.count > kept.capacity - kept.reserve * plan.batch;
}

// What flows into an owner's neurons in steps first .. first + n_step - 1, from outside and from neighbours.
void begin(const Plan& plan, Team team, int64 first, int32 n_step) {
  for (int64 step = first; step < first + n_step; ++step) {
    *spike_list(plan, step, team.owner).count = 0;
    if (step < 0) continue;
    inject(plan, team, 0, step, 1);
    if (plan.n_junction) couple(plan, team, 0, step, 1);
  }
}

// These steps of an owner's neurons, up to what they emit.
void update(const Plan& plan, Team team, int64 first, int32 n_step) {
  for (int32 g = 0; g < plan.n_group; ++g) {
    const Group& group = plan.group[g];
    if (first >= 0 || group.is_source)
      group.step(plan, team, g, first, n_step);
    else
      for (int32 b = 0; b < group.n_block; ++b)
        begin_block(spike_list(plan, first, team.owner), group.block[b].number);
  }
  for (int64 step = first; step < first + n_step; ++step) {
    begin_block(spike_list(plan, step, team.owner), plan.n_block);
    if (step >= 0) record(plan, team, 0, step, 1);
  }
  decide_on_watching(plan, team.owner, first + n_step);
}

void receive(const Plan& plan, Team team, int64 first, int32 n_step) {
  for (int64 step = first; step < first + n_step; ++step) {
    if (plan.n_dense) deliver_dense(plan, team, 0, step, 1);
    if (plan.n_rule || plan.n_shared)
      deliver(plan, team, 0, step, 1);
    else
      deliver_plain(plan, team, 0, step, 1);
    if (plan.n_rule) remember(plan, team, 0, step, 1);
    if (plan.n_modulator) modulate(plan, team, 0, step, 1);
  }
}

// A slice of the steps of a call, which threads share: batches of steps, with the stages `begin`, `update` and
// `receive`, the first two in one where there are no gap junctions. Where several processes share the network,
// spikes are exchanged before they are received: a stage in which one thread does it and all others wait.
// Processes do the same batches, however each of them divides these into slices.
//
// Neurons do `batch` steps between two meetings: no spike of the first step arrives before they end. With
// gap junctions it is one step, which nobody begins before all have seen the potentials that the last one
// left. Without delivery groups a list of spikes is used again after two batches, when all have read it.
class Slice {
 public:
  Slice(const Plan& plan, Courier& courier, const Stopwatch& watch, int64 first, int64 end,
        int32 n_thread)
      : plan_(plan),
        courier_(courier),
        watch_(watch),
        first_(first),
        end_(end),
        n_update_(plan.n_junction ? 2 : 1),
        n_meeting_(n_update_ + courier.there()),
        relay_(plan.n_owner, n_thread),
        last_(last_possible()) {}

  // What one of the threads does. Which of them does the work of an owner changes nothing but the time it takes.
  void run(int32 thread) {
    const FlushDenormals flush(plan_.flush_denormals);
    const auto work = [&](int32 owner, int64 stage) { do_stage(owner, stage); };
    const int64 n_stage = n_meeting_ + 1;
    for (int64 batch = 0; batch <= last_.load(std::memory_order_acquire); ++batch) {
      for (int32 m = 0; m < n_meeting_; ++m)
        relay_.do_and_meet(thread, batch * n_stage + m, int32(batch * n_meeting_ + m), work);
      relay_.do_own(thread, batch * n_stage + n_meeting_, false, work);
    }
  }

  // The next step to do, when all threads have come back.
  int64 reached() const {
    const Steps last = steps_of(last_.load(std::memory_order_relaxed));
    return last.first + last.n;
  }

 private:
  struct Steps {
    int64 first;
    int32 n;
  };

  Steps steps_of(int64 batch) const {
    if (first_ < 0 && batch == 0) return {first_, 1};
    const int64 first = first_ < 0 ? (batch - 1) * plan_.batch : first_ + batch * plan_.batch;
    return {first, int32(std::min<int64>(plan_.batch, end_ - first))};
  }

  int64 last_possible() const {
    const int64 n = end_ - std::max<int64>(first_, 0);
    return (n + plan_.batch - 1) / plan_.batch - (first_ >= 0);
  }

  void do_stage(int32 owner, int64 stage) {
    const int64 batch = stage / (n_meeting_ + 1);
    const int32 part = int32(stage % (n_meeting_ + 1));
    const auto [first, n_step] = steps_of(batch);
    const Team team{owner, plan_.n_owner};
    if (part == n_meeting_) return receive(plan_, team, first, n_step);
    if (part == n_update_) return exchange(owner, batch);
    if (part == 0) begin(plan_, team, first, n_step);
    if (part < n_update_ - 1) return;
    update(plan_, team, first, n_step);
    const bool full = nearly_full(plan_, owner);
    if (full) courier_.note_full();
    if ((owner == 0 && watch_.late(batch)) || (full && !courier_.there())) end_with(batch);
  }

  void exchange(int32 owner, int64 batch) {
    if (owner != 0) return;
    const auto [first, n_step] = steps_of(batch);
    courier_.pass_on(first, n_step);
    if (courier_.stopped()) end_with(batch);
  }

  // All know it when they have met after the update of this batch.
  void end_with(int64 batch) {
    int64 last = last_.load(std::memory_order_relaxed);
    while (batch < last && !last_.compare_exchange_weak(last, batch, std::memory_order_release)) {
    }
  }

  const Plan& plan_;
  Courier& courier_;
  const Stopwatch& watch_;
  const int64 first_, end_;
  const int32 n_update_, n_meeting_;
  Relay relay_;
  std::atomic<int64> last_;
};

}  // namespace

// Advances from step `first` up to `end`, or less if a spike record fills up, with at most n_thread threads.
// `ways` are kept from call to call, and are 0 in the beginning. Returns the next step to do, -2 if the system gave
// fewer threads than asked for, or -3 if spikes could not be exchanged with other processes. Where these are, all
// of them come to the same step.
EXPORT int64 advance(const Plan& plan, int64 first, int64 end, int32 n_thread, Ways* ways) {
  n_thread = kOpenMP ? std::min(n_thread, plan.n_owner) : 1;
  omp_set_dynamic(0);
  Courier courier(plan);
  int64 step = first;
  while (step < end) {
    const Way way = n_thread > 1 ? ways->choose() : alone;
    const int32 n = way == together ? n_thread : 1;
    const Stopwatch watch = n_thread > 1 ? ways->start(n) : Stopwatch();
    Slice slice(plan, courier, watch, step, end, n);
    std::atomic<bool> all_there{true};
#pragma omp parallel num_threads(n)
    if (omp_get_num_threads() == n)
      slice.run(omp_get_thread_num());
    else
      all_there = false;
    if (!all_there) return -2;
    const int64 next = slice.reached();
    if (n_thread > 1) ways->note(way, watch.seconds(), next - step);
    step = next;
    if (courier.failed()) return -3;
    bool full = courier.stopped();
    for (int32 owner = 0; owner < plan.n_owner; ++owner)
      full |= !courier.there() && nearly_full(plan, owner);
    if (full) break;
  }
  return step;
}

// Delivers what the spikes emitted before `step` have not brought yet, so that nothing but the ring, which
// must have a slot for every delay, holds what is in flight: as if time went on without further spikes.
EXPORT void deliver_pending(const Plan& plan, int64 step) {
  const int64 end = step + int64(plan.n_delay_group - 1) * plan.delay_group;
  for (; step < end; ++step) {
    for (int32 shard = 0; shard < plan.n_shard; ++shard) *spike_list(plan, step, shard).count = 0;
    for (int32 owner = 0; owner < plan.n_owner; ++owner) {
      deliver_dense(plan, {owner, plan.n_owner}, 0, step, 1);
      deliver(plan, {owner, plan.n_owner}, 0, step, 1);
    }
  }
}

// Whether several threads can be had: the library was compiled with OpenMP.
EXPORT int32 has_threads() { return kOpenMP; }

// Ends OpenMP's idle threads. A process that is forked has none of them, but would wait for them.
EXPORT void release_threads() { omp_pause_resource_all(omp_pause_hard); }

// Sizes of the structures that Python mirrors, in the order of plan.h and work.h.
EXPORT void structure_sizes(int64* sizes) {
  const int64 values[] = {
      sizeof(Block),       sizeof(Group),   sizeof(SpikeList), sizeof(SpikeRecord),
      sizeof(Decay),       sizeof(History), sizeof(Column),    sizeof(Rule),
      sizeof(Axis),        sizeof(Shared),  sizeof(Table),     sizeof(Dense),
      sizeof(Background),  sizeof(Probe),   sizeof(Injection), sizeof(Potential),
      sizeof(Junction),    sizeof(Rest),    sizeof(Exchange),  sizeof(Modulation),
      sizeof(Modulator),   sizeof(Plan),    sizeof(Request),   sizeof(Connect),
      sizeof(SourceCount), sizeof(Columns), sizeof(Law),       sizeof(StepRange),
      sizeof(Draw),        sizeof(Survey),  sizeof(Arrange)};
  std::copy(std::begin(values), std::end(values), sizes);
}

EXPORT const char* source_hash() { return PYNN_SPARSE_SOURCE_HASH; }
