// The spikes that plastic synapses may still have to see.
//
// Spike k of a neuron takes the place of spike k - capacity. Places are in chunks of kChunk, a line of the cache
// for each array; the chunks number c of all neurons lie side by side, so that what is read most, the last
// spikes of all neurons, is close together.
#pragma once

#include "core/portable.h"

constexpr int32 kChunk = 8;

DEVICE double left_of(const Decay& decay, int64 steps) {
  return steps < decay.n ? decay.left[steps] : 0.0;
}

// The spikes that are remembered of neuron i, number `oldest` to `count` - 1.
struct Past {
  const int64* stamps;
  const double *traces, *lefts;
  int64 layer;  // places from one chunk of a neuron to its next, in units of a chunk's
  int64 plane;  // places from one trace to the next
  int32 mask, width, oldest, count, era;

  DEVICE Past(const History& history, int32 i)
      : layer(history.n),
        plane(int64(history.n) * history.capacity),
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
  DEVICE double trace(int32 k, int32 number = 0) const { return traces[number * plane + place(k)]; }

  // Number of the first spike stamped later than `time`, looking back from number `end`.
  DEVICE int32 after(int64 time, int32 end) const {
    while (end > oldest && stamp(end - 1) > time) --end;
    return end;
  }
};

// Notes a spike of neuron i, or several at the same time that count as one of that size.
DEVICE void add_spike(const History& history, int32 i, int64 stamp, double size = 1) {
  const Past past(history, i);
  const int64 place = int64(i) * past.width + past.place(past.count);
  const int32 last = past.count - 1;
  const int64 steps = past.count ? stamp - past.stamp(last) : 0;
  for (int32 number = 0; number < history.n_trace; ++number) {
    const Decay& decay = history.decay[number];
    double trace = decay.nearest ? 0.0 : size;
    if (past.count)
      trace += (decay.nearest ? 1.0 : past.trace(last, number)) * left_of(decay, steps);
    history.trace[number * past.plane + place] = trace;
  }
  history.stamp[place] = stamp;
  if (history.left) history.left[place] = history.other_decay[stamp & (history.era - 1)];
  history.count[i] = past.count + 1;
}
