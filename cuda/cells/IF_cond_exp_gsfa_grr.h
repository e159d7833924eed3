// IF_cond_exp with two conductances that each spike of the neuron itself adds to: one for spike-frequency
// adaptation, one for a relative refractory period (Muller et al., 2007, doi:10.1162/neco.2007.19.11.2958):
//
//   dg_s/dt = -g_s/tau_sfa,  g_s += q_sfa per spike;  dg_r/dt = -g_r/tau_rr,  g_r += q_rr per spike
//
// Order of events as in NEST's iaf_cond_exp_sfa_rr.
#pragma once

#include "membranes/stiff.h"

template <class real>
struct IF_cond_exp_gsfa_grr {
  using scalar = real;
  static constexpr int32 n_receptor = 2;
  static constexpr bool substepped = true;

  struct State {
    real v, gsyn_exc, gsyn_inh, g_s, g_r, refractory;  // g_s and g_r in nS
  };

  struct Params {
    real v_rest, v_thresh, v_reset, i_offset, n_refractory;
    real e_rev_E, e_rev_I, g_leak;
    real h_per_cm;                        // of a substep
    real half_decay_exc, half_decay_inh;  // of gsyn, over half a substep
    real decay_exc, decay_inh;            // over a step
    real rate_exc, rate_inh;              // of decay, per substep
    real load_exc, load_inh, room;        // see `stiff`
    real e_rev_sfa, e_rev_rr;
    real half_decay_sfa, half_decay_rr;
    real decay_sfa, decay_rr;
    real rate_sfa, rate_rr, load_sfa, load_rr;  // load: of 1 nS
    real q_sfa, q_rr;                           // nS
  };

  DEVICE static bool stiff(const Params& p, const State& s) {
    const real load = absolute(s.gsyn_exc) * p.load_exc + absolute(s.gsyn_inh) * p.load_inh +
                      absolute(s.g_s) * p.load_sfa + absolute(s.g_r) * p.load_rr;
    return s.refractory == 0 && !(load <= p.room);
  }

  DEVICE static real integrate(const Now& now, const Params& p, const State& s,
                               const Pull<real>& leak) {
    real v = s.v, exc = s.gsyn_exc * p.h_per_cm, inh = s.gsyn_inh * p.h_per_cm;
    real sfa = s.g_s * p.h_per_cm / 1000, rr = s.g_r * p.h_per_cm / 1000;
    const auto pull = [&] {
      return leak.with(exc, p.e_rev_E)
          .with(inh, p.e_rev_I)
          .with(sfa, p.e_rev_sfa)
          .with(rr, p.e_rev_rr);
    };
    const auto later = [&] {
      exc *= p.half_decay_exc, inh *= p.half_decay_inh;
      sfa *= p.half_decay_sfa, rr *= p.half_decay_rr;
      return pull();
    };
    Pull<real> begin = pull();
    for (int32 k = 0; k < now.substeps; ++k) {
      const Pull<real> middle = later();
      const Pull<real> end = later();
      v = runge_kutta(v, p.v_thresh, begin, middle, end);
      begin = end;
    }
    return v;
  }

  DEVICE static double integrate_any(const Now& now, const Params& p, const State& s,
                                     const Pull<real>& leak) {
    const double exc = s.gsyn_exc * p.h_per_cm, inh = s.gsyn_inh * p.h_per_cm;
    const double sfa = s.g_s * p.h_per_cm / 1000, rr = s.g_r * p.h_per_cm / 1000;
    return integrate_stiff(s.v, p.v_thresh, now.substeps, [=](double t) {
      Course course{leak.pull, leak.rate, 0};
      course.add_exponential(exc, p.e_rev_E, p.rate_exc, t);
      course.add_exponential(inh, p.e_rev_I, p.rate_inh, t);
      course.add_exponential(sfa, p.e_rev_sfa, p.rate_sfa, t);
      course.add_exponential(rr, p.e_rev_rr, p.rate_rr, t);
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
    s.g_s = s.g_s * p.decay_sfa + (fires ? p.q_sfa : real(0));
    s.g_r = s.g_r * p.decay_rr + (fires ? p.q_rr : real(0));
    return spikes_unless(needs_care, fires);
  }
};
