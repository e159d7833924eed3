// What all leaky integrate-and-fire models share: threshold, reset and refractory period.
#pragma once

#include "core/cell.h"

// Takes over `v`, the potential at the end of a step in which the neuron may integrate, and returns
// whether it fires. While refractory, the neuron keeps its potential and counts down.
template <class Params, class State, class real>
DEVICE bool fire(const Params& p, State& s, real v) {
  const bool active = s.refractory == 0;
  const bool fires = active && v >= p.v_thresh;
  s.v = fires ? p.v_reset : active ? v : s.v;
  s.refractory = fires ? p.n_refractory : active ? real(0) : s.refractory - 1;
  return fires;
}
