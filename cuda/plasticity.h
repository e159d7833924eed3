// Plasticity by pairs of spikes with additive weight dependence (Song, Miller and Abbott, 2000,
// doi:10.1038/78829), over all pairs, as NEST's stdp_synapse computes it (Morrison et al., 2007,
// doi:10.1162/neco.2007.19.6.1437):
//
//   a target's spike at t: w += potentiation * x(t + delay),  dx/dt = -x/tau_plus,  x += 1 per source spike
//   a source's spike at t: w -= depression * y(t - delay),    dy/dt = -y/tau_minus, y += 1 per target spike
//
// The delay is that of the dendrite: a target's spike reaches the synapse `delay` steps later, a source's
// at once. A weight stays between `least` and `greatest`. Nothing is done but at a source's spike, for
// all target spikes that reached the synapse since the last one: before that, nobody sees the weight.
#pragma once

#include "delivery.h"

DEVICE double decayed(const double* decay, int32 n_decay, int64 steps) {
  return steps < n_decay ? decay[steps] : 0.0;
}

// Notes a spike of neuron i.
DEVICE void add_spike(const History& history, int32 i, int64 stamp) {
  const int32 count = history.count[i]++, mask = history.capacity - 1;
  const int64 row = int64(i) * history.capacity;
  double trace = 1;
  if (count) {
    const int64 last = row + ((count - 1) & mask);
    trace +=
        history.trace[last] * decayed(history.decay, history.n_decay, stamp - history.stamp[last]);
  }
  history.stamp[row + (count & mask)] = stamp;
  history.trace[row + (count & mask)] = trace;
}

// The last spike of a source before the present one.
struct Before {
  int64 stamp;
  double trace;
};

// The weight, without sign, after a source's spike stamped `now`.
DEVICE double after_spike(const Rule& rule, double weight, const Before& before, int32 target,
                          int32 delay, int64 now) {
  const History& history = *rule.history;
  const int32 mask = history.capacity - 1, count = history.count[target];
  const int64 row = int64(target) * history.capacity;
  const auto stamp = [&](int32 k) { return history.stamp[row + (k & mask)]; };
  const int32 oldest = count > history.capacity ? count - history.capacity : 0;
  int32 end = count;  // of the spikes that have reached the synapse
  while (end > oldest && stamp(end - 1) > now - delay) --end;
  if (before.trace > 0) {
    int32 k = end;  // back to the first that came after the source's last spike
    while (k > oldest && stamp(k - 1) > before.stamp - delay) --k;
    for (; k < end; ++k) {
      const int64 steps = stamp(k) + delay - before.stamp;
      weight += rule.potentiation * (before.trace * decayed(rule.decay, rule.n_decay, steps));
      weight = weight < rule.greatest ? weight : rule.greatest;
    }
  }
  if (end > oldest && stamp(end - 1) == now - delay) --end;  // a coincidence does not depress
  if (end <= oldest) return weight;
  const double trace = history.trace[row + ((end - 1) & mask)] *
                       decayed(history.decay, history.n_decay, now - delay - stamp(end - 1));
  weight -= rule.depression * trace;
  return weight > rule.least ? weight : rule.least;
}

template <class Real>
DEVICE void update_and_deliver(const Plan& plan, const Table& table, const Segment& segment,
                               Real* weights, const Before& before, int64 now) {
  const Rule& rule = *table.rule;
  with_targets(table, [&](auto target) {
    with_delays(table, [&](auto delay) {
      for (int64 j = segment.begin; j < segment.end; j += segment.stride) {
        const double old = rule.sign * double(weights[j]);
        const Real weight =
            Real(rule.sign * after_spike(rule, old, before, target(j), delay(j), now));
        weights[j] = weight;
        add(accumulator(plan, table, segment, target(j), delay(j)),
            round_to_integer(double(weight) * table.scale) * segment.multiplicity);
      }
    });
  });
}

// Changes the weights of a segment at its source's spike stamped `now`, and delivers them.
DEVICE void deliver_plastic(const Plan& plan, Team team, const Table& table, int32 row,
                            const Segment& segment, int64 now) {
  const int64 source = int64(list_of(team)) * table.n_source + row;
  const Before before{table.rule->last[source], table.rule->trace[source]};
  if (table.single)
    update_and_deliver(plan, table, segment, static_cast<float*>(table.weight), before, now);
  else
    update_and_deliver(plan, table, segment, static_cast<double*>(table.weight), before, now);
}
