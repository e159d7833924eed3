// Leaky integrate-and-fire neurons with any receptors.
#pragma once

#include "membranes/receptors.h"

// All receptors are currents that decay exponentially: solved exactly (Rotter and Diesmann, 1999,
// doi:10.1007/s004220050570), in the order of events of NEST's iaf_psc_exp_multisynapse.
template <int32 n>
struct LeakyCurrents {
  using scalar = double;
  static constexpr int32 n_receptor = n;
  static constexpr bool substepped = false;

  struct State {
    double v, refractory;
    double isyn[n];
  };

  struct Params {
    double v_rest, v_thresh, v_reset, i_offset, n_refractory;
    double leak, gain;  // of v and of a constant current, over a step
    double decay[n];    // of isyn, over a step
    double gain_of[n];  // of v by isyn, over a step
  };

  DEVICE static int32 step(const Now&, const Params& p, State& s, const double* input,
                           double current) {
    double v = p.v_rest + (s.v - p.v_rest) * p.leak + (p.i_offset + current) * p.gain;
    for (int32 k = 0; k < n; ++k) {
      v += s.isyn[k] * p.gain_of[k];
      s.isyn[k] = s.isyn[k] * p.decay[k] + input[k];
    }
    return fire(p, s, v);
  }
};

// Any receptors: their states exactly, v as in conductance.h and stiff.h.
template <class... Receptor>
struct LeakyComposed {
  using scalar = double;
  using Synaptic = Receptors<Receptor...>;
  static constexpr int32 n_receptor = Synaptic::count;
  static constexpr bool substepped = true;

  struct State {
    double v, refractory;
    double synaptic[Synaptic::n_state];
  };

  struct Params {
    double v_rest, v_thresh, v_reset, i_offset, n_refractory;
    double g_leak, h_per_cm;  // of a substep
    double per_cm, room;      // see `stiff`
    double synaptic[Synaptic::n_param];
  };

  DEVICE static bool stiff(const Params& p, const State& s) {
    return s.refractory == 0 && !(Synaptic::load(p.synaptic, s.synaptic) * p.per_cm <= p.room);
  }

  DEVICE static double integrate(const Now& now, const Params& p, State& s,
                                 const Pull<double>& leak) {
    const auto pull = [&] { return Synaptic::act(p.synaptic, s.synaptic, leak, p.h_per_cm); };
    const auto later = [&] {
      Synaptic::propagate(p.synaptic, s.synaptic);
      return pull();
    };
    double v = s.v;
    Pull<double> begin = pull();
    for (int32 k = 0; k < now.substeps; ++k) {
      const Pull<double> middle = later();
      const Pull<double> end = later();
      v = runge_kutta(v, p.v_thresh, begin, middle, end);
      begin = end;
    }
    return v;
  }

  DEVICE static double integrate_any(const Now& now, const Params& p, State& s,
                                     const Pull<double>& leak) {
    const double v = integrate_stiff(s.v, p.v_thresh, now.substeps, [&](double t) {
      Course course{leak.pull, leak.rate, 0};
      Synaptic::follow(p.synaptic, s.synaptic, p.h_per_cm, t, course);
      return course;
    });
    for (int32 k = 0; k < 2 * now.substeps; ++k) Synaptic::propagate(p.synaptic, s.synaptic);
    return v;
  }

  template <bool careful>
  DEVICE static int32 step(const Now& now, const Params& p, State& s, const double* input,
                           double current) {
    const bool needs_care = !careful && stiff(p, s);
    const double drive = p.g_leak * p.v_rest + p.i_offset + current;
    const Pull<double> leak{drive * p.h_per_cm, p.g_leak * p.h_per_cm};
    double v;
    if constexpr (careful)
      v = double(integrate_any(now, p, s, leak));
    else
      v = integrate(now, p, s, leak);
    Synaptic::arrive(p.synaptic, s.synaptic, input);
    const bool fires = fire(p, s, v);
    return spikes_unless(needs_care, fires);
  }
};
