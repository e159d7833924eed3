// The step loop on the CPU: parallel regions of some milliseconds, with a barrier or two for each batch of
// steps.
#include "build/work.h"
#include "core/openmp.h"
#include "core/portable.h"
#include "step/barrier.h"
#include "step/ways.h"

#include <atomic>
#include <cstddef>
#include <vector>

EXPORT void inject(const Plan& plan, Team team, int32 group, int64 step, int32 n_step);
EXPORT void couple(const Plan& plan, Team team, int32 group, int64 step, int32 n_step);
EXPORT void record(const Plan& plan, Team team, int32 group, int64 step, int32 n_step);
EXPORT void deliver(const Plan& plan, Team team, int32 group, int64 step, int32 n_step);
EXPORT void deliver_plain(const Plan& plan, Team team, int32 group, int64 step, int32 n_step);
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

// Whether a slice of steps has to end. One flag per owner and parity of the batch, so that all threads read
// the same values whichever of them is ahead.
struct Flags {
  std::atomic<int32>* flag;
  int32 n;

  void note(int32 owner, int64 batch, bool ends) {
    flag[(batch & 1) * n + owner].store(ends, std::memory_order_relaxed);
  }
  bool any(int64 batch) const {
    for (int32 t = 0; t < n; ++t)
      if (flag[(batch & 1) * n + t].load(std::memory_order_relaxed)) return true;
    return false;
  }
};

// One of the threads that do what the owners of neurons have to do: thread t that of the owners t,
// t + n_thread, ... Which thread does it changes nothing but the time that it takes.
struct Thread {
  const Plan& plan;
  int32 number, n_thread;
  Barrier& barrier;

  template <class Body>
  void for_each_owner(Body body) const {
    for (int32 owner = number; owner < plan.n_owner; owner += n_thread)
      body(Team{owner, plan.n_owner});
  }
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
    if (!plan.n_rule) {
      deliver_plain(plan, team, 0, step, 1);
      continue;
    }
    deliver(plan, team, 0, step, 1);
    remember(plan, team, 0, step, 1);
  }
}

// Neurons do `batch` steps between two barriers: no spike of the first step arrives before they end. With
// gap junctions it is one step, which nobody begins before all have seen the potentials that the last one
// left. Without delivery groups a list of spikes is used again after two batches, when all have read it.
// Returns the next step to do.
int64 run_slice(const Thread& thread, Flags flags, const Stopwatch& watch, int64 first, int64 end) {
  const Plan& plan = thread.plan;
  const FlushDenormals flush(plan.flush_denormals);
  int64 step = first;
  for (int64 batch = 0; step < end; ++batch) {
    const int32 n_step = step < 0 ? 1 : int32(std::min<int64>(plan.batch, end - step));
    thread.for_each_owner([&](Team team) { begin(plan, team, step, n_step); });
    if (plan.n_junction) thread.barrier.wait();
    thread.for_each_owner([&](Team team) {
      update(plan, team, step, n_step);
      const bool late = team.owner == 0 && watch.late(batch);
      flags.note(team.owner, batch, late || nearly_full(plan, team.owner));
    });
    thread.barrier.wait();
    thread.for_each_owner([&](Team team) { receive(plan, team, step, n_step); });
    step += n_step;
    if (flags.any(batch)) break;
  }
  return step;
}

}  // namespace

// Advances from step `first` up to `end`, or less if a spike record fills up, with at most n_thread threads.
// `ways` are kept from call to call, and are 0 in the beginning. Returns the next step to do, or -2 if the
// system gave fewer threads than asked for.
EXPORT int64 advance(const Plan& plan, int64 first, int64 end, int32 n_thread, Ways* ways) {
  std::vector<std::atomic<int32>> full(2 * plan.n_owner);
  const Flags flags{full.data(), plan.n_owner};
  n_thread = kOpenMP ? std::min(n_thread, plan.n_owner) : 1;
  omp_set_dynamic(0);
  int64 step = first;
  while (step < end) {
    const Way way = n_thread > 1 ? ways->choose() : alone;
    const int32 n = way == together ? n_thread : 1;
    const Stopwatch watch = n_thread > 1 ? ways->start(n) : Stopwatch();
    Barrier barrier(n);
    int64 next = -2;
#pragma omp parallel num_threads(n)
    if (omp_get_num_threads() == n) {
      const Thread thread{plan, omp_get_thread_num(), n, barrier};
      const int64 reached = run_slice(thread, flags, watch, step, end);
      if (thread.number == 0) next = reached;
    }
    if (next < step) return next;
    if (n_thread > 1) ways->note(way, watch.seconds(), next - step);
    step = next;
    bool full = false;
    for (int32 owner = 0; owner < plan.n_owner; ++owner) full |= nearly_full(plan, owner);
    if (full) break;
  }
  return step;
}

// Delivers what the spikes emitted before `step` have not brought yet, so that nothing but the ring, which
// must have a slot for every delay, holds what is in flight: as if time went on without further spikes.
EXPORT void deliver_pending(const Plan& plan, int64 step) {
  const int64 end = step + int64(plan.n_delay_group - 1) * plan.delay_group;
  for (; step < end; ++step) {
    for (int32 owner = 0; owner < plan.n_owner; ++owner) *spike_list(plan, step, owner).count = 0;
    for (int32 owner = 0; owner < plan.n_owner; ++owner)
      deliver(plan, {owner, plan.n_owner}, 0, step, 1);
  }
}

// Whether several threads can be had: the library was compiled with OpenMP.
EXPORT int32 has_threads() { return kOpenMP; }

// Ends OpenMP's idle threads. A process that is forked has none of them, but would wait for them.
EXPORT void release_threads() { omp_pause_resource_all(omp_pause_hard); }

// Sizes of the structures that Python mirrors, in the order of plan.h and work.h.
EXPORT void structure_sizes(int64* sizes) {
  const int64 values[] = {
      sizeof(Block),      sizeof(Group),       sizeof(SpikeList), sizeof(SpikeRecord),
      sizeof(History),    sizeof(Column),      sizeof(Rule),      sizeof(Table),
      sizeof(Background), sizeof(Probe),       sizeof(Injection), sizeof(Potential),
      sizeof(Junction),   sizeof(Rest),        sizeof(Plan),      sizeof(Request),
      sizeof(Connect),    sizeof(SourceCount), sizeof(Columns),   sizeof(Law),
      sizeof(StepRange),  sizeof(Draw),        sizeof(Survey),    sizeof(Arrange)};
  std::copy(std::begin(values), std::end(values), sizes);
}

EXPORT const char* source_hash() { return PYNN_SPARSE_SOURCE_HASH; }
