// The spikes that plastic synapses may still have to see.
//
// Spike k of a neuron takes the place of spike k - capacity. Places are in chunks of kChunk, a line of the cache
// for each array; the chunks number c of all neurons lie side by side, so that what is read most, the last
// spikes of all neurons, is close together.
#pragma once

#include "core/portable.h"

constexpr int32 kChunk = 8;

DEVICE double decayed(const double* decay, int32 n_decay, int64 steps) {
  return steps < n_decay ? decay[steps] : 0.0;
}

// The spikes that are remembered of neuron i, number `oldest` to `count` - 1.
struct Past {
  const int64* stamps;
  const double *traces, *lefts;
  int64 layer;  // places from one chunk of a neuron to its next, in units of a chunk's
  int32 mask, width, oldest, count, era;

  DEVICE Past(const History& history, int32 i)
      : layer(history.n),
        mask(history.capacity - 1),
        width(history.capacity < kChunk ? history.capacity : kChunk),
        count(history.count[i]),
        era(history.era) {
    const int64 first = int64(i) * width;
    stamps = history.stamp + first;
    traces = history.trace + first;
    lefts = history.left + first;
    oldest = count > history.capacity ? count - history.capacity : 0;
  }

  DEVICE int64 place(int32 k) const { return layer * (k & mask & -width) + (k & (width - 1)); }
  DEVICE int64 stamp(int32 k) const { return stamps[place(k)]; }
  DEVICE double trace(int32 k) const { return traces[place(k)]; }

  // Number of the first spike stamped later than `time`, looking back from number `end`.
  DEVICE int32 after(int64 time, int32 end) const {
    while (end > oldest && stamp(end - 1) > time) --end;
    return end;
  }
};

// Notes a spike of neuron i.
DEVICE void add_spike(const History& history, int32 i, int64 stamp) {
  const Past past(history, i);
  double trace = 1;
  if (past.count) {
    const int32 last = past.count - 1;
    trace += past.trace(last) * decayed(history.decay, history.n_decay, stamp - past.stamp(last));
  }
  const int64 place = int64(i) * past.width + past.place(past.count);
  history.stamp[place] = stamp;
  history.trace[place] = trace;
  if (history.left) history.left[place] = history.other_decay[stamp & (history.era - 1)];
  history.count[i] = past.count + 1;
}
