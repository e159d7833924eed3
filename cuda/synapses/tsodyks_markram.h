// Short-term depression and facilitation (Tsodyks, Uziel and Markram, 2000, doi:10.1523/JNEUROSCI.20-01-j0003.2000).
// Of the synapse's resources a part x is recovered, y active and 1 - x - y inactive; a spike makes
// u x of them active, which is what it transmits:
//
//   du/dt = -u/tau_facil,  dy/dt = -y/tau_psc,  dx/dt = (1 - x - y)/tau_rec
//   spike: u += U (1 - u), then x -= u x, y += u x
//
// Solved exactly between spikes, as in NEST's tsodyks_synapse. tau_facil = 0: no facilitation, u = U;
// tau_psc = 0: what was active is inactive at once.
#pragma once

#include "synapses/synapse.h"

struct TsodyksMarkram {
  static constexpr bool learns = false;
  enum { U, tau_rec, tau_facil, tau_psc };  // columns; times in steps
  enum { u, x, y };                         // states

  // What of y comes back to x in an interval.
  DEVICE static double recovered(double steps, double rec, double psc) {
    const double inactive = expm1_of(-steps / rec);
    if (psc <= 0) return -inactive;
    const double distance = psc - rec;
    if (distance < 1e-6 * rec && distance > -1e-6 * rec)
      return -(inactive + steps / rec * (inactive + 1));
    return (inactive * rec - expm1_of(-steps / psc) * psc) / distance;
  }

  DEVICE static double amplitude(const Event& e, double weight) {
    double sum = 0, steps = e.first() ? 0.0 : e.interval();
    for (int32 m = 0; m < e.multiplicity; ++m) {
      const double rec = e.parameter(tau_rec), psc = e.parameter(tau_psc);
      const double inactive = 1 - e.state(x) - e.state(y);
      e.state(x) += recovered(steps, rec, psc) * e.state(y) - expm1_of(-steps / rec) * inactive;
      e.state(y) *= left_after(steps, psc);
      e.state(u) *= left_after(steps, e.parameter(tau_facil));
      e.state(u) += e.parameter(U) * (1 - e.state(u));
      const double active = e.state(u) * e.state(x);
      e.state(x) -= active;
      e.state(y) += active;
      sum += active * weight;
      steps = 0;
    }
    return sum;
  }
};
