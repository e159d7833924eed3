// What spikes do at synapses with a rule, and what these transmit.
#pragma once

#include "synapses/delivery.h"
#include "synapses/synapse.h"

// The rule is copied: in its place it might change with every store as far as the compiler knows.
template <class Kind, class Real>
DEVICE void transmit(const Plan& plan, const Table& table, const Segment& segment, Real* weights,
                     const Before& before, int64 stamp, int32 list, Known watched) {
  const Rule rule = *table.rule;
  with_targets(table, [&](auto target) {
    with_delays(table, [&](auto delay) {
      for (int64 j = segment.begin; j < segment.end; j += segment.stride) {
        const Event event{rule, before, stamp, j, target(j), delay(j), segment.multiplicity, list};
        add_input(plan, table, segment, event.target, event.delay,
                  round_to_integer(Kind::amplitude(event, double(weights[j])) * table.scale),
                  watched);
      }
    });
  });
}

template <class Kind, bool alike, class Real>
DEVICE void learn(const Plan& plan, const Table& table, const Segment& segment, Real* weights,
                  const Before& before, int64 stamp, int32 list, Known watched) {
  const Rule rule = *table.rule;
  const double scale = table.scale;
  with_targets(table, [&](auto target) {
    with_delays(table, [&](auto delay) {
      const auto meeting = for_delays(
          delay, [&](int32 steps) { return typename Kind::Meeting(rule, before, stamp, steps); });
      for (int64 j = segment.begin; j < segment.begin + kAhead && j < segment.end; ++j)
        Kind::expect(*rule.history, target(j));
      for (int64 j = segment.begin; j < segment.end; j += segment.stride) {
        if (kAhead && j + kAhead < segment.end) Kind::expect(*rule.history, target(j + kAhead));
        const EventOf<alike> event{
            rule, before, stamp, j, target(j), delay(j), segment.multiplicity, list};
        const double start = rule.sign * double(weights[j]);
        const Real weight = Real(rule.sign * Kind::after_spike(event, meeting(event.delay), start));
        weights[j] = weight;
        const double sent = rule.sign * Kind::sent(event, rule.sign * double(weight));
        add_input(plan, table, segment, event.target, event.delay,
                  round_to_integer(sent * scale) * segment.multiplicity, watched);
      }
    });
  });
}

// What a spike stamped `stamp` of the source of a row does to synapses of one kind, whose weights are of type Real.
template <class Kind, class Real>
DEVICE void serve(const Plan& plan, Team team, const Table& table, int32 row,
                  const Segment& segment, int64 stamp) {
  const int32 list = list_of(team);
  const Past past(*table.rule->source, list * table.n_source + row);
  const Before before = last_before(past, stamp);
  const Known watched{watches(plan, team)};
  Real* const weights = static_cast<Real*>(table.weight);
  if constexpr (!Kind::learns)
    transmit<Kind>(plan, table, segment, weights, before, stamp, list, watched);
  else if (kSpecialises && Kind::alike && all_alike(*table.rule))
    learn<Kind, true>(plan, table, segment, weights, before, stamp, list, watched);
  else
    learn<Kind, false>(plan, table, segment, weights, before, stamp, list, watched);
}
