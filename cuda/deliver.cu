// Adds the weights of synapses to the accumulators of what arrives at the time of the spike + delay.
// Plastic synapses change before. Sums are of integers, so that their order does not matter. Grid: a block of threads per spike.
#include "plasticity.h"

KERNEL(deliver, 1) {
  for_each_segment(plan, team, step, [&](const Table& table, int32 row, const Segment& segment) {
    if (table.rule) return deliver_plastic(plan, team, table, row, segment, step + 1);
    with_arrays(table, [&](auto target, auto delay, auto weight) {
      for (int64 j = segment.begin; j < segment.end; j += segment.stride)
        add(accumulator(plan, table, segment, target(j), delay(j)),
            weight(j) * segment.multiplicity);
    });
  });
  end_step(plan, step);
}
