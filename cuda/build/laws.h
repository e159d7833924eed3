// Values of a distribution for many synapses or cells: value i is a function of (seed, i).
#pragma once

#include "build/tiles.h"
#include "build/work.h"

// In the order of KINDS in engine/laws.py.
enum Kind : int64 {
  kUniform,
  kUniformInt,
  kNormal,
  kNormalClipped,
  kNormalClippedToBoundary,
  kExponential,
  kLognormal,
};

DEVICE Stream values_of(uint64 seed) { return {seed, Purpose::kDraw, 0}; }

// The central part of the normal distribution for all, the rare tails afterwards.
DEVICE void normal_tile(const double* u, int32 n, double* z) {
  for (int32 k = 0; k < n; ++k) z[k] = normal_central(u[k] - 0.5);
  for (int32 k = 0; k < n; ++k) {
    if (u[k] - 0.5 < -kCentral) z[k] = -normal_tail(u[k]);
    if (u[k] - 0.5 > kCentral) z[k] = normal_tail(1 - u[k]);
  }
}

// Draws value i again until it is inside the limits.
DEVICE double drawn_again(const Law& law, uint64 seed, int64 i) {
  for (uint32 attempt = 1;; ++attempt) {
    const Bits bits = philox(seed, Purpose::kDraw, attempt, i / 2);
    const double x = law.location + law.scale * normal_quantile(open_uniform(bits, i));
    if (x >= law.low && x <= law.high) return x;
  }
}

DEVICE void clip(const Law& law, uint64 seed, int64 first, int32 n, double* x) {
  if (law.kind == kNormalClippedToBoundary) {
    for (int32 k = 0; k < n; ++k) x[k] = greatest_of(least_of(x[k], law.high), law.low);
  } else if (law.kind == kNormalClipped) {
    for (int32 k = 0; k < n; ++k)
      if (x[k] < law.low || x[k] > law.high) x[k] = drawn_again(law, seed, first + k);
  }
}

DEVICE void uniform_int_tile(const Law& law, uint64 seed, int64 first, int32 n, double* x) {
  uint32 drawn[kTile];
  below_tile(values_of(seed), first / 2, n, uint64(law.scale), 0, drawn);
  for (int32 k = 0; k < n; ++k) x[k] = law.location + drawn[k];
}

// Values first..first+n-1; both numbers are even.
DEVICE void draw_tile(const Law& law, uint64 seed, int64 first, int32 n, double* x) {
  if (law.kind == kUniformInt) return uniform_int_tile(law, seed, first, n, x);
  alignas(64) double u[kTile];
  open_uniform_tile(values_of(seed), first / 2, n, u);
  if (law.kind == kUniform) {
    for (int32 k = 0; k < n; ++k) x[k] = law.location + law.scale * u[k];
  } else if (law.kind == kExponential) {
    for (int32 k = 0; k < n; ++k) x[k] = law.scale * -log_of(u[k]);
  } else {
    normal_tile(u, n, x);
    for (int32 k = 0; k < n; ++k) x[k] = law.location + law.scale * x[k];
    clip(law, seed, first, n, x);
  }
  if (law.kind == kLognormal)
    for (int32 k = 0; k < n; ++k) x[k] = exp_of(x[k]);
}

// In single precision. GPUs are told to have no numbers below 2^-126 but 0, so that nobody has.
DEVICE float to_single(double x) { return absolute(x) < 0x1p-126 ? 0.0f : float(x); }

DEVICE bool contains(const StepRange& range, double ms) {
  return ms * range.per_ms >= range.least && ms * range.per_ms <= range.most;
}

// The nearest number of steps, halves up: adding 0.5 and cutting off rounds so, since none is negative. 0
// for a time outside the range.
DEVICE int32 nearest_step(const StepRange& range, double ms) {
  return int32((contains(range, ms) ? ms * range.per_ms : 0) + 0.5);
}
