// Leaky integrate-and-fire neuron with alpha-shaped conductances (see conductance.h):
//
//   dgsyn/dt = rise - gsyn/tau_syn
//   drise/dt = -rise/tau_syn,  rise += e/tau_syn weight when a spike arrives, so that gsyn peaks at weight
//
// Order of events as in NEST's iaf_cond_alpha.
#pragma once

#include "membranes/stiff.h"

template <class real>
struct IF_cond_alpha {
  using scalar = real;
  static constexpr int32 n_receptor = 2;
  static constexpr bool substepped = true;

  struct State {
    real v, gsyn_exc, gsyn_inh, rise_exc, rise_inh, refractory;
  };

  struct Params {
    real v_rest, v_thresh, v_reset, i_offset, n_refractory;
    real e_rev_E, e_rev_I, g_leak;
    real h_per_cm;                        // of a substep
    real half_decay_exc, half_decay_inh;  // of gsyn and of rise, over half a substep
    real decay_exc, decay_inh;            // over a step
    real rate_exc, rate_inh;              // of decay, per substep
    real load_exc, load_inh, room;        // see `stiff`
    real half_step;                       // half a substep, in ms
    real step_exc, step_inh;              // of gsyn by rise, over a step
    real scale_exc, scale_inh;            // of rise by weight: e / tau_syn
    real reach_exc, reach_inh;            // of gsyn by rise, at most, within a step
  };

  // A conductance, times h / cm, and its rise per half a substep.
  struct Alpha {
    real g, rise;

    DEVICE real advance(real half_decay) {
      g = (g + rise) * half_decay;
      rise *= half_decay;
      return g;
    }
  };

  DEVICE static bool stiff(const Params& p, const State& s) {
    const real exc = absolute(s.gsyn_exc) + absolute(s.rise_exc) * p.reach_exc;
    const real inh = absolute(s.gsyn_inh) + absolute(s.rise_inh) * p.reach_inh;
    return s.refractory == 0 && !(exc * p.load_exc + inh * p.load_inh <= p.room);
  }

  DEVICE static real integrate(const Now& now, const Params& p, const State& s,
                               const Pull<real>& leak) {
    const auto pull = [&](real exc, real inh) {
      return leak.with(exc, p.e_rev_E).with(inh, p.e_rev_I);
    };
    const real scale = p.half_step * p.h_per_cm;
    Alpha exc{s.gsyn_exc * p.h_per_cm, s.rise_exc * scale};
    Alpha inh{s.gsyn_inh * p.h_per_cm, s.rise_inh * scale};
    real v = s.v;
    Pull<real> begin = pull(exc.g, inh.g);
    for (int32 k = 0; k < now.substeps; ++k) {
      const Pull<real> middle = pull(exc.advance(p.half_decay_exc), inh.advance(p.half_decay_inh));
      const Pull<real> end = pull(exc.advance(p.half_decay_exc), inh.advance(p.half_decay_inh));
      v = runge_kutta(v, p.v_thresh, begin, middle, end);
      begin = end;
    }
    return v;
  }

  DEVICE static double integrate_any(const Now& now, const Params& p, const State& s,
                                     const Pull<real>& leak) {
    const double scale = 2 * p.half_step * p.h_per_cm;
    const double exc = s.gsyn_exc * p.h_per_cm, inh = s.gsyn_inh * p.h_per_cm;
    const double rise_exc = s.rise_exc * scale, rise_inh = s.rise_inh * scale;
    return integrate_stiff(s.v, p.v_thresh, now.substeps, [=](double t) {
      Course course{leak.pull, leak.rate, 0};
      course.add_rising(exc, rise_exc, p.e_rev_E, p.rate_exc, p.rate_exc, t);
      course.add_rising(inh, rise_inh, p.e_rev_I, p.rate_inh, p.rate_inh, t);
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
    s.gsyn_exc = s.gsyn_exc * p.decay_exc + s.rise_exc * p.step_exc;
    s.gsyn_inh = s.gsyn_inh * p.decay_inh + s.rise_inh * p.step_inh;
    s.rise_exc = s.rise_exc * p.decay_exc + input[0] * p.scale_exc;
    s.rise_inh = s.rise_inh * p.decay_inh + input[1] * p.scale_inh;
    return spikes_unless(needs_care, fires);
  }
};
