// Adds the spikes stamped step + 1 to the accumulators of what arrives at step + 1 + delay.
// Sums are of integers, so that their order does not matter. Grid: a block of threads per spike.
#include "portable.h"

KERNEL(deliver, 1) {
  const int32 now = int32((step + 1) % plan.n_slot);
  for_each_synapse(plan, team, step, [&](const Shard& shard, int64 j, int32 multiplicity) {
    int32 slot = now + shard.delay[j];
    if (slot >= plan.n_slot) slot -= plan.n_slot;
    add(plan.ring + slot * plan.n_port + shard.port[j], shard.weight[j] * multiplicity);
  });
  end_step(plan, step);
}
