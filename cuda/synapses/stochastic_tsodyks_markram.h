// The stochastic form of short-term plasticity (Fuhrmann et al., 2002, doi:10.1152/jn.00258.2001): one site that
// releases with probability u if it is recovered, and recovers at the rate 1/tau_rec. u as in
// tsodyks_markram.h. As in PyNN's extension of NEST.
#pragma once

#include "synapses/synapse.h"

struct StochasticTsodyksMarkram {
  static constexpr bool learns = false;
  enum { U, tau_rec, tau_facil };  // columns; times in steps
  enum { u, depleted };            // states

  DEVICE static double amplitude(const Event& e, double weight) {
    double sum = 0, steps = e.first() ? 0.0 : e.interval();
    for (int32 m = 0; m < e.multiplicity; ++m) {
      e.state(u) *= left_after(steps, e.parameter(tau_facil));
      e.state(u) += e.parameter(U) * (1 - e.state(u));
      const bool recovers = e.random(2 * m) > left_after(steps, e.parameter(tau_rec));
      if (e.state(depleted) == 0 || recovers) {
        const bool releases = e.random(2 * m + 1) < e.state(u);
        e.state(depleted) = releases;
        if (releases) sum += weight;
      }
      steps = 0;
    }
    return sum;
  }
};
