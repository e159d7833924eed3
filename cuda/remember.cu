// Takes the spikes of a step into the traces of the sources of synapses with a rule, when all their synapses
// have been served. Each thread of the CPU has traces of its own, because others may not be as far.
// Grid: as for delivery.
#include "plasticity.h"

DEVICE void remember_spike(Team team, const Table& table, int32 row, int64 stamp) {
  const Rule& rule = *table.rule;
  const int64 source = int64(list_of(team)) * table.n_source + row;
  rule.trace[source] =
      1 + rule.trace[source] * decayed(rule.decay, rule.n_decay, stamp - rule.last[source]);
  rule.last[source] = stamp;
}

KERNEL(remember, 1) {
  const auto serve = [&](const Table& table, int32 row, const Segment& segment) {
    if (table.rule && segment.leads) remember_spike(team, table, row, step + 1);
  };
  for_each_segment(plan, team, step, n_step, serve);
  if (plan.lagging)
    for_each_lagging_segment(plan, team, step,
                             [&](const Table& table, int32 row, const Segment& segment) {
                               if (segment.leads)
                                 remember_spike(team, table, row, step + 1 - table.lag);
                             });
}
