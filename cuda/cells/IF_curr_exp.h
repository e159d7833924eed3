// Leaky integrate-and-fire neuron with exponential post-synaptic currents, solved exactly over a step
// (Rotter and Diesmann, 1999, doi:10.1007/s004220050570):
//
//   cm dv/dt = -cm/tau_m (v - v_rest) + isyn_exc + isyn_inh + i_offset + current
//   disyn/dt = -isyn/tau_syn,  isyn += weight when a spike arrives
//
// Order of events as in NEST's iaf_psc_exp: input that arrives at the end of a step acts from the next.
#pragma once

#include "membranes/leaky.h"

template <class real>
struct IF_curr_exp {
  using scalar = real;
  static constexpr int32 n_receptor = 2;
  static constexpr bool substepped = false;

  struct State {
    real v, isyn_exc, isyn_inh, refractory;
  };

  struct Params {
    real v_rest, v_thresh, v_reset, i_offset, n_refractory;
    real leak, gain;            // of v and of a constant current, over a step
    real decay_exc, decay_inh;  // of isyn, over a step
    real gain_exc, gain_inh;    // of v by isyn, over a step
  };

  DEVICE static int32 step(const Setting&, const Params& p, State& s, const real* input,
                           real current) {
    const real v = p.v_rest + ((s.v - p.v_rest) * p.leak + s.isyn_exc * p.gain_exc +
                               s.isyn_inh * p.gain_inh + (p.i_offset + current) * p.gain);
    const bool fires = fire(p, s, v);
    s.isyn_exc = s.isyn_exc * p.decay_exc + input[0];
    s.isyn_inh = s.isyn_inh * p.decay_inh + input[1];
    return fires;
  }

  template <class Floor>
  DEVICE static void fade(State& s, Floor floor) {
    floor(s.v), floor(s.isyn_exc, 0), floor(s.isyn_inh, 1);
  }
};
