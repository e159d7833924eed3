// Leaky integrate-and-fire neuron with alpha-shaped conductances (see conductance.h):
//
//   dgsyn/dt = rise - gsyn/tau_syn
//   drise/dt = -rise/tau_syn,  rise += e/tau_syn weight when a spike arrives, so that gsyn peaks at weight
//
// Order of events as in NEST's iaf_cond_alpha.
#pragma once

#include "conductance.h"

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
    real e_rev_E, e_rev_I, g_leak, per_cm;
    real h;                               // of a substep
    real half_decay_exc, half_decay_inh;  // of gsyn and of rise, over half a substep
    real scale_exc, scale_inh;            // of rise by weight: e / tau_syn
  };

  // The conductance at the beginning, middle and end of a substep; `rise` moves to its end.
  DEVICE static void advance_alpha(real (&g)[3], real& rise, real h, real half_decay) {
    g[1] = (g[0] + rise * (h / 2)) * half_decay;
    rise *= half_decay;
    g[2] = (g[1] + rise * (h / 2)) * half_decay;
    rise *= half_decay;
  }

  DEVICE static int32 step(const Now& now, const Params& p, State& s, const real* input,
                           real current) {
    const Membrane<real> membrane{p.g_leak,   p.v_rest, p.e_rev_E, p.e_rev_I, p.i_offset + current,
                                  p.v_thresh, p.per_cm};
    real v = s.v;
    for (int32 k = 0; k < now.substeps; ++k) {
      real g_exc[3] = {s.gsyn_exc, 0, 0}, g_inh[3] = {s.gsyn_inh, 0, 0};
      advance_alpha(g_exc, s.rise_exc, p.h, p.half_decay_exc);
      advance_alpha(g_inh, s.rise_inh, p.h, p.half_decay_inh);
      v = membrane.advance(v, p.h, g_exc, g_inh);
      s.gsyn_exc = g_exc[2];
      s.gsyn_inh = g_inh[2];
    }
    const bool fires = fire(p, s, v);
    s.rise_exc += input[0] * p.scale_exc;
    s.rise_inh += input[1] * p.scale_inh;
    return fires;
  }
};
