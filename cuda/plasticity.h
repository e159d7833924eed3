// What plastic synapses remember of spikes.
#pragma once

#include "delivery.h"

DEVICE double decayed(const double* decay, int32 n_decay, int64 steps) {
  return steps < n_decay ? decay[steps] : 0.0;
}

// Notes a spike of neuron i.
DEVICE void add_spike(const History& history, int32 i, int64 stamp) {
  const int32 count = history.count[i]++, mask = history.capacity - 1;
  const int64 row = int64(i) * history.capacity;
  double trace = 1;
  if (count) {
    const int64 last = row + ((count - 1) & mask);
    trace +=
        history.trace[last] * decayed(history.decay, history.n_decay, stamp - history.stamp[last]);
  }
  history.stamp[row + (count & mask)] = stamp;
  history.trace[row + (count & mask)] = trace;
}

// The spikes that are remembered of a neuron, number `oldest` to `count` - 1.
struct Past {
  const int64* stamps;
  const double* traces;
  int32 mask, oldest, count;

  DEVICE Past(const History& history, int32 i)
      : stamps(history.stamp + int64(i) * history.capacity),
        traces(history.trace + int64(i) * history.capacity),
        mask(history.capacity - 1),
        oldest(history.count[i] > history.capacity ? history.count[i] - history.capacity : 0),
        count(history.count[i]) {}

  DEVICE int64 stamp(int32 k) const { return stamps[k & mask]; }
  DEVICE double trace(int32 k) const { return traces[k & mask]; }

  // Number of the first spike stamped later than `time`, looking back from number `end`.
  DEVICE int32 after(int64 time, int32 end) const {
    while (end > oldest && stamp(end - 1) > time) --end;
    return end;
  }
};
