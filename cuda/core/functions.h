// Elementary functions for kernels.
//
// Only + - * /, sqrt, floor and operations on bits are used, all of them exact or rounded as IEEE 754
// says, so that every machine computes the same numbers; the libraries' log and exp differ in last digits.
#pragma once

#include "core/portable.h"

DEVICE uint64 bits_of(double x) {
  uint64 bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

DEVICE double with_bits(uint64 bits) {
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

// As double(x) rounds, by halves of x beside powers of two: AVX2 has no such conversion, without which no loop over
// neurons would vectorise.
DEVICE double double_of(int64 x) {
  if constexpr (kConverts) return double(x);
  constexpr uint64 ends_at_2_to_52 = 0x4330000000000000, ends_at_2_to_84 = 0x4530000000000000;
  const uint64 shifted = uint64(x) ^ (uint64(1) << 63);
  const double high = with_bits((shifted >> 32) | ends_at_2_to_84);
  const double low = with_bits((shifted & 0xFFFFFFFF) | ends_at_2_to_52);
  return (high - (0x1p84 + 0x1p63 + 0x1p52)) + low;
}

// yes or no, for loops that are to vectorise: of nested conditions, and of what is stored, compilers make
// branches.
DEVICE double chosen(bool condition, double yes, double no) {
  return with_bits(bits_of(no) ^ ((bits_of(yes) ^ bits_of(no)) & -uint64(condition)));
}

DEVICE float chosen(bool condition, float yes, float no) {
  uint32 a, b;
  memcpy(&a, &yes, sizeof a);
  memcpy(&b, &no, sizeof b);
  b ^= (a ^ b) & -uint32(condition);
  memcpy(&no, &b, sizeof b);
  return no;
}

// c[0] + c[1] x + c[2] x^2 + ...
DEVICE double polynomial(double, double c) { return c; }

template <class... Rest>
DEVICE double polynomial(double x, double c, Rest... rest) {
  return c + x * polynomial(x, rest...);
}

// ln 2 in two parts; the first has 32 bits, so that its products with exponents are exact.
constexpr double kLn2High = 0x1.62e42feep-1, kLn2Low = 0x1.a39ef35793c76p-33;
constexpr double k2To52 = 0x1p52;
constexpr uint64 kBitsOf2To52 = 0x4330000000000000;
constexpr uint64 kSignBit = uint64(1) << 63;

// Natural logarithm of a positive normal number; the relative error is below 1e-15.
//
//   x = 2^e m, sqrt(1/2) <= m < sqrt(2);  ln m = 2 artanh(s) = 2 (s + s^3/3 + s^5/5 + ...), s = (m-1)/(m+1)
DEVICE double log_of(double x) {
  constexpr uint64 root = 0x3FE6A09E667F3BCD;                       // bits of sqrt(1/2)
  const uint64 shifted = bits_of(x) - root + (uint64(1023) << 52);  // e is never negative here
  const double e = with_bits(kBitsOf2To52 | (shifted >> 52)) - (k2To52 + 1023);
  const double f = with_bits((shifted & 0x000FFFFFFFFFFFFF) + root) - 1;
  const double s = f / (2 + f), z = s * s;
  const double series = polynomial(z, 1.0 / 3, 1.0 / 5, 1.0 / 7, 1.0 / 9, 1.0 / 11, 1.0 / 13,
                                   1.0 / 15, 1.0 / 17, 1.0 / 19, 1.0 / 21);
  return e * kLn2High + (2 * s + (2 * s * z * series + e * kLn2Low));
}

// ln(1 - p) for 0 < p < 1, accurate also where 1 - p rounds much of p away: to first order, what was
// rounded away changes the logarithm by the same factor as it changes p.
DEVICE double log_of_complement(double p) {
  const double rest = 1 - p;
  return rest == 1 ? -p : log_of(rest) * (p / (1 - rest));
}

// e^x by its Taylor series about the nearest multiple of ln 2; the relative error is below 1e-15.
// Infinity above the range of double, 0 below it.
DEVICE double exp_of(double x) {
  // One comparison, and no constant that the compiler could follow into a branch: loops vectorise.
  const uint64 sign = bits_of(x) & kSignBit;
  const double bounded = with_bits(bits_of(x) ^ sign) > 800 ? with_bits(bits_of(800) | sign) : x;
  // In a number of this size the last digit counts whole numbers.
  constexpr double whole = 1.5 * k2To52;
  const double shifted = bounded * 0x1.71547652b82fep+0 + whole;  // 1 / ln 2
  const double k = shifted - whole;
  const double r = (bounded - k * kLn2High) - k * kLn2Low;
  const double power = polynomial(r, 1.0, 1.0, 1.0 / 2, 1.0 / 6, 1.0 / 24, 1.0 / 120, 1.0 / 720,
                                  1.0 / 5040, 1.0 / 40320, 1.0 / 362880, 1.0 / 3628800,
                                  1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800);
  // 2^k in two factors, since k may lie outside the range of exponents.
  const double half = floor(k * 0.5), other = k - half;
  const uint64 zero = bits_of(whole);
  const double first = with_bits((bits_of(half + whole) - zero + 1023) << 52);
  const double second = with_bits((bits_of(other + whole) - zero + 1023) << 52);
  return power * first * second;
}

// e^x - 1, accurate near 0 too: (e^x - 1) x / ln(e^x) (Kahan; Higham, 2002, doi:10.1137/1.9780898718027).
DEVICE double expm1_of(double x) {
  const double power = exp_of(x);
  if (power == 1) return x;
  if (power - 1 == -1 || power > 1e300) return power - 1;
  return (power - 1) * x / log_of(power);
}

// x^y for x >= 0.
DEVICE double power_of(double x, double y) {
  if (y == 0) return 1;
  return x <= 0 ? 0.0 : exp_of(y * log_of(x));
}

// x / (e^x - 1), the rate function of many ion channels, which is smooth at 0.
DEVICE double linoid(double x) { return x > -1e-6 && x < 1e-6 ? 1 - x / 2 : x / (exp_of(x) - 1); }

DEVICE double absolute(double x) { return x < 0 ? -x : x; }

// The same, given e^x with an error of some of its last digits.
DEVICE double linoid(double x, double power) {
  return chosen(absolute(x) < 1e-4, 1 - x / 2 + x * x / 12, x / (power - 1));
}
DEVICE float absolute(float x) { return x < 0 ? -x : x; }
// What is not a number stays so.
DEVICE double least_of(double x, double y) { return x < y || x != x ? x : y; }
DEVICE double greatest_of(double x, double y) { return x > y || x != x ? x : y; }

constexpr uint64 kBitsOfInfinity = 0x7FF0000000000000, kBitsOfNan = 0x7FF8000000000000;

// As log_of, for any number.
DEVICE double logarithm(double x) {
  if (!(x < with_bits(kBitsOfInfinity))) return x;
  if (x >= 0x1p-1022) return log_of(x);
  if (x > 0) return log_of(x * 0x1p54) - 54 * kLn2High - 54 * kLn2Low;
  return with_bits(x < 0 ? kBitsOfNan : kBitsOfInfinity | kSignBit);
}

// x^y for any numbers; not a number for negative x, unless y is whole, nor where there is no limit.
DEVICE double general_power(double x, double y) {
  if (y == 0) return 1;
  if (x > 0) return exp_of(y * logarithm(x));
  if (x == 0) return y > 0 ? 0.0 : with_bits(y < 0 ? kBitsOfInfinity : kBitsOfNan);
  if (floor(y) != y || x != x) return with_bits(kBitsOfNan);
  const double size = exp_of(y * logarithm(-x));
  return floor(y / 2) * 2 == y ? size : -size;
}

// x^n for n >= 1, by products from the left.
template <int32 n>
DEVICE double whole_power(double x) {
  double power = x;
  for (int32 k = 1; k < n; ++k) power = power * x;
  return power;
}

DEVICE double decimal_logarithm(double x) {
  constexpr double per_ln10 = 0x1.bcb7b1526e50ep-2;
  return logarithm(x) * per_ln10;
}

DEVICE double ceiling(double x) { return -floor(-x); }
DEVICE double truncated(double x) { return x < 0 ? ceiling(x) : floor(x); }
DEVICE double clipped(double x, double low, double high) {
  return least_of(greatest_of(x, low), high);
}

// The hyperbolic functions by e^x - 1, which is accurate near 0.
DEVICE double hyperbolic_sine(double x) { return (expm1_of(x) - expm1_of(-x)) / 2; }

DEVICE double hyperbolic_cosine(double x) { return (exp_of(x) + exp_of(-x)) / 2; }

DEVICE double hyperbolic_tangent(double x) {
  const double m = expm1_of(2 * least_of(absolute(x), 20)), size = m / (m + 2);
  return x < 0 ? -size : size;
}

// A whole number of steps counted down by `step` each time would miss 0 by rounding errors.
DEVICE double zero_if_near(double x, double step) { return absolute(x) < 1e-9 * step ? 0.0 : x; }
