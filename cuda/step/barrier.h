// Where threads of the CPU wait for each other.
#pragma once

#include "core/types.h"

#include <atomic>
#include <climits>
#include <thread>
#if defined(__x86_64__)
#include <immintrin.h>
#endif
#if defined(__linux__)
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

// A step takes microseconds, so that threads wait by spinning. One that waits for longer than the others
// can need while they run sleeps: they do not run, because other programs do, and come to run the
// sooner for it.
class Barrier {
 public:
  explicit Barrier(int32 size) : size_(size) {}

  void wait() {
    if (size_ == 1) return;
    const int32 phase = phase_.load(std::memory_order_relaxed);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == size_) {
      arrived_.store(0, std::memory_order_relaxed);
      phase_.store(phase + 1, std::memory_order_seq_cst);
      if (sleeping_.load(std::memory_order_seq_cst)) wake();
      return;
    }
    for (int32 spins = 0; spins < kSpins; ++spins) {
      if (phase_.load(std::memory_order_acquire) != phase) return;
      pause();
    }
    sleeping_.fetch_add(1, std::memory_order_seq_cst);
    while (phase_.load(std::memory_order_seq_cst) == phase) sleep(phase);
    sleeping_.fetch_sub(1, std::memory_order_relaxed);
  }

 private:
  static constexpr int32 kSpins = 2000;  // some 50 microseconds

  static void pause() {
#if defined(__x86_64__)
    _mm_pause();
#elif defined(__aarch64__)
    asm volatile("isb");
#endif
  }

#if defined(__linux__)
  void sleep(int32 phase) {
    syscall(SYS_futex, reinterpret_cast<int32*>(&phase_), FUTEX_WAIT_PRIVATE, phase, nullptr,
            nullptr, 0);
  }
  void wake() {
    syscall(SYS_futex, reinterpret_cast<int32*>(&phase_), FUTEX_WAKE_PRIVATE, INT_MAX, nullptr,
            nullptr, 0);
  }
  static_assert(sizeof(std::atomic<int32>) == sizeof(int32), "a futex is a word of 32 bits");
#else
  void sleep(int32) { std::this_thread::yield(); }
  void wake() {}
#endif

  const int32 size_;
  alignas(64) std::atomic<int32> arrived_{0};
  alignas(64) std::atomic<int32> phase_{0};
  std::atomic<int32> sleeping_{0};
};
