// Takes the spikes of a step into what is remembered of populations that modulate synapses, when these have been
// served: they come there in later steps. Grid: a thread for each modulator.
#include "synapses/history.h"

KERNEL(modulate, 1) {
  for_each_modulator(team, plan.n_modulator, [&](int32 m) {
    const Modulator& modulator = plan.modulator[m];
    if (modulator.number < 0) return;
    const int32 spikes = spikes_of_block(plan, step, modulator.number);
    if (spikes) add_spike(*modulator.history, list_of(team), step + 1 + modulator.delay, spikes);
  });
}
