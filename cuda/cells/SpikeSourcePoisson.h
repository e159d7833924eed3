// Poisson process: the number of spikes in a step has a Poisson distribution of mean rate * dt, see
// poisson.h. Active while start <= step < stop.
#pragma once

#include "core/cell.h"
#include "sources/poisson.h"

template <class real>
struct SpikeSourcePoisson {
  using scalar = double;  // also in single precision: steps are counted
  static constexpr int32 n_receptor = 0;
  static constexpr bool substepped = false;

  struct State {
    double unused;
  };

  struct Params {
    double start, stop;
    double mean;  // spikes per step
    double none;  // probability of no spike, exp(-mean)
    double most;  // no more spikes than this in a step; reached with a probability below 1e-15
  };

  DEVICE static int32 step(const Now& now, const Params& p, State&, const double*, double) {
    const bool active = double(now.step) >= p.start && double(now.step) < p.stop;
    return active && now.bits * 0x1p-32 >= p.none;
  }

  DEVICE static int32 count(uint32 bits, const Params& p) {
    return poisson_count(bits, p.mean, p.none, p.most);
  }
};
