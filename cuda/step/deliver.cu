// Adds the weights of synapses to the accumulators of what arrives at the time of the spike + delay; synapses
// with a rule do first what it says. Sums are of integers, so that their order does not matter. Grid:
// blocks that share the spikes, y over tables of a source and groups of delays.
#include "synapses/kinds.h"
#include "synapses/shared.h"

// The rule is copied: in its place it might change with every store as far as the compiler knows.
template <class Kind, class Real>
DEVICE void transmit(const Plan& plan, const Table& table, const Segment& segment, Real* weights,
                     const Before& before, int64 stamp, Known watched) {
  const Rule rule = *table.rule;
  with_targets(table, [&](auto target) {
    with_delays(table, [&](auto delay) {
      for (int64 j = segment.begin; j < segment.end; j += segment.stride) {
        const Event event{rule, before, stamp, j, target(j), delay(j), segment.multiplicity};
        add_input(plan, table, segment, event.target, event.delay,
                  round_to_integer(Kind::amplitude(event, double(weights[j])) * table.scale),
                  watched);
      }
    });
  });
}

template <class Kind, bool alike, class Real>
DEVICE void learn(const Plan& plan, const Table& table, const Segment& segment, Real* weights,
                  const Before& before, int64 stamp, Known watched) {
  const Rule rule = *table.rule;
  const double scale = table.scale;
  with_targets(table, [&](auto target) {
    with_delays(table, [&](auto delay) {
      const auto meeting = for_delays(
          delay, [&](int32 steps) { return typename Kind::Meeting(rule, before, stamp, steps); });
      for (int64 j = segment.begin; j < segment.begin + kAhead && j < segment.end; ++j)
        expect(*rule.history, target(j));
      for (int64 j = segment.begin; j < segment.end; j += segment.stride) {
        if (kAhead && j + kAhead < segment.end) expect(*rule.history, target(j + kAhead));
        const EventOf<alike> event{
            rule, before, stamp, j, target(j), delay(j), segment.multiplicity};
        const double start = rule.sign * double(weights[j]);
        const Real weight = Real(rule.sign * Kind::after_spike(event, meeting(event.delay), start));
        weights[j] = weight;
        add_input(plan, table, segment, event.target, event.delay,
                  round_to_integer(double(weight) * scale) * segment.multiplicity, watched);
      }
    });
  });
}

DEVICE void transmit(const Plan& plan, Team team, const Table& table, int32 row,
                     const Segment& segment, int64 stamp) {
  const Past past(*table.rule->source, list_of(team) * table.n_source + row);
  const Before before = last_before(past, stamp);
  const Known watched{watches(plan, team)};
  with_kind(table.rule->kind, [&](auto kind) {
    using Kind = decltype(kind);
    const auto with = [&](auto* weights) {
      if constexpr (!Kind::learns)
        transmit<Kind>(plan, table, segment, weights, before, stamp, watched);
      else if (kSpecialises && Kind::alike && all_alike(*table.rule))
        learn<Kind, true>(plan, table, segment, weights, before, stamp, watched);
      else
        learn<Kind, false>(plan, table, segment, weights, before, stamp, watched);
    };
    if (table.single)
      with(static_cast<float*>(table.weight));
    else
      with(static_cast<double*>(table.weight));
  });
}

KERNEL(deliver, 1) {
  const auto serve = [&](const Table& table, int32 row, const Segment& segment) {
    if (table.rule) return transmit(plan, team, table, row, segment, step + 1);
    with_watching(plan, team, [&](auto watched) {
      if (table.shared)
        add_shared_weights(plan, table, row, segment, watched);
      else
        add_weights(plan, table, segment, watched);
    });
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
