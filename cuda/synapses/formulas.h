// Plasticity by formulas of the user's. Spikes of both sides are taken up in the order in which they come to the
// synapse; of two that come together, the target's first. Each sees all traces as they are just before that time.
// As with pairs.h, nothing is done but at a source's spike, for all target spikes since the last one. Where all of the
// delay is axonal, a target's spike at the very time is taken up after the source's.
//
// Spikes of a population that modulates synapses come first of all that comes at the same time.
//
// `Formulas`, which pynn_sparse/network/dynamics/formulas.py writes, has
//   n_state, n_source, n_target, n_modulator   numbers of state variables, of traces of the source, of the target, of
//                                              the modulator
//   nearest_source, nearest_target             bits of the traces that follow the last spike alone
//   has_between, modulated                     whether time does anything; whether there is a modulator
//   between(e, weight, state, modulator, elapsed)          what time does, by the traces at its beginning
//   on_modulator(e, weight, state, modulator, spikes)      what spikes of the modulator do
//   on_post(e, weight, state, source, target, modulator)   what a target's spike does, by the traces of all sides
//   on_pre(e, weight, state, source, target, modulator, interval)   what a source's spike does
//   limit(e, weight)                           brings a weight that these have changed between its limits
//   transmitted(e, weight, state)              what a spike of the source transmits
//   step(e)                                    the time step (ms)
#pragma once

#include "synapses/meeting.h"

// Notes that a formula gave a synapse what is no finite number. The first spike of a source with which that happens in
// a call counts, and of its synapses that with the lowest number: their number is the greatest, whoever notes it.
constexpr int64 kAfterAllFlaws = int64(~uint64(0) >> 1);

DEVICE void note_flaw(int64* flaw, int64 stamp, uint32 synapse) {
  raise_to(flaw, kAfterAllFlaws - ((stamp << 32) | synapse));
}

template <class Formulas>
struct ByFormulas {
  static constexpr bool learns = true, alike = true;
  static constexpr int32 n_state = Formulas::n_state, n_source = Formulas::n_source,
                         n_target = Formulas::n_target, n_modulator = Formulas::n_modulator;

  DEVICE static constexpr bool is_nearest(uint32 bits, int32 number) { return bits >> number & 1; }
  // Traces just after and just before a spike, of what is kept of it.
  DEVICE static double after(uint32 nearest, int32 number, double kept) {
    return is_nearest(nearest, number) ? 1.0 : kept;
  }
  DEVICE static double before(uint32 nearest, int32 number, double kept) {
    return is_nearest(nearest, number) ? kept : kept - 1;
  }

  struct Meeting : ::Meeting {
    int64 begin;                   // time of the state, in stamps of the target's spikes
    double interval;               // between the source's last spike and its present one, in steps
    double left[n_source + 1];     // of the source's traces, just after its last spike
    double earlier[n_source + 1];  // just before it
    double present[n_source + 1];  // just before its present spike

    DEVICE Meeting(const Rule& rule, const Before& last_spike, int64 stamp, int32 delay)
        : ::Meeting(rule, last_spike, stamp, delay) {
      const int64 set = (rule.since > 0 ? rule.since : 0) - dendritic;
      begin = !first && last > set ? last : set;
      interval = first ? with_bits(kBitsOfInfinity) : double(stamp - last_spike.stamp);
      for (int32 j = 0; j < n_source; ++j) {
        const double kept = last_spike.trace(j);
        left[j] = first ? 0.0 : after(Formulas::nearest_source, j, kept);
        earlier[j] = first ? 0.0 : before(Formulas::nearest_source, j, kept);
        present[j] = first ? 0.0 : left[j] * left_of(rule.source->decay[j], now - last);
      }
    }
  };

  // A synapse on its way from event to event.
  template <class Event>
  struct Course {
    const Event& e;
    double weight;
    double state[n_state + 1];
    int64 time, dendritic;
    int32 next = 0;  // spike of the modulator
    double modulator[n_modulator + 1];

    DEVICE Course(const Event& event, const Meeting& meeting, double start)
        : e(event), weight(start), time(meeting.begin), dendritic(meeting.dendritic) {
      for (int32 k = 0; k < n_state; ++k) state[k] = e.state(k);
      if constexpr (Formulas::modulated) {
        const Past past = modulators();
        next = past.after(time + dendritic, past.count);
        look_at_modulator(past);
      }
    }
    DEVICE void keep() const {
      for (int32 k = 0; k < n_state; ++k) e.state(k) = state[k];
    }
    DEVICE Past modulators() const {
      return Past(*e.rule.modulator, e.rule.modulated_each ? e.target : e.list);
    }
    // Does what changes the weight, and keeps it between its limits where it has changed.
    template <class Change>
    DEVICE void change(Change make) {
      const double old = weight;
      make();
      if (weight != old) Formulas::limit(e, weight);
    }
    // The traces of the modulator at present.
    DEVICE void look_at_modulator(const Past& past) {
      const int32 last = next - 1;
      for (int32 j = 0; j < n_modulator; ++j)
        modulator[j] = last < past.oldest
                           ? 0.0
                           : past.trace(last, j) * left_of(e.rule.modulator->decay[j],
                                                           time + dendritic - past.stamp(last));
    }
    DEVICE void pass(int64 until) {
      if (until <= time) return;
      if constexpr (Formulas::has_between) {
        const double elapsed = double(until - time) * Formulas::step(e);
        change([&] { Formulas::between(e, weight, state, modulator, elapsed); });
      }
      time = until;
    }
    DEVICE void go_on(int64 until) {
      if constexpr (Formulas::modulated) {
        const Past past = modulators();
        for (; next < past.count && past.stamp(next) - dendritic <= until; ++next) {
          pass(past.stamp(next) - dendritic);
          look_at_modulator(past);
          // The last trace, of which nothing is left after a step, is the number of spikes.
          const double spikes = past.trace(next, n_modulator);
          change([&] { Formulas::on_modulator(e, weight, state, modulator, spikes); });
          for (int32 j = 0; j < n_modulator; ++j) modulator[j] = past.trace(next, j);
        }
        pass(until);
        look_at_modulator(past);
      } else if constexpr (Formulas::has_between) {
        pass(until);
      }
    }
  };

  template <class Event>
  DEVICE static void take_up(const Event& e, const Past& past, const Meeting& meeting, int32 end,
                             Course<Event>& course) {
    for (int32 k = past.after(meeting.since, end); k < end; ++k) {
      const int64 stamp = past.stamp(k), steps = stamp - meeting.last;
      course.go_on(stamp);
      double source[n_source + 1], target[n_target + 1];
      for (int32 j = 0; j < n_source; ++j)
        source[j] = meeting.first ? 0.0
                    : steps       ? meeting.left[j] * left_of(e.rule.source->decay[j], steps)
                                  : meeting.earlier[j];
      for (int32 j = 0; j < n_target; ++j)
        target[j] = before(Formulas::nearest_target, j, past.trace(k, j));
      course.change([&] {
        Formulas::on_post(e, course.weight, course.state, source, target, course.modulator);
      });
    }
  }

  template <class Event>
  DEVICE static double present(const Event& e, const Meeting& meeting, double start, int64 until) {
    const Past past(*e.rule.history, e.target);
    const int64 seen = until - meeting.dendritic;
    Course<Event> course(e, meeting, start);
    take_up(e, past, meeting, past.after(seen, past.count), course);
    course.go_on(seen);
    course.keep();
    return course.weight;
  }

  template <class Event>
  DEVICE static double after_spike(const Event& e, const Meeting& meeting, double start) {
    const Past past(*e.rule.history, e.target);
    Course<Event> course(e, meeting, start);
    const int32 end = past.after(meeting.now - meeting.late, past.count);
    take_up(e, past, meeting, end, course);
    course.go_on(meeting.now);
    int32 last = end - 1;
    while (last >= past.oldest && past.stamp(last) == meeting.now) --last;
    double target[n_target + 1];
    for (int32 j = 0; j < n_target; ++j)
      target[j] = last < past.oldest
                      ? 0.0
                      : after(Formulas::nearest_target, j, past.trace(last, j)) *
                            left_of(e.rule.history->decay[j], meeting.now - past.stamp(last));
    course.change([&] {
      Formulas::on_pre(e, course.weight, course.state, meeting.present, target, course.modulator,
                       meeting.interval * Formulas::step(e));
    });
    course.keep();
    return course.weight;
  }

  // A weight that is no finite number, or makes none of what is transmitted, transmits nothing and is noted.
  template <class Event>
  DEVICE static double sent(const Event& e, double weight) {
    double state[n_state + 1];
    for (int32 k = 0; k < n_state; ++k) state[k] = e.state(k);
    const double value = Formulas::transmitted(e, weight, state);
    if (weight - weight == 0 && value - value == 0) return value;
    note_flaw(e.rule.flaw + e.list, e.stamp, e.rule.identity[e.synapse]);
    return 0.0;
  }

  // Has what will be read of a target fetched.
  DEVICE static void expect(const History& history, int32 target) {
    const Past past(history, target);
    const int64 last = past.place(past.count - 1);
    prefetch(past.stamps + last);
    for (int32 j = 0; j < n_target; ++j) prefetch(past.traces + j * past.plane + last);
  }
};
