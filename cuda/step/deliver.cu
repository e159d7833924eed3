// Adds the weights of synapses to the accumulators of what arrives at the time of the spike + delay; synapses
// with a rule do first what it says. Sums are of integers, so that their order does not matter. Grid:
// blocks that share the spikes, y over tables of a source and groups of delays.
#include "synapses/kinds.h"
#include "synapses/serve.h"
#include "synapses/shared.h"

#ifndef DELIVER  // with rules of the user's, on a GPU, it has another name
#define DELIVER deliver
#endif

DEVICE void serve(const Plan& plan, Team team, const Table& table, int32 row,
                  const Segment& segment, int64 stamp) {
  if constexpr (kCallsRules)
    if (table.rule->serve) return table.rule->serve(plan, team, table, row, segment, stamp);
  with_kind(table.rule->kind, [&](auto kind) {
    if (table.single)
      serve<decltype(kind), float>(plan, team, table, row, segment, stamp);
    else
      serve<decltype(kind), double>(plan, team, table, row, segment, stamp);
  });
}

KERNEL(DELIVER, 1) {
  const auto serve_segment = [&](const Table& table, int32 row, const Segment& segment) {
    if (table.rule) return serve(plan, team, table, row, segment, step + 1);
    with_watching(plan, team, [&](auto watched) {
      if (table.shared)
        add_shared_weights(plan, table, row, segment, watched);
      else
        add_weights(plan, table, &segment, 1, watched);
    });
  };
  for_each_segment(plan, team, step, n_step, serve_segment);
  if (plan.lagging)
    for_each_lagging_segment(plan, team, step,
                             [&](const Table& table, int32 row, const Segment& whole) {
                               const Segment segment = of_its_lag(table, whole);
                               if (segment.begin < segment.end)
                                 serve(plan, team, table, row, segment, step + 1 - whole.lag);
                             });
  end_steps(plan, team, step, n_step);
}
