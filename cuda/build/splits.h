// How many of the things that are drawn from a whole come from its first part: one number of a distribution as a
// function of one uniform number, by inversion from the most likely value on.
#pragma once

#include "build/tiles.h"

// `count` things are drawn of `total`, of which `part` are in the first part.
struct Split {
  int64 total, part, count;
};

// ln n! for 0 <= n <= 2^32, by Stirling's series where that is accurate; relative error about 1e-14.
DEVICE double log_factorial(double n) {
  constexpr int32 kSmall = 12;
  constexpr double small[kSmall] = {1,   1,    2,     6,      24,      120,
                                    720, 5040, 40320, 362880, 3628800, 39916800};
  const bool series = n >= kSmall;
  const double x = series ? n : kSmall, r = 1 / x, log = log_of(series ? n : small[int32(n)]);
  const double rest =
      r * polynomial(r * r, 1.0 / 12, -1.0 / 360, 1.0 / 1260, -1.0 / 1680, 1.0 / 1188);
  return series ? (n + 0.5) * log - n + 0.91893853320467274178 + rest : log;  // ln(2 pi) / 2
}

// Sum of ln n! of the first `n_plus` numbers, less that of the others.
template <int32 kNumbers>
DEVICE double log_of_factorials(const double (&number)[kNumbers], int32 n_plus) {
  double log[kNumbers], sum = 0;
  for (int32 k = 0; k < kNumbers; ++k) log[k] = log_factorial(number[k]);
  for (int32 k = 0; k < kNumbers; ++k) sum += k < n_plus ? log[k] : -log[k];
  return sum;
}

// The value of a distribution on least..most where its sum reaches u. The mode has the probability `at_mode`; the ratio
// of neighbours is up(x) = P(x + 1) / P(x) and down(x) = P(x - 1) / P(x). Values are added in turn on both
// sides, so that the expected number of steps is of the order of the standard deviation.
template <class Up, class Down>
DEVICE int64 invert(double u, int64 least, int64 mode, int64 most, double at_mode, Up up,
                    Down down) {
  constexpr double kNothing = 0x1p-80;  // beyond, sums do not change
  int64 above = mode, below = mode;
  double p_above = at_mode, p_below = at_mode, rest = u - at_mode;
  while (rest > 0) {
    p_above = above < most ? p_above * up(double(above)) : 0;
    p_below = below > least ? p_below * down(double(below)) : 0;
    if (p_above < kNothing && p_below < kNothing) return mode;  // what rounding has left of u
    rest -= p_above;
    above += above < most;
    if (rest <= 0) return above;
    rest -= p_below;
    below -= below > least;
    if (rest <= 0) return below;
  }
  return mode;
}

// Without replacement.
DEVICE int64 hypergeometric(const Split& split, double u) {
  const int64 others = split.total - split.part, spare = others - split.count;
  const int64 least = spare < 0 ? -spare : 0, most = lesser(split.part, split.count);
  const double total = double(split.total), part = double(split.part), k = double(split.count);
  const double rest = double(spare);
  int64 mode = int64((k + 1) * (part + 1) / (total + 2));
  mode = mode < least ? least : mode > most ? most : mode;
  const double m = double(mode);
  const double log_p =
      log_of_factorials({part, total - part, k, total - k, total, m, part - m, k - m, rest + m}, 4);
  return invert(
      u, least, mode, most, exp_of(log_p),
      [&](double x) { return (part - x) * (k - x) / ((x + 1) * (rest + x + 1)); },
      [&](double x) { return x * (rest + x) / ((part - x + 1) * (k - x + 1)); });
}

// With replacement.
DEVICE int64 binomial(const Split& split, double u) {
  const double total = double(split.total), part = double(split.part), k = double(split.count);
  const double odds = part / (total - part);
  int64 mode = int64((k + 1) * part / total);
  mode = mode > split.count ? split.count : mode;
  const double m = double(mode);
  const double log_p = log_of_factorials({k, m, k - m}, 1) + m * log_of(part / total) +
                       (k - m) * log_of((total - part) / total);
  return invert(
      u, 0, mode, split.count, exp_of(log_p), [&](double x) { return (k - x) / (x + 1) * odds; },
      [&](double x) { return x / ((k - x + 1) * odds); });
}
