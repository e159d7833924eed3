// Leaky integrate-and-fire neuron with exponentially decaying conductances (see conductance.h):
//
//   dgsyn/dt = -gsyn/tau_syn,  gsyn += weight when a spike arrives
//
// Order of events as in NEST's iaf_cond_exp.
#pragma once

#include "conductance.h"

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
  };

  DEVICE static int32 step(const Now& now, const Params& p, State& s, const real* input,
                           real current) {
    const real drive = p.g_leak * p.v_rest + p.i_offset + current;
    const Pull<real> leak{drive * p.h_per_cm, p.g_leak * p.h_per_cm};
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
    const bool fires = fire(p, s, v);
    s.gsyn_exc = s.gsyn_exc * p.decay_exc + input[0];
    s.gsyn_inh = s.gsyn_inh * p.decay_inh + input[1];
    return fires;
  }
};
