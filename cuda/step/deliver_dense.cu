// Does what deliver.cu does for synapses that are stored as a matrix. Another kernel, of other synapses, ends the step.
#include "synapses/dense.h"

KERNEL(deliver_dense, 1) {
  for_each_bunch(plan, team, step, n_step, [&](const Dense& dense, const Bunch& bunch) {
    add_bunch_of_type(plan, dense, bunch);
    if (watches(plan, team)) note_columns(plan, dense.first_port, bunch.begin, bunch.end);
  });
}
