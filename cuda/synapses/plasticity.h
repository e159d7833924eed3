// What synapses with a rule remember of spikes.
#pragma once

#include "synapses/delivery.h"
#include "synapses/history.h"

// The last spike of a source before another, with the traces that are kept of it; `none` if there was none.
struct Before {
  int64 stamp;
  const double* traces;  // [n_trace], `plane` places apart
  int64 plane;

  DEVICE bool none() const { return stamp < 0; }
  DEVICE double trace(int32 number) const { return none() ? 0.0 : traces[number * plane]; }
};

DEVICE Before last_before(const Past& past, int64 stamp) {
  const int32 next = past.after(stamp - 1, past.count);
  if (next <= past.oldest) return {-1, nullptr, 0};
  return {past.stamp(next - 1), past.traces + past.place(next - 1), past.plane};
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
