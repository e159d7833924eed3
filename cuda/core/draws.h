// Random numbers of given distributions, each a function of random bits without state.
#pragma once

#include "core/functions.h"
#include "core/philox.h"

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

// The quantile of 1 - p for p < 0.075, a function of this root, near and far from the center.
DEVICE double tail_root(double p) { return sqrt(-log_of(p)); }
constexpr double kNear = 5;

DEVICE double near_tail(double root) {
  const double r = root - 1.6;
  return polynomial(r, 1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0,
                    3.64784832476320460504e0, 1.27045825245236838258e0, 2.41780725177450611770e-1,
                    2.27238449892691845833e-2, 7.74545014278341407640e-4) /
         polynomial(r, 1.0, 2.05319162663775882187e0, 1.67638483018380384940e0,
                    6.89767334985100004550e-1, 1.48103976427480074590e-1, 1.51986665636164571966e-2,
                    5.47593808499534494600e-4, 1.05075007164441684324e-9);
}

DEVICE double far_tail(double root) {
  const double r = root - kNear;
  return polynomial(r, 6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0,
                    2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
                    2.71155556874348757815e-5, 2.01033439929228813265e-7) /
         polynomial(r, 1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1,
                    1.48753612908506148525e-2, 7.86869131145613259100e-4, 1.84631831751005468180e-5,
                    1.42151175831644588870e-7, 2.04426310338993978564e-15);
}

DEVICE double normal_tail(double p) {
  const double root = tail_root(p);
  return root <= kNear ? near_tail(root) : far_tail(root);
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
