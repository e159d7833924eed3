// Takes the spikes of a step into the traces of the sources of plastic synapses, when all their synapses
// have changed. Each thread of the CPU has traces of its own, because others may not be as far.
// Grid: a block of threads per spike.
#include "plasticity.h"

KERNEL(remember, 1) {
  for_each_segment(plan, team, step, [&](const Table& table, int32 row, const Segment& segment) {
    if (!table.rule || !segment.leads) return;
    const Rule& rule = *table.rule;
    const int64 source = int64(list_of(team)) * table.n_source + row, now = step + 1;
    rule.trace[source] =
        1 + rule.trace[source] * decayed(rule.decay, rule.n_decay, now - rule.last[source]);
    rule.last[source] = now;
  });
}
