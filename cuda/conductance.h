// The membrane that IF_cond_exp and IF_cond_alpha share:
//
//   cm dv/dt = -g_leak (v - v_rest) - g_exc (v - e_rev_E) - g_inh (v - e_rev_I) + i_offset + current
//
// For given conductances the equation is linear in v; it is solved by the classical Runge-Kutta method of
// order 4 with the exact conductances at the three points in time. As in NEST, the derivative sees a v
// above threshold as the threshold.
#pragma once

#include "leaky.h"

template <class real>
struct Membrane {
  real g_leak, v_rest, e_rev_exc, e_rev_inh, drive, v_thresh, per_cm;

  DEVICE real slope(real v, real g_exc, real g_inh) const {
    const real u = v < v_thresh ? v : v_thresh;
    return (g_leak * (v_rest - u) + g_exc * (e_rev_exc - u) + g_inh * (e_rev_inh - u) + drive) *
           per_cm;
  }

  // v after h, for the conductances at the beginning, middle and end.
  DEVICE real advance(real v, real h, const real* g_exc, const real* g_inh) const {
    const real k1 = slope(v, g_exc[0], g_inh[0]);
    const real k2 = slope(v + h / 2 * k1, g_exc[1], g_inh[1]);
    const real k3 = slope(v + h / 2 * k2, g_exc[1], g_inh[1]);
    const real k4 = slope(v + h * k3, g_exc[2], g_inh[2]);
    return v + h / 6 * (k1 + 2 * (k2 + k3) + k4);
  }
};
