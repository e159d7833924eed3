// Random numbers of given distributions, each a function of random bits without state.
//
// Only + - * /, sqrt, floor and operations on bits are used, all of them exact or rounded as IEEE 754
// says, so that every machine draws the same numbers; the libraries' log and exp differ in last digits.
#pragma once

#include "philox.h"

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
  const double bounded = x < -800 ? -800 : x > 800 ? 800 : x;
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

// Uniform in (0, 1): an odd multiple of 2^-53, so that u and 1 - u are equally likely.
DEVICE double open_uniform(uint32 high, uint32 low) {
  const uint64 mantissa = (uint64(high) << 20) | (low >> 12);
  return with_bits((uint64(1023) << 52) | mantissa) - (1 - 0x1p-53);
}

// Uniform in 0..n-1, 1 <= n <= 2^32, from 64 bits: no value is preferred by more than n / 2^64.
DEVICE uint32 below(uint32 high, uint32 low, uint64 n) {
  return uint32((high * n + ((low * n) >> 32)) >> 32);
}

// The inverse of the normal distribution function, by the rational approximations of algorithm AS 241
// (Wichura, 1988, doi:10.2307/2347330), relative error about 1e-16: PPND16. Central part, |q| <= 0.425.
constexpr double kCentral = 0.425;

DEVICE double normal_central(double q) {
  const double r = kCentral * kCentral - q * q;
  return q *
         polynomial(r, 3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3,
                    1.3731693765509461125e4, 4.5921953931549871457e4, 6.7265770927008700853e4,
                    3.3430575583588128105e4, 2.5090809287301226727e3) /
         polynomial(r, 1.0, 4.2313330701600911252e1, 6.8718700749205790830e2,
                    5.3941960214247511077e3, 2.1213794301586595867e4, 3.9307895800092710610e4,
                    2.8729085735721942674e4, 5.2264952788528545610e3);
}

// The quantile of 1 - p for p < 0.075.
DEVICE double normal_tail(double p) {
  const double root = sqrt(-log_of(p));
  if (root <= 5) {
    const double r = root - 1.6;
    return polynomial(r, 1.42343711074968357734e0, 4.63033784615654529590e0,
                      5.76949722146069140550e0, 3.64784832476320460504e0, 1.27045825245236838258e0,
                      2.41780725177450611770e-1, 2.27238449892691845833e-2,
                      7.74545014278341407640e-4) /
           polynomial(r, 1.0, 2.05319162663775882187e0, 1.67638483018380384940e0,
                      6.89767334985100004550e-1, 1.48103976427480074590e-1,
                      1.51986665636164571966e-2, 5.47593808499534494600e-4,
                      1.05075007164441684324e-9);
  }
  const double r = root - 5;
  return polynomial(r, 6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0,
                    2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
                    2.71155556874348757815e-5, 2.01033439929228813265e-7) /
         polynomial(r, 1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1,
                    1.48753612908506148525e-2, 7.86869131145613259100e-4, 1.84631831751005468180e-5,
                    1.42151175831644588870e-7, 2.04426310338993978564e-15);
}

// The normal quantile of u, 0 < u < 1.
DEVICE double normal_quantile(double u) {
  const double q = u - 0.5;
  if (q < -kCentral) return -normal_tail(u);
  if (q > kCentral) return normal_tail(1 - u);
  return normal_central(q);
}

// Value i of a stream belongs to call i / 2 of the generator, to its first or second 64 bits.
DEVICE double open_uniform(const Bits& bits, int64 i) {
  return i & 1 ? open_uniform(bits.word[2], bits.word[3])
               : open_uniform(bits.word[0], bits.word[1]);
}
