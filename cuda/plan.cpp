// The step loop on the CPU: one parallel region for all steps of a call, one barrier per step.
#include "portable.h"

#include <omp.h>
#include <atomic>
#include <cstddef>
#include <thread>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

EXPORT void inject(const Plan& plan, Team team, int32 group, int64 step);
EXPORT void record(const Plan& plan, Team team, int32 group, int64 step);
EXPORT void deliver(const Plan& plan, Team team, int32 group, int64 step);

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

// Whether the next step could overflow a thread's spike record. One flag per thread and parity, so that
// all threads read the same values whichever of them is ahead.
bool must_stop(const Plan& plan, const std::atomic<int32>* full, int64 step) {
  for (int32 t = 0; t < plan.n_shard; ++t)
    if (full[(step & 1) * plan.n_shard + t].load(std::memory_order_relaxed)) return true;
  return false;
}

int64 run_thread(const Plan& plan, Team team, Barrier& barrier, std::atomic<int32>* full,
                 int64 first, int64 end) {
  const FlushDenormals flush(plan.flush_denormals);
  const SpikeRecord& kept = plan.record[team.rank];
  for (int64 step = first; step < end; ++step) {
    *plan.spikes[(step & 1) * plan.n_shard + team.rank].count = 0;
    if (step >= 0) inject(plan, team, 0, step);
    for (int32 g = 0; g < plan.n_group; ++g)
      if (step >= 0 || plan.group[g].is_source) plan.group[g].step(plan, team, g, step);
    if (step >= 0) record(plan, team, 0, step);
    full[(step & 1) * plan.n_shard + team.rank].store(*kept.count > kept.capacity - kept.reserve,
                                                      std::memory_order_relaxed);
    barrier.wait();
    deliver(plan, team, 0, step);
    if (must_stop(plan, full, step)) return step + 1;
  }
  return end;
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
    const int64 reached = run_thread(plan, team, barrier, full, first, end);
    if (team.rank == 0) next = reached;
  }
  delete[] full;
  return next;
}

// Sizes of the structures that Python mirrors, in the order of plan.h.
EXPORT void structure_sizes(int64* sizes) {
  const int64 values[] = {sizeof(Block), sizeof(Group), sizeof(SpikeList), sizeof(SpikeRecord),
                          sizeof(Shard), sizeof(Probe), sizeof(Injection), sizeof(Plan)};
  std::copy(std::begin(values), std::end(values), sizes);
}

EXPORT const char* source_hash() { return PYNN_SPARSE_SOURCE_HASH; }
