// Spike sources whose intervals are independent of each other. What is left of an interval is kept in a
// unit of its own, which passes at a given rate: so a change of the rate takes effect at once.
#pragma once

#include "core/cell.h"
#include "core/draws.h"

struct Renewal {
  double remaining;  // of the interval, in its own unit
  double dead;       // steps until it begins to pass
  double drawn;      // random numbers so far
};

// Advances by one step, in which `rate` of the unit passes; returns the number of spikes. `draw(counter)`
// gives the next interval and moves the counter on; `dead` steps pass after each spike beforehand.
template <class Draw>
DEVICE int32 renew(Renewal& s, double rate, double dead, Draw draw) {
  if (s.drawn == 0) s.remaining = draw(s.drawn);
  int32 count = 0;
  double left = 1;
  while (s.dead < left) {
    left -= s.dead;
    s.dead = 0;
    if (rate * left < s.remaining) {
      s.remaining -= rate * left;
      return count;
    }
    left -= s.remaining / rate;
    if (left < 0) left = 0;
    s.remaining = draw(s.drawn);
    s.dead = dead;
    ++count;
  }
  s.dead -= left;
  return count;
}

// Random bits number `drawn` of a source.
DEVICE Bits source_bits(const Now& now, double& drawn) {
  const uint32 index = uint32(now.stream + now.index);
  const Bits bits = philox(now.seed, Purpose::kNeuron, index, int64(drawn));
  drawn += 1;
  return bits;
}

DEVICE double exponential_of(const Bits& bits) { return -log_of(open_uniform(bits, 0)); }

// A number of the gamma distribution of mean and variance `shape` (Marsaglia and Tsang, 2000,
// doi:10.1145/358407.358414).
DEVICE double draw_gamma(const Now& now, double shape, double& drawn) {
  double boost = 1;
  if (shape < 1) {
    boost = power_of(open_uniform(source_bits(now, drawn), 0), 1 / shape);
    shape += 1;
  }
  const double d = shape - 1.0 / 3, c = 1 / sqrt(9 * d);
  for (;;) {
    const Bits bits = source_bits(now, drawn);
    const double x = normal_quantile(open_uniform(bits, 0)), root = 1 + c * x;
    if (root <= 0) continue;
    const double v = root * root * root;
    if (log_of(open_uniform(bits, 1)) < x * x / 2 + d - d * v + d * log_of(v)) return d * v * boost;
  }
}
