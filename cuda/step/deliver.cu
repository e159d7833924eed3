// Adds the weights of synapses to the accumulators of what arrives at the time of the spike + delay; synapses
// with a rule do first what it says. Sums are of integers, so that their order does not matter. Grid:
// blocks that share the spikes, y over tables of a source and groups of delays.
#include "synapses/kinds.h"

template <class Kind, class Real>
DEVICE void transmit(const Plan& plan, const Table& table, const Segment& segment, Real* weights,
                     const Before& before, int64 stamp) {
  const Rule& rule = *table.rule;
  with_targets(table, [&](auto target) {
    with_delays(table, [&](auto delay) {
      for (int64 j = segment.begin; j < segment.end; j += segment.stride) {
        const Event event{rule, before, stamp, j, target(j), delay(j), segment.multiplicity};
        int64* const sum = accumulator(plan, table, segment, event.target, event.delay);
        if constexpr (Kind::learns) {
          const Real weight =
              Real(rule.sign * Kind::after_spike(event, rule.sign * double(weights[j])));
          weights[j] = weight;
          add(sum, round_to_integer(double(weight) * table.scale) * segment.multiplicity);
        } else {
          add(sum, round_to_integer(Kind::amplitude(event, double(weights[j])) * table.scale));
        }
      }
    });
  });
}

DEVICE void transmit(const Plan& plan, Team team, const Table& table, int32 row,
                     const Segment& segment, int64 stamp) {
  const Past past(*table.rule->source, list_of(team) * table.n_source + row);
  const Before before = last_before(past, stamp);
  with_kind(table.rule->kind, [&](auto kind) {
    using Kind = decltype(kind);
    if (table.single)
      transmit<Kind>(plan, table, segment, static_cast<float*>(table.weight), before, stamp);
    else
      transmit<Kind>(plan, table, segment, static_cast<double*>(table.weight), before, stamp);
  });
}

KERNEL(deliver, 1) {
  const auto serve = [&](const Table& table, int32 row, const Segment& segment) {
    if (table.rule) return transmit(plan, team, table, row, segment, step + 1);
    add_weights(plan, table, segment);
  };
  for_each_segment(plan, team, step, n_step, serve);
  if (plan.lagging)
    for_each_lagging_segment(plan, team, step,
                             [&](const Table& table, int32 row, const Segment& whole) {
                               const Segment segment = of_its_lag(table, whole);
                               if (segment.begin < segment.end)
                                 transmit(plan, team, table, row, segment, step + 1 - whole.lag);
                             });
  end_steps(plan, team, step, n_step);
}
