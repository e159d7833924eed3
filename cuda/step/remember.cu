// Takes the spikes of a step into what is remembered of the sources of synapses with a rule, when the synapses
// that see them at once have been served. Each thread of the CPU remembers for itself, because others may not
// be as far.
// Grid: as for delivery.
#include "synapses/plasticity.h"

KERNEL(remember, 1) {
  const auto note = [&](const Table& table, int32 row, const Segment& segment) {
    if (table.rule && segment.leads)
      add_spike(*table.rule->source, list_of(team) * table.n_source + row, step + 1);
  };
  for_each_segment(plan, team, step, n_step, note, true);
}
