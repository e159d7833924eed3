// Does what deliver.cu does where no synapse has a rule: with half the registers, and so twice the threads at
// a time on a GPU.
#include "synapses/delivery.h"

KERNEL(deliver_plain, 1) {
  for_each_segment(plan, team, step, n_step,
                   [&](const Table& table, int32, const Segment& segment) {
                     add_weights(plan, table, segment);
                   });
  end_steps(plan, team, step, n_step);
}
