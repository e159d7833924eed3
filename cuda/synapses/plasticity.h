// What synapses with a rule remember of spikes.
#pragma once

#include "synapses/delivery.h"

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

// The last spike of a source before another; `trace` is 0 if there was none.
struct Before {
  int64 stamp;
  double trace;
};

DEVICE Before last_before(const Past& past, int64 stamp) {
  const int32 next = past.after(stamp - 1, past.count);
  return next > past.oldest ? Before{past.stamp(next - 1), past.trace(next - 1)} : Before{-1, 0.0};
}

// Steps for which a spike waits until a synapse sees it: the axonal part of the delay, but not so long that it
// comes too late to its target. It does not decrease with the delay.
DEVICE int32 lag_of(const Rule& rule, int32 delay) {
  const int32 axonal = delay - int32(floor(rule.dendritic * delay + 0.5));
  return axonal < delay - 1 ? axonal : delay - 1;
}

// The first synapse from `begin` on that waits at least `lag` steps.
DEVICE int64 first_of_lag(const Table& table, int64 begin, int64 end, int32 lag) {
  while (begin < end) {
    const int64 middle = begin + (end - begin) / 2;
    if (lag_of(*table.rule, read_delay(table, middle)) < lag)
      begin = middle + 1;
    else
      end = middle;
  }
  return begin;
}

// The synapses of a segment that wait as long as it says.
DEVICE Segment of_its_lag(const Table& table, Segment segment) {
  const int64 first =
      first_of_lag(table, segment.begin - segment.offset(), segment.end, segment.lag);
  segment.end = first_of_lag(table, first, segment.end, segment.lag + 1);
  segment.begin = first + segment.offset();
  return segment;
}
