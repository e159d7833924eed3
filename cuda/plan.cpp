// The step loop on the CPU: one parallel region for all steps of a call, one barrier per step.
#include "portable.h"
#include "work.h"

#include <omp.h>
#include <atomic>
#include <cstddef>
#include <thread>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

EXPORT void inject(const Plan& plan, Team team, int32 group, int64 step, int32 n_step);
EXPORT void couple(const Plan& plan, Team team, int32 group, int64 step, int32 n_step);
EXPORT void record(const Plan& plan, Team team, int32 group, int64 step, int32 n_step);
EXPORT void deliver(const Plan& plan, Team team, int32 group, int64 step, int32 n_step);
EXPORT void deliver_plain(const Plan& plan, Team team, int32 group, int64 step, int32 n_step);
EXPORT void remember(const Plan& plan, Team team, int32 group, int64 step, int32 n_step);

namespace {

// Threads wait by spinning, since a step takes microseconds; one that waits long lets others run.
class Barrier {
 public:
  explicit Barrier(int32 size) : size_(size) {}

  void wait() {
    const int32 phase = phase_.load(std::memory_order_relaxed);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == size_) {
      arrived_.store(0, std::memory_order_relaxed);
      phase_.store(phase + 1, std::memory_order_release);
      return;
    }
    for (int32 spins = 0; phase_.load(std::memory_order_acquire) == phase; ++spins)
      if (spins > 20000) std::this_thread::yield();
  }

 private:
  const int32 size_;
  alignas(64) std::atomic<int32> arrived_{0};
  alignas(64) std::atomic<int32> phase_{0};
};

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

// Whether the next steps could overflow a thread's spike record. One flag per thread and parity of the
// batch, so that all threads read the same values whichever of them is ahead.
struct Fullness {
  std::atomic<int32>* flag;
  int32 n;

  void note(int32 rank, int64 batch, bool full) {
    flag[(batch & 1) * n + rank].store(full, std::memory_order_relaxed);
  }
  bool any(int64 batch) const {
    for (int32 t = 0; t < n; ++t)
      if (flag[(batch & 1) * n + t].load(std::memory_order_relaxed)) return true;
    return false;
  }
};

// Steps first .. first + n_step - 1 of a thread's own neurons, up to what they emit. With gap junctions it
// is one step, which no thread begins before all have seen the potentials that the last one left.
void update(const Plan& plan, Team team, Barrier& barrier, int64 first, int32 n_step) {
  for (int64 step = first; step < first + n_step; ++step) {
    *spike_list(plan, step, team.rank).count = 0;
    if (step < 0) continue;
    inject(plan, team, 0, step, 1);
    if (plan.n_junction) couple(plan, team, 0, step, 1);
  }
  if (plan.n_junction) barrier.wait();
  for (int32 g = 0; g < plan.n_group; ++g) {
    const Group& group = plan.group[g];
    if (first >= 0 || group.is_source)
      group.step(plan, team, g, first, n_step);
    else
      for (int32 b = 0; b < group.n_block; ++b)
        begin_block(spike_list(plan, first, team.rank), group.block[b].number);
  }
  for (int64 step = first; step < first + n_step; ++step) {
    begin_block(spike_list(plan, step, team.rank), plan.n_block);
    if (step >= 0) record(plan, team, 0, step, 1);
  }
}

// Neurons do `batch` steps between two barriers: no spike of the first step arrives before they end.
// Without delivery groups a list of spikes is used again after two batches, when all have read it.
int64 run_thread(const Plan& plan, Team team, Barrier& barrier, Fullness fullness, int64 first,
                 int64 end) {
  const FlushDenormals flush(plan.flush_denormals);
  const SpikeRecord& kept = plan.record[team.rank];
  int64 step = first;
  for (int64 batch = 0; step < end; ++batch) {
    const int32 n_step = step < 0 ? 1 : int32(std::min<int64>(plan.batch, end - step));
    update(plan, team, barrier, step, n_step);
    fullness.note(team.rank, batch, *kept.count > kept.capacity - kept.reserve * plan.batch);
    barrier.wait();
    for (int32 k = 0; k < n_step; ++k) {
      if (!plan.n_rule) {
        deliver_plain(plan, team, 0, step + k, 1);
        continue;
      }
      deliver(plan, team, 0, step + k, 1);
      remember(plan, team, 0, step + k, 1);
    }
    step += n_step;
    if (fullness.any(batch)) break;
  }
  return step;
}

}  // namespace

// Advances from step `first` up to `end`, or less if a spike record fills up. Returns the next step to
// do, or -2 if the system gave fewer threads than the plan is made for.
EXPORT int64 advance(const Plan& plan, int64 first, int64 end) {
  Barrier barrier(plan.n_shard);
  auto* full = new std::atomic<int32>[2 * plan.n_shard]();
  int64 next = -2;
  omp_set_dynamic(0);
#pragma omp parallel num_threads(plan.n_shard)
  if (omp_get_num_threads() == plan.n_shard) {
    const Team team{omp_get_thread_num(), plan.n_shard};
    const int64 reached = run_thread(plan, team, barrier, {full, plan.n_shard}, first, end);
    if (team.rank == 0) next = reached;
  }
  delete[] full;
  return next;
}

// Delivers what the spikes emitted before `step` have not brought yet, so that nothing but the ring, which
// must have a slot for every delay, holds what is in flight: as if time went on without further spikes.
EXPORT void deliver_pending(const Plan& plan, int64 step) {
  const int64 end = step + int64(plan.n_delay_group - 1) * plan.delay_group;
  for (; step < end; ++step) {
    for (int32 rank = 0; rank < plan.n_shard; ++rank) *spike_list(plan, step, rank).count = 0;
    for (int32 rank = 0; rank < plan.n_shard; ++rank)
      deliver(plan, {rank, plan.n_shard}, 0, step, 1);
  }
}

// Ends OpenMP's idle threads. A process that is forked has none of them, but would wait for them.
EXPORT void release_threads() { omp_pause_resource_all(omp_pause_hard); }

// Sizes of the structures that Python mirrors, in the order of plan.h and work.h.
EXPORT void structure_sizes(int64* sizes) {
  const int64 values[] = {
      sizeof(Block),       sizeof(Group),   sizeof(SpikeList), sizeof(SpikeRecord),
      sizeof(History),     sizeof(Column),  sizeof(Rule),      sizeof(Table),
      sizeof(Background),  sizeof(Probe),   sizeof(Injection), sizeof(Potential),
      sizeof(Junction),    sizeof(Plan),    sizeof(Request),   sizeof(Connect),
      sizeof(SourceCount), sizeof(Columns), sizeof(Law),       sizeof(StepRange),
      sizeof(Draw),        sizeof(Survey),  sizeof(Arrange)};
  std::copy(std::begin(values), std::end(values), sizes);
}

EXPORT const char* source_hash() { return PYNN_SPARSE_SOURCE_HASH; }
