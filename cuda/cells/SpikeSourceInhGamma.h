// Inhomogeneous gamma process (Muller et al., 2007, doi:10.1162/neco.2007.19.11.2958): the probability of a
// spike in a step is that of an interval which has lasted for `age` to end in it, by the gamma
// distribution of the present shape a and scale b:
//
//   1 - Q(a, (age + 1)/b) / Q(a, age/b),  Q the regularized upper incomplete gamma function
//
// `events` holds, for each time bin, its first step and the bits of a, b (in steps) and ln Gamma(a); the first
// bin's values hold before it too. Active while start <= step < stop; ages count from start.
#pragma once

#include "core/cell.h"
#include "core/functions.h"
#include "core/philox.h"

template <class real>
struct SpikeSourceInhGamma {
  using scalar = double;  // also in single precision: steps are counted
  static constexpr int32 n_receptor = 0;
  static constexpr bool substepped = false;
  static constexpr int32 kBin = 4;  // numbers for each bin

  struct State {
    double age, bin;
  };

  struct Params {
    double start, stop;
  };

  // The sum in P(a, x) = x^a e^-x / Gamma(a) sum, P = 1 - Q; converges fast for x < a + 1.
  DEVICE static double lower_series(double a, double x) {
    double term = 1 / a, sum = term;
    for (double k = 1; k < 500 && term > 1e-17 * sum; k += 1) {
      term *= x / (a + k);
      sum += term;
    }
    return sum;
  }

  // The continued fraction in Q(a, x) = x^a e^-x / Gamma(a) fraction, by Lentz's method; for x >= a + 1.
  DEVICE static double upper_fraction(double a, double x) {
    constexpr double tiny = 1e-300;
    double b = x + 1 - a, c = 1 / tiny, d = 1 / b, fraction = d;
    for (double k = 1; k < 500; k += 1) {
      const double numerator = -k * (k - a);
      b += 2;
      d = numerator * d + b;
      d = 1 / (d == 0 ? tiny : d);
      c = b + numerator / c;
      c = c == 0 ? tiny : c;
      fraction *= d * c;
      if (d * c - 1 < 1e-15 && d * c - 1 > -1e-15) break;
    }
    return fraction;
  }

  // ln Q(a, x).
  DEVICE static double log_survival(double a, double log_gamma, double x) {
    if (x <= 0) return 0;
    const double front = a * log_of(x) - x - log_gamma;
    if (x < a + 1) {
      const double passed = exp_of(front) * lower_series(a, x);
      return passed < 1e-300 ? -passed : log_of_complement(passed);
    }
    return front + log_of(upper_fraction(a, x));
  }

  DEVICE static int32 step(const Now& now, const Params& p, State& s, const double*, double) {
    if (double(now.step) < p.start || double(now.step) >= p.stop) return 0;
    const int64 n_bin = now.n_event / kBin;
    int64 bin = int64(s.bin);
    while (bin + 1 < n_bin && now.events[(bin + 1) * kBin] <= now.step) ++bin;
    const int64* values = now.events + bin * kBin;
    const double a = with_bits(uint64(values[1])), b = with_bits(uint64(values[2]));
    const double log_gamma = with_bits(uint64(values[3]));
    const double change =
        log_survival(a, log_gamma, (s.age + 1) / b) - log_survival(a, log_gamma, s.age / b);
    const Bits bits = philox(now.seed, Purpose::kNeuron, uint32(now.stream + now.index), now.step);
    const bool fires = uniform(bits) < -expm1_of(change);
    s.age = fires ? 0.0 : s.age + 1;
    s.bin = double(bin);
    return fires;
  }
};
