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
    real e_rev_E, e_rev_I, g_leak, per_cm;
    real h;                               // of a substep
    real half_decay_exc, half_decay_inh;  // of gsyn, over half a substep
  };

  DEVICE static int32 step(const Now& now, const Params& p, State& s, const real* input,
                           real current) {
    const Membrane<real> membrane{p.g_leak,   p.v_rest, p.e_rev_E, p.e_rev_I, p.i_offset + current,
                                  p.v_thresh, p.per_cm};
    real v = s.v;
    for (int32 k = 0; k < now.substeps; ++k) {
      const real exc = s.gsyn_exc * p.half_decay_exc, inh = s.gsyn_inh * p.half_decay_inh;
      const real g_exc[] = {s.gsyn_exc, exc, exc * p.half_decay_exc};
      const real g_inh[] = {s.gsyn_inh, inh, inh * p.half_decay_inh};
      v = membrane.advance(v, p.h, g_exc, g_inh);
      s.gsyn_exc = g_exc[2];
      s.gsyn_inh = g_inh[2];
    }
    const bool fires = fire(p, s, v);
    s.gsyn_exc += input[0];
    s.gsyn_inh += input[1];
    return fires;
  }
};
