// Izhikevich neuron (2003, doi:10.1109/TNN.2003.820440), synapses as voltage steps (mV):
//
//   dv/dt = 0.04 v^2 + 5 v + 140 - u + I
//   du/dt = a (b v - u)
//   v >= 30 mV: spike, v = c, u += d
//
// One forward Euler step, as in NEST's izhikevich with consistent_integration, so results depend on dt.
// I is 1000 times the current in nA, the convention of PyNN's other backends.
#pragma once

#include "core/cell.h"

template <class real>
struct Izhikevich {
  using scalar = real;
  static constexpr int32 n_receptor = 2;
  static constexpr bool substepped = false;

  struct State {
    real v, u;
  };

  struct Params {
    real a, b, c, d, i_offset, h;
  };

  DEVICE static int32 step(const Now&, const Params& p, State& s, const real* input, real current) {
    const real i = 1000 * (p.i_offset + current);
    const real v =
        s.v + p.h * (real(0.04) * s.v * s.v + 5 * s.v + 140 - s.u + i) + (input[0] + input[1]);
    const real u = s.u + p.h * p.a * (p.b * s.v - s.u);
    const bool fires = v >= 30;
    s.v = fires ? p.c : v;
    s.u = fires ? u + p.d : u;
    return fires;
  }
};
