// Leaky integrate-and-fire neuron with exponentially decaying conductances (see conductance.h):
//
//   dgsyn/dt = -gsyn/tau_syn,  gsyn += weight when a spike arrives
//
// Order of events as in NEST's iaf_cond_exp.
#pragma once

#include "membranes/stiff.h"

template <class real>
struct IF_cond_exp {
  using scalar = real;
  static constexpr int32 n_receptor = 2;
  static constexpr bool substepped = true;

  struct State {
    real v, gsyn_exc, gsyn_inh, refractory;
  };

  struct Params {
    real v_rest, v_thresh, v_reset, i_offset, n_refractory;
    real e_rev_E, e_rev_I, g_leak;
    real h_per_cm;                        // of a substep
    real half_decay_exc, half_decay_inh;  // of gsyn, over half a substep
    real decay_exc, decay_inh;            // over a step
    real rate_exc, rate_inh;              // of decay, per substep
    real load_exc, load_inh, room;        // see `stiff`
  };

  DEVICE static bool stiff(const Params& p, const State& s) {
    const real load = absolute(s.gsyn_exc) * p.load_exc + absolute(s.gsyn_inh) * p.load_inh;
    return s.refractory == 0 && !(load <= p.room);
  }

  DEVICE static real integrate(const Now& now, const Params& p, const State& s,
                               const Pull<real>& leak) {
    const auto pull = [&](real exc, real inh) {
      return leak.with(exc, p.e_rev_E).with(inh, p.e_rev_I);
    };
    real v = s.v, exc = s.gsyn_exc * p.h_per_cm, inh = s.gsyn_inh * p.h_per_cm;
    Pull<real> begin = pull(exc, inh);
    for (int32 k = 0; k < now.substeps; ++k) {
      const Pull<real> middle = pull(exc *= p.half_decay_exc, inh *= p.half_decay_inh);
      const Pull<real> end = pull(exc *= p.half_decay_exc, inh *= p.half_decay_inh);
      v = runge_kutta(v, p.v_thresh, begin, middle, end);
      begin = end;
    }
    return v;
  }

  DEVICE static double integrate_any(const Now& now, const Params& p, const State& s,
                                     const Pull<real>& leak) {
    const double exc = s.gsyn_exc * p.h_per_cm, inh = s.gsyn_inh * p.h_per_cm;
    return integrate_stiff(s.v, p.v_thresh, now.substeps, [=](double t) {
      Course course{leak.pull, leak.rate, 0};
      course.add_exponential(exc, p.e_rev_E, p.rate_exc, t);
      course.add_exponential(inh, p.e_rev_I, p.rate_inh, t);
      return course;
    });
  }

  template <bool careful>
  DEVICE static int32 step(const Now& now, const Params& p, State& s, const real* input,
                           real current) {
    const bool needs_care = !careful && stiff(p, s);
    const real drive = p.g_leak * p.v_rest + p.i_offset + current;
    const Pull<real> leak{drive * p.h_per_cm, p.g_leak * p.h_per_cm};
    real v;
    if constexpr (careful)
      v = real(integrate_any(now, p, s, leak));
    else
      v = integrate(now, p, s, leak);
    const bool fires = fire(p, s, v);
    s.gsyn_exc = s.gsyn_exc * p.decay_exc + input[0];
    s.gsyn_inh = s.gsyn_inh * p.decay_inh + input[1];
    return spikes_unless(needs_care, fires);
  }
};
