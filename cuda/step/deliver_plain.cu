// Does what deliver.cu does where no synapse has a rule and none shares its weight: with half the registers, and so
// twice the threads at a time on a GPU.
#include "synapses/delivery.h"

KERNEL(deliver_plain, 1) {
  with_watching(plan, team, [&](auto watched) {
    for_each_run(plan, team, step, n_step,
                 [&](const Table& table, const int32*, const Segment* segments, int32 n) {
                   add_weights(plan, table, segments, n, watched);
                 });
  });
  end_steps(plan, team, step, n_step);
}
