// Copies recorded state variables at (step + 1) * dt. Grid: threads along the recorded neurons.
#include "step/scalars.h"

KERNEL(record, 0) {
  for (int32 p = 0; p < plan.n_probe; ++p) {
    const Probe& probe = plan.probe[p];
    const int64 since = step + 1 - probe.first_stamp;
    if (since < 0 || since % probe.interval != 0) continue;
    double* row = probe.sample + (since / probe.interval - probe.first_row) * probe.n;
    for_each_item(team, probe.n, probe.owner_start, [&](int32 i) {
      row[i] = read_scalar(probe.source, probe.single, probe.index[i]);
    });
  }
}
