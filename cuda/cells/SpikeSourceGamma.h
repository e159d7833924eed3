// Gamma process: intervals have a gamma distribution of shape alpha and rate beta. It begins with a whole
// interval. Active while start <= step < stop.
#pragma once

#include "sources/renewal.h"

template <class real>
struct SpikeSourceGamma {
  using scalar = double;  // also in single precision: numbers are counted
  static constexpr int32 n_receptor = 0;
  static constexpr bool substepped = false;

  struct State {
    double remaining, dead, drawn;
  };

  struct Params {
    double start, stop;
    double alpha;
    double beta;  // per step
  };

  DEVICE static int32 step(const Now& now, const Params& p, State& s, const double*, double) {
    if (double(now.step) < p.start || double(now.step) >= p.stop) return 0;
    Renewal renewal{s.remaining, s.dead, s.drawn};
    const int32 count =
        renew(renewal, p.beta, 0, [&](double& drawn) { return draw_gamma(now, p.alpha, drawn); });
    s = State{renewal.remaining, renewal.dead, renewal.drawn};
    return count;
  }
};
