// Synapses that transmit each spike with a fixed probability.
#pragma once

#include "synapses/synapse.h"

struct SimpleStochastic {
  static constexpr bool learns = false;
  enum { p };  // column

  DEVICE static double amplitude(const Event& e, double weight) {
    double sum = 0;
    for (int32 m = 0; m < e.multiplicity; ++m)
      if (e.random(m) < e.parameter(p)) sum += weight;
    return sum;
  }
};
