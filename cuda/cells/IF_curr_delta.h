// Leaky integrate-and-fire neuron whose potential jumps by the weight (mV) when a spike arrives:
//
//   cm dv/dt = -cm/tau_m (v - v_rest) + i_offset + current
//
// solved exactly over a step. As in NEST's iaf_psc_delta, spikes that arrive while the neuron is
// refractory have no effect.
#pragma once

#include "membranes/leaky.h"

template <class real>
struct IF_curr_delta {
  using scalar = real;
  static constexpr int32 n_receptor = 2;
  static constexpr bool substepped = false;

  struct State {
    real v, refractory;
  };

  struct Params {
    real v_rest, v_thresh, v_reset, i_offset, n_refractory;
    real leak, gain;  // of v and of a constant current, over a step
  };

  DEVICE static int32 step(const Setting&, const Params& p, State& s, const real* input,
                           real current) {
    const real v = p.v_rest + ((s.v - p.v_rest) * p.leak + (p.i_offset + current) * p.gain +
                               (input[0] + input[1]));
    const bool fires = fire(p, s, v);
    return fires;
  }

  template <class Floor>
  DEVICE static void fade(State& s, Floor floor) {
    floor(s.v);
  }
};
