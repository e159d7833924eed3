// How threads of the CPU share what the owners of neurons have to do, stage by stage.
#pragma once

#include "core/types.h"

#include <atomic>
#include <climits>
#include <thread>
#include <vector>
#if defined(__linux__)
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

// An owner's stages are done one after the other, each by whichever thread takes it first. A thread takes those of
// its own owners, whose data are in its cache. While it waits for others it takes what they have not begun:
// so a thread that gets no processor, because other programs have it, holds nobody up unless that happens
// in the middle of a stage. When it comes back it finds its stages done, and goes on where the others are.
//
// After some stages all owners meet: none begins the next before all have done this one.
class Relay {
 public:
  Relay(int32 n_owner, int32 n_thread) : n_thread_(n_thread), owner_(n_owner) {}

  // Has stage `stage` of all owners of a thread done, and what comes before it; do_stage(owner, stage) does one.
  template <class DoStage>
  void do_own(int32 thread, int64 stage, bool meets, DoStage do_stage) {
    for (int32 owner = thread; owner < n_owner(); owner += n_thread_)
      bring(owner, stage, meets, do_stage);
  }

  // The same, until all owners meet for the time number `meeting`, from 0, after that stage.
  template <class DoStage>
  void do_and_meet(int32 thread, int64 stage, int32 meeting, DoStage do_stage) {
    do_own(thread, stage, true, do_stage);
    for (int32 spins = 0; !met(meeting); ++spins) {
      if (spins >= kPatience && spins % kPatience == 0) {
        for (int32 owner = 0; owner < n_owner(); ++owner) bring(owner, stage, true, do_stage);
      } else if (spins >= kSpins) {
        sleep_until(meeting);
      } else {
        pause();
      }
    }
  }

 private:
  // Some 5 and 50 microseconds. One that waits for longer sleeps: others do not run, because other programs
  // do, and come to run the sooner for it.
  static constexpr int32 kPatience = 200, kSpins = 2000;

  // On a cache line of its own.
  struct alignas(64) Owner {
    std::atomic<int64> state{0};  // 2 k: the next stage is k; 2 k + 1: stage k is being done
  };

  int32 n_owner() const { return int32(owner_.size()); }
  bool met(int32 meeting) const { return meetings_.load(std::memory_order_acquire) - meeting > 0; }

  template <class DoStage>
  void bring(int32 owner, int64 stage, bool meets, DoStage do_stage) {
    std::atomic<int64>& state = owner_[owner].state;
    int64 next = state.load(std::memory_order_acquire);
    while (next % 2 == 0 && next / 2 <= stage) {
      if (!state.compare_exchange_strong(next, next + 1, std::memory_order_acq_rel)) continue;
      do_stage(owner, next / 2);
      const bool arrives = meets && next / 2 == stage;
      next += 2;
      state.store(next, std::memory_order_release);
      if (arrives) arrive();
    }
  }

  void arrive() {
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 < n_owner()) return;
    arrived_.store(0, std::memory_order_relaxed);
    meetings_.fetch_add(1, std::memory_order_seq_cst);
    if (sleeping_.load(std::memory_order_seq_cst)) wake();
  }

  void sleep_until(int32 meeting) {
    sleeping_.fetch_add(1, std::memory_order_seq_cst);
    while (meetings_.load(std::memory_order_seq_cst) == meeting) sleep(meeting);
    sleeping_.fetch_sub(1, std::memory_order_relaxed);
  }

  static void pause() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("isb");
#endif
  }

#if defined(__linux__)
  void sleep(int32 meeting) {
    syscall(SYS_futex, reinterpret_cast<int32*>(&meetings_), FUTEX_WAIT_PRIVATE, meeting, nullptr,
            nullptr, 0);
  }
  void wake() {
    syscall(SYS_futex, reinterpret_cast<int32*>(&meetings_), FUTEX_WAKE_PRIVATE, INT_MAX, nullptr,
            nullptr, 0);
  }
  static_assert(sizeof(std::atomic<int32>) == sizeof(int32), "a futex is a word of 32 bits");
#else
  void sleep(int32) { std::this_thread::yield(); }
  void wake() {}
#endif

  const int32 n_thread_;
  std::vector<Owner> owner_;
  alignas(64) std::atomic<int32> arrived_{0};
  alignas(64) std::atomic<int32> meetings_{0};
  std::atomic<int32> sleeping_{0};
};
