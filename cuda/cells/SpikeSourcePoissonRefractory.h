// Poisson process with dead time: intervals are tau_refrac and an exponentially distributed time, which has
// the mean that makes the mean interval 1 / rate. The first interval has no dead time. Active while
// start <= step < stop.
#pragma once

#include "sources/renewal.h"

template <class real>
struct SpikeSourcePoissonRefractory {
  using scalar = double;  // also in single precision: numbers are counted
  static constexpr int32 n_receptor = 0;
  static constexpr bool substepped = false;

  struct State {
    double remaining, dead, drawn;
  };

  struct Params {
    double start, stop;
    double hazard;  // spikes per step, after the dead time
    double dead;    // dead time in steps
  };

  DEVICE static int32 step(const Now& now, const Params& p, State& s, const double*, double) {
    if (double(now.step) < p.start || double(now.step) >= p.stop) return 0;
    Renewal renewal{s.remaining, s.dead, s.drawn};
    const int32 count = renew(renewal, p.hazard, p.dead, [&](double& drawn) {
      return exponential_of(source_bits(now, drawn));
    });
    s = State{renewal.remaining, renewal.dead, renewal.drawn};
    return count;
  }
};
