// Whether it pays that threads of the CPU share the steps of a network: that is measured while it runs.
#pragma once

#include "core/types.h"

#include <algorithm>
#include <chrono>

// Threads that share steps meet every few microseconds. Where the network is too small for that, or other
// programs keep the processors busy so that one thread often waits for another to get one, a single
// thread is faster. It does the same in the place of all others.
enum Way : int32 { alone, together };

// Tells when a slice of steps has taken long enough; without a limit, never.
class Stopwatch {
 public:
  using Clock = std::chrono::steady_clock;

  Stopwatch() : stride_(0), limit_(0) {}
  Stopwatch(double limit, int64 stride) : begin_(Clock::now()), stride_(stride), limit_(limit) {}

  double seconds() const { return std::chrono::duration<double>(Clock::now() - begin_).count(); }
  // Looks at the clock at some batches of steps only: that takes as long as a step of a small network.
  bool late(int64 batch) const {
    return stride_ && batch % stride_ == stride_ - 1 && seconds() > limit_;
  }

 private:
  Clock::time_point begin_;
  int64 stride_;
  double limit_;
};

// What is known of both ways. All is 0 in the beginning.
class Ways {
 public:
  // The way of the next slice: the faster one, or now and then, for a short time, the other.
  Way choose() {
    trial_ = !known(together) || !known(alone) || since_ >= wait_;
    if (!known(together)) return together;
    if (!known(alone)) return alone;
    return trial_ ? other(faster()) : faster();
  }

  Stopwatch start(int32 n_thread) const {
    return Stopwatch(trial_ ? kTrial : kSlice, n_thread > 1 ? 1 : 16);
  }

  // What a slice has taken. What trials of the slower way cost is a small part of the time.
  void note(Way way, double seconds, int64 steps) {
    const double step = seconds / double(std::max<int64>(steps, 1));
    if (!trial_) {
      since_ += seconds;
      step_[way] += kShare * (step - step_[way]);
      return;
    }
    step_[way] = step;
    if (!known(other(way))) return;
    const double lost = seconds - step_[other(way)] * double(steps);
    since_ = 0;
    wait_ = std::max(kTrial, lost) / kMostLost;
  }

 private:
  // Seconds. At the end of a slice all threads have to come, which takes one without a processor some milliseconds.
  static constexpr double kSlice = 0.1, kTrial = 5e-4;
  static constexpr double kShare = 0.3;      // of a new measurement in what is known
  static constexpr double kMostLost = 0.01;  // of the time, by trials

  static Way other(Way way) { return way == alone ? together : alone; }
  bool known(Way way) const { return step_[way] > 0; }
  Way faster() const { return step_[together] <= step_[alone] ? together : alone; }

  double step_[2];  // seconds that a step takes each way
  double since_;    // seconds since the last trial
  double wait_;     // seconds between trials
  int64 trial_;     // whether the present slice is one
};
