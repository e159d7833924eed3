// Emits spikes at given times; `next` counts the events that lie behind. A GPU's thread looks at the next one of its
// source, a thread of the CPU, which has many sources, at those of a step, see core/schedule.h.
#pragma once

#include "core/cell.h"

template <class real>
struct SpikeSourceArray {
  using scalar = double;  // also in single precision: it counts
  static constexpr int32 n_receptor = 0;
  static constexpr bool substepped = false, scheduled = true;

  struct State {
    double next;
  };

  struct Params {
    double unused;
  };

  DEVICE static int32 step(const Now& now, const Params&, State& s, const double*, double) {
    int32 count = 0;
    int64 next = int64(s.next);
    while (next < now.n_event && now.events[next] <= now.step + 1) {
      count += now.events[next] == now.step + 1;
      ++next;
    }
    s.next = double(next);
    return count;
  }
};
