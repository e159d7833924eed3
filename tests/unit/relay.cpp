// Threads share stages of owners by cuda/step/relay.h, one of which comes late; says what went wrong.
#include "step/relay.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>

constexpr int32 kOwners = 5;
constexpr int64 kBatches = 3000;

int main(int argc, char** argv) {
  const int32 n_thread = argc > 1 ? std::atoi(argv[1]) : 3;
  const int32 n_meeting = argc > 2 ? std::atoi(argv[2]) : 1;
  Relay relay(kOwners, n_thread);
  std::atomic<int64> done[kOwners] = {}, by_others{0};
  std::atomic<bool> wrong{false};
  const int64 n_stage = n_meeting + 1;
  const auto run = [&](int32 thread) {
    const auto work = [&](int32 owner, int64 stage) {
      if (done[owner].exchange(stage + 1) != stage) wrong = true;  // each once, in order
      for (int32 other = 0; other < kOwners; ++other) {
        const int64 least = stage % n_stage ? stage : stage - 1;  // what all have met after
        if (done[other] < least) wrong = true;
      }
      by_others += owner % n_thread != thread;
    };
    if (thread == n_thread - 1 && n_thread > 1)
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    for (int64 batch = 0; batch < kBatches; ++batch) {
      for (int32 m = 0; m < n_meeting; ++m)
        relay.do_and_meet(thread, batch * n_stage + m, int32(batch * n_meeting + m), work);
      relay.do_own(thread, batch * n_stage + n_meeting, false, work);
    }
  };
  std::vector<std::thread> threads;
  for (int32 t = 0; t < n_thread; ++t) threads.emplace_back(run, t);
  for (auto& each : threads) each.join();
  for (const auto& each : done) wrong = wrong || each != kBatches * n_stage;
  if (n_thread > 1 && !by_others) std::puts("nobody did what the late one had not begun");
  if (wrong) std::puts("stages were left out, repeated or out of order");
}
