// n release sites with short-term plasticity (Loebel et al., 2009, doi:10.3389/neuro.10.027.2009): each site that is
// recovered releases with probability u, which transmits the weight; the others recover at the rate
// 1/tau_rec. As NEST's quantal_stp_synapse:
//
//   u' = U + u (1 - U) exp(-interval / tau_facil), U at the first spike
#pragma once

#include "synapse.h"

struct MultiQuantal {
  static constexpr bool learns = false;
  enum { U, n, tau_rec, tau_facil };  // columns; times in steps
  enum { u, depleted };               // states

  DEVICE static double amplitude(const Event& e, double weight) {
    const double use = e.parameter(U);
    const int32 sites = int32(e.parameter(n));
    double steps = e.first() ? 0.0 : e.interval();
    int32 draw = 0, released = 0;
    for (int32 m = 0; m < e.multiplicity; ++m) {
      const bool begins = e.first() && m == 0;
      const double facilitated = e.state(u) * (1 - use) * left_after(steps, e.parameter(tau_facil));
      e.state(u) = begins ? use : use + facilitated;
      int32 empty = int32(e.state(depleted));
      const double still = left_after(steps, e.parameter(tau_rec));
      const int32 depleted_before = empty;
      for (int32 k = 0; k < depleted_before; ++k) empty -= e.random(draw++) < 1 - still;
      const int32 full = sites - empty;
      for (int32 k = 0; k < full; ++k) {
        const bool releases = e.random(draw++) < e.state(u);
        empty += releases;
        released += releases;
      }
      e.state(depleted) = empty;
      steps = 0;
    }
    return released * weight;
  }
};
