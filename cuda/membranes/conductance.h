// The membrane of leaky neurons with conductances:
//
//   cm dv/dt = g_leak (v_rest - v) + sum_k g_k (e_k - v) + i_offset + current
//
// For given conductances that is dv/dt = pull - rate v, linear in v; it is solved by the classical
// Runge-Kutta method of order 4 with the exact conductances at the three points in time. As in NEST, the
// derivative sees a v above threshold as the threshold. That is accurate as long as conductances change v slowly
// and change slowly themselves, in comparison with a substep; stiff.h does the others.
//
// Conductances and currents are multiplied by h / cm beforehand, so that slopes are changes over h.
#pragma once

#include "membranes/leaky.h"

// What acts on v at one point in time.
template <class real>
struct Pull {
  real pull, rate;

  DEVICE Pull with(real conductance, real e_rev) const {
    return {pull + conductance * e_rev, rate + conductance};
  }
  DEVICE real change(real v) const { return pull - rate * v; }
};

// v after h, for what acts on it at the beginning, middle and end.
template <class real>
DEVICE real runge_kutta(real v, real v_thresh, const Pull<real>& begin, const Pull<real>& middle,
                        const Pull<real>& end) {
  const auto seen = [=](real u) { return u < v_thresh ? u : v_thresh; };
  const real k1 = begin.change(seen(v));
  const real k2 = middle.change(seen(v + k1 / 2));
  const real k3 = middle.change(seen(v + k2 / 2));
  const real k4 = end.change(seen(v + k3));
  return v + (k1 + 2 * (k2 + k3) + k4) * real(1.0 / 6);
}
