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

#include "synapses/meeting.h"

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

  template <class Event>
  DEVICE Weight(const Event& e, double start)
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
  template <class Event>
  DEVICE void meet(const Event& e, double trace) {
    const double symmetric = e.parameter(pairs::symmetric);
    if (symmetric != 0) raise(symmetric * trace);
    lower(e.parameter(pairs::depression) * trace + e.parameter(pairs::constant));
  }
};

// Has what will be read of a target fetched.
DEVICE void expect_pairs(const History& history, int32 target) {
  const Past past(history, target);
  const int64 last = past.place(past.count - 1), before = past.place(past.count - 1 - kChunk);
  prefetch(past.stamps + last);
  prefetch(past.stamps + before);
  prefetch(past.lefts + last);
  prefetch(past.lefts + before);
  prefetch(past.traces + last);
}

// The sum of `left` of the spikes later than `since`, which is not below 0, until `until`. Where no spike is yet,
// or an older one than `since`, a stamp says so.
DEVICE double sum_left(const Past& past, int64 since, int64 until) {
  const int64 end = until + 1;
  double sum[kChunk] = {};
  int32 first = (past.count - 1) & -kChunk;
  do {
    const int64 at = past.place(first);
    const int64* const stamp = past.stamps + at;
    const double* const left = past.lefts + at;
    SIDE_BY_SIDE for (int32 k = 0; k < kChunk; ++k) {
      const double value = left[k];
      sum[k] += (stamp[k] > since) & (stamp[k] < end) ? value : 0.0;
    }
    first = stamp[0] > since ? first - kChunk : past.oldest - 1;
  } while (first >= past.oldest);
  return ((sum[0] + sum[4]) + (sum[2] + sum[6])) + ((sum[1] + sum[5]) + (sum[3] + sum[7]));
}

// All synapses of a table have the same time constants: traces belong to sources and targets.
//
// What a target's spikes at times t do to a weight whose potentiation does not depend on it is a sum of
// x(s) e^((s - t) / tau_plus), with the source's last spike at s. With e^(-t / tau_plus) kept for each of the
// target's spikes, that is a sum of numbers that lie side by side, times one factor. So that neither leaves
// the range of numbers, both count from the beginning of the era that the spike lies in. Eras are so long that
// nothing is left in the next but one.
struct SharedPairs {
  static constexpr bool learns = true, alike = true;

  DEVICE static void expect(const History& history, int32 target) { expect_pairs(history, target); }
  template <class Event>
  DEVICE static double sent(const Event&, double weight) {
    return weight;
  }

  struct Meeting : ::Meeting {
    double trace;    // of the source just after its last spike
    int64 next_era;  // begins then
    double
        gain;  // of what is left of the trace since the beginning of the era: e^(last / tau_plus)
    double next_gain;  // in the next era

    DEVICE Meeting(const Rule& rule, const Before& before, int64 stamp, int32 delay)
        : ::Meeting(rule, before, stamp, delay), trace(before.trace(0)) {
      const History& history = *rule.history;
      const int64 phase = last & (history.era - 1);
      next_era = last - phase + history.era;
      gain = 1 / history.other_decay[phase];
      next_gain = phase ? history.other_decay[history.era - phase] : 0.0;
    }

    // The sum of the source's trace, as it was at the target's spikes until `until`.
    DEVICE double met(const Past& past, int64 until) const {
      const int64 begin = since > 0 ? since : 0, from = begin > last ? begin : last;
      double sum = gain * sum_left(past, from, until < next_era ? until : next_era - 1);
      if (until >= next_era) {
        const int64 end = next_era + (past.era - 1), before = next_era - 1;
        sum += next_gain * sum_left(past, from > before ? from : before, until < end ? until : end);
      }
      sum *= trace;
      if (late && begin < last && sum_left(past, last - 1, last) > 0) sum += trace - 1;
      return sum;
    }
  };

  // What a target's spikes until `until`, up to number end - 1, do to a weight. Each adds to it where its
  // dependence is additive, all to one side, so that the limit may be kept in the end.
  template <class Event>
  DEVICE static void potentiate(const Event& e, const Past& past, int64 until, int32 end,
                                const Meeting& meeting, Weight& weight) {
    if (!any(past, end, meeting)) return;
    if (meeting.first) return weight.raise(0);
    const double potentiation = e.parameter(pairs::potentiation);
    if (weight.mu_plus == 0) return weight.raise(potentiation * meeting.met(past, until));
    for (int32 k = past.after(meeting.since, end); k < end; ++k) {
      const int64 steps = past.stamp(k) - meeting.last;
      const double trace = steps ? meeting.trace : meeting.trace - 1;
      weight.raise(potentiation * (trace * left_of(e.rule.source->decay[0], steps)));
    }
  }

  // The weight at time `until`, after the target's spikes that have come since the source's last.
  template <class Event>
  DEVICE static double present(const Event& e, const Meeting& meeting, double start, int64 until) {
    const Past past(*e.rule.history, e.target);
    Weight weight(e, start);
    const int64 seen = until - meeting.dendritic;
    potentiate(e, past, seen, past.after(seen, past.count), meeting, weight);
    return weight.value;
  }

  template <class Event>
  DEVICE static double after_spike(const Event& e, const Meeting& meeting, double start) {
    const History& history = *e.rule.history;
    const Past past(history, e.target);
    Weight weight(e, start);
    const int64 seen = meeting.now - meeting.late;
    int32 end = past.after(seen, past.count);
    potentiate(e, past, seen, end, meeting, weight);
    if (end > past.oldest && past.stamp(end - 1) == meeting.now) --end;
    const double trace =
        end > past.oldest
            ? past.trace(end - 1) * left_of(history.decay[0], meeting.now - past.stamp(end - 1))
            : 0.0;
    weight.meet(e, trace);
    return weight.value;
  }
};

// Each synapse has time constants, and therefore traces, of its own: state 0 is x just after the source's
// last spike, state 1 is y at the time of that spike, with the target's spike of that time.
struct OwnPairs {
  static constexpr bool learns = true, alike = false;

  DEVICE static void expect(const History& history, int32 target) { expect_pairs(history, target); }
  template <class Event>
  DEVICE static double sent(const Event&, double weight) {
    return weight;
  }

  using Meeting = ::Meeting;

  template <class Event>
  DEVICE static void potentiate(const Event& e, int64 steps, Weight& weight) {
    const double x = steps ? e.state(0) : e.state(0) - 1;
    const double left = left_after(double(steps), e.parameter(pairs::tau_plus));
    weight.raise(e.parameter(pairs::potentiation) * (x * left));
  }

  template <class Event>
  DEVICE static double present(const Event& e, const Meeting& meeting, double start, int64 until) {
    const Past past(*e.rule.history, e.target);
    Weight weight(e, start);
    const int32 end = past.after(until - meeting.dendritic, past.count);
    if (meeting.first) {
      if (any(past, end, meeting)) weight.raise(0);
      return weight.value;
    }
    for (int32 k = past.after(meeting.since, end); k < end; ++k)
      potentiate(e, past.stamp(k) - meeting.last, weight);
    return weight.value;
  }

  template <class Event>
  DEVICE static double after_spike(const Event& e, const Meeting& meeting, double start) {
    const Past past(*e.rule.history, e.target);
    Weight weight(e, start);
    const double tau_plus = e.parameter(pairs::tau_plus), tau_minus = e.parameter(pairs::tau_minus);
    const int32 end = past.after(meeting.now - meeting.late, past.count);
    const int32 first = e.first() ? past.oldest : past.after(meeting.last - meeting.late, end);
    if (e.first() && any(past, end, meeting)) weight.raise(0);
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
