// Takes the spikes of a step into what is remembered of those that modulate synapses, when these have been served:
// they come there in later steps. Grid: a thread for each modulator.
#include "synapses/history.h"

// Calls body(target, size) for what spikes bring to each target of an owner's, by all connections.
template <class Body>
DEVICE void for_each_modulated(const Plan& plan, Team team, int64 step, const Modulator& modulator,
                               Body body) {
  for (int32 k = 0; k < modulator.n_each; ++k) {
    const Modulation& by = modulator.each[k];
    if (by.number < 0) continue;
    for_each_spike(plan, step, by.number, [&](int32 source, int32 multiplicity) {
      for (int64 j = by.row_start[source]; j < by.row_start[source + 1]; ++j)
        if (owns(team, modulator.owner_start, by.target[j]))
          body(by.target[j], by.size[j] * multiplicity);
    });
  }
}

KERNEL(modulate, 1) {
  for_each_modulator(team, plan.n_modulator, [&](int32 m) {
    const Modulator& modulator = plan.modulator[m];
    const int64 stamp = step + 1 + modulator.delay;
    if (modulator.each) {
      // Sums of integers are the same in whatever order spikes come.
      int64* const sum = modulator.sum;
      for_each_modulated(plan, team, step, modulator, [&](int32 i, int64 size) { sum[i] += size; });
      for_each_modulated(plan, team, step, modulator, [&](int32 i, int64) {
        if (sum[i]) add_spike(*modulator.history, i, stamp, double(sum[i]) * modulator.unit);
        sum[i] = 0;
      });
      return;
    }
    if (modulator.number < 0) return;
    int32 spikes = 0;
    for_each_spike(plan, step, modulator.number,
                   [&](int32, int32 multiplicity) { spikes += multiplicity; });
    if (spikes) add_spike(*modulator.history, list_of(team), stamp, spikes);
  });
}
