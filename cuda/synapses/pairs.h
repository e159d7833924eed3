// Plasticity by all pairs of spikes (Morrison et al., 2007, doi:10.1162/neco.2007.19.6.1437), as NEST's
// stdp_synapse and vogels_sprekeler_synapse compute it:
//
//   a target's spike at t: w += potentiation f(greatest - w) x(t),  dx/dt = -x/tau_plus,  x += 1 per source spike
//   a source's spike at t: w += symmetric f(greatest - w) y(t), then
//                          w -= (depression y(t) + constant) f(w - least),
//                          dy/dt = -y/tau_minus,  y += 1 per target spike
//
// where f(u) = (u / (greatest - least))^mu (Gutig et al., 2003): mu = 0 is additive, 1 multiplicative. Times
// are those at the synapse: a source's spike takes the axonal part of the delay to come there, a
// target's the dendritic part. A change ends at `least` or `greatest`; a weight that was given outside them stays
// as it is until the rule changes it. As in NEST, a target's spike does so even before the source's first one,
// with x = 0: a weight above `greatest` comes down to it. Two spikes that come at the same time do not see each
// other. Nothing is done but at a source's spike, for all target spikes
// since the last one: before that, nobody sees the weight. Where all of the delay is axonal, a target's
// spike at the very time counts from the next spike of the source on.
#pragma once

#include "synapses/synapse.h"

// Parameters, by number of their column.
namespace pairs {
enum {
  potentiation,
  depression,
  symmetric,
  constant,
  least,
  greatest,
  mu_plus,
  mu_minus,
  tau_plus,
  tau_minus
};
}

// How a weight, without sign, moves between its limits.
struct Weight {
  double value, least, greatest, mu_plus, mu_minus;
  bool given = true;  // and not changed since

  DEVICE explicit Weight(const Event& e, double start)
      : value(start),
        least(e.parameter(pairs::least)),
        greatest(e.parameter(pairs::greatest)),
        mu_plus(e.parameter(pairs::mu_plus)),
        mu_minus(e.parameter(pairs::mu_minus)) {}

  DEVICE double dependence(double distance, double mu) const {
    if (mu == 0) return 1;
    const double part = distance / (greatest - least);
    return mu == 1 ? part : general_power(part, mu);
  }
  // Outside the limits the dependence may be no number: then the weight comes to the limit, too. Negative
  // amplitudes end at the other limit.
  DEVICE void raise(double change) {
    given = false;
    value += change * dependence(greatest - value, mu_plus);
    value = value < greatest ? value : greatest;
    if (change < 0 && value < least) value = least;
  }
  DEVICE void lower(double change) {
    if (given && change == 0) return;
    given = false;
    value -= change * dependence(value - least, mu_minus);
    value = value > least ? value : least;
    if (change < 0 && value > greatest) value = greatest;
  }
  // What a source's spike does, by the trace of the target's.
  DEVICE void meet(const Event& e, double trace) {
    const double symmetric = e.parameter(pairs::symmetric);
    if (symmetric != 0) raise(symmetric * trace);
    lower(e.parameter(pairs::depression) * trace + e.parameter(pairs::constant));
  }
};

// When spikes meet at a synapse, in stamps of the target's spikes.
struct Meeting {
  int64 now;        // such a spike would come together with the source's present spike
  int64 last;       // with the source's last one
  int64 since;      // later ones count for potentiation
  int64 dendritic;  // steps from the target to the synapse
  bool late;        // a spike together with the source's is not known yet
  bool first;       // the source has had no spike before

  DEVICE explicit Meeting(const Event& e) {
    dendritic = int64(floor(e.rule.dendritic * e.delay + 0.5));
    const int64 shift = e.delay - 2 * dendritic;
    now = e.stamp + shift;
    last = e.before.stamp + shift;
    late = dendritic == 0;
    first = e.first();
    const int64 set = e.rule.since - dendritic;
    since = first || last - late < set ? set : last - late;
  }
};

// What target spikes up to number end - 1 do before the source has had one.
DEVICE void limit_before_first(const Past& past, int32 end, const Meeting& meeting,
                               Weight& weight) {
  if (end > past.oldest && past.stamp(end - 1) > meeting.since) weight.raise(0);
}

// All synapses of a table have the same time constants: traces belong to sources and targets.
struct SharedPairs {
  static constexpr bool learns = true;

  // What a target's spikes up to number end - 1 do to a weight.
  DEVICE static void potentiate(const Event& e, const Past& past, int32 end, const Meeting& meeting,
                                Weight& weight) {
    if (meeting.first) return limit_before_first(past, end, meeting, weight);
    const double potentiation = e.parameter(pairs::potentiation);
    for (int32 k = past.after(meeting.since, end); k < end; ++k) {
      const int64 steps = past.stamp(k) - meeting.last;
      const double trace = steps ? e.before.trace : e.before.trace - 1;
      weight.raise(potentiation *
                   (trace * decayed(e.rule.source->decay, e.rule.source->n_decay, steps)));
    }
  }

  // The weight at time `until`, after the target's spikes that have come since the source's last.
  DEVICE static double present(const Event& e, double start, int64 until) {
    const Past past(*e.rule.history, e.target);
    const Meeting meeting(e);
    Weight weight(e, start);
    const int32 end = past.after(until - meeting.dendritic, past.count);
    potentiate(e, past, end, meeting, weight);
    return weight.value;
  }

  DEVICE static double after_spike(const Event& e, double start) {
    const History& history = *e.rule.history;
    const Past past(history, e.target);
    const Meeting meeting(e);
    Weight weight(e, start);
    int32 end = past.after(meeting.now - meeting.late, past.count);
    potentiate(e, past, end, meeting, weight);
    if (end > past.oldest && past.stamp(end - 1) == meeting.now) --end;
    const double trace = end > past.oldest
                             ? past.trace(end - 1) * decayed(history.decay, history.n_decay,
                                                             meeting.now - past.stamp(end - 1))
                             : 0.0;
    weight.meet(e, trace);
    return weight.value;
  }
};

// Each synapse has time constants, and therefore traces, of its own: state 0 is x just after the source's
// last spike, state 1 is y at the time of that spike, with the target's spike of that time.
struct OwnPairs {
  static constexpr bool learns = true;

  DEVICE static void potentiate(const Event& e, int64 steps, Weight& weight) {
    const double x = steps ? e.state(0) : e.state(0) - 1;
    const double left = left_after(double(steps), e.parameter(pairs::tau_plus));
    weight.raise(e.parameter(pairs::potentiation) * (x * left));
  }

  DEVICE static double present(const Event& e, double start, int64 until) {
    const Past past(*e.rule.history, e.target);
    const Meeting meeting(e);
    Weight weight(e, start);
    const int32 end = past.after(until - meeting.dendritic, past.count);
    if (meeting.first)
      limit_before_first(past, end, meeting, weight);
    else
      for (int32 k = past.after(meeting.since, end); k < end; ++k)
        potentiate(e, past.stamp(k) - meeting.last, weight);
    return weight.value;
  }

  DEVICE static double after_spike(const Event& e, double start) {
    const Past past(*e.rule.history, e.target);
    const Meeting meeting(e);
    Weight weight(e, start);
    const double tau_plus = e.parameter(pairs::tau_plus), tau_minus = e.parameter(pairs::tau_minus);
    const int32 end = past.after(meeting.now - meeting.late, past.count);
    const int32 first = e.first() ? past.oldest : past.after(meeting.last - meeting.late, end);
    if (e.first()) limit_before_first(past, end, meeting, weight);
    double trace = e.first() ? 0.0 : e.state(1) * left_after(e.interval(), tau_minus);
    double together = 0;
    for (int32 k = first; k < end; ++k) {
      if (!e.first() && past.stamp(k) > meeting.since)
        potentiate(e, past.stamp(k) - meeting.last, weight);
      if (past.stamp(k) == meeting.now)
        together += 1;
      else
        trace += left_after(double(meeting.now - past.stamp(k)), tau_minus);
    }
    weight.meet(e, trace);
    e.state(0) = 1 + (e.first() ? 0.0 : e.state(0) * left_after(e.interval(), tau_plus));
    e.state(1) = trace + together;
    return weight.value;
  }
};
