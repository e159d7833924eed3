// n release sites with short-term plasticity (Loebel et al., 2009, doi:10.3389/neuro.10.027.2009): each site that is
// recovered releases with probability u, which transmits the weight; the others recover at the rate
// 1/tau_rec. As NEST's quantal_stp_synapse:
//
//   u' = U + u (1 - U) exp(-interval / tau_facil)
//
// At the first spike u and a, the number of recovered sites, are U and n, unless they were set.
#pragma once

#include "synapses/synapse.h"

struct MultiQuantal {
  static constexpr bool learns = false;
  enum { U, n, tau_rec, tau_facil };  // columns; times in steps
  enum { u, a };                      // states; below 0: not set

  DEVICE static double amplitude(const Event& e, double weight) {
    const double use = e.parameter(U);
    const int32 sites = int32(e.parameter(n));
    double steps = e.first() ? 0.0 : e.interval();
    int32 draw = 0, released = 0;
    if (e.state(u) < 0) e.state(u) = use;
    if (e.state(a) < 0) e.state(a) = sites;
    for (int32 m = 0; m < e.multiplicity; ++m) {
      if (!e.first() || m > 0) {
        const double left = left_after(steps, e.parameter(tau_facil));
        e.state(u) = use + e.state(u) * (1 - use) * left;
      }
      const double recovers = 1 - left_after(steps, e.parameter(tau_rec));
      int32 full = int32(e.state(a));
      for (int32 empty = sites - full; empty > 0; --empty) full += e.random(draw++) < recovers;
      int32 releases = 0;
      for (int32 k = full; k > 0; --k) releases += e.random(draw++) < e.state(u);
      e.state(a) = full - releases;
      released += releases;
      steps = 0;
    }
    return released * weight;
  }
};
