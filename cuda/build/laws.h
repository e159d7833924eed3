// Values of a distribution. Of numbered ones, value i is a function of (seed, i); that of a synapse is a function of the
// seed and the two cells, and of how many of the synapses between these come before it.
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

// Random numbers for the values from an even place on.
struct ByPlace {
  uint64 seed;
  int64 first;

  DEVICE void uniform(int32 n, double* u) const { open_uniform_tile(stream(), first / 2, n, u); }
  DEVICE void below(int32 n, uint64 range, uint32* drawn) const {
    below_tile(stream(), first / 2, n, range, 0, drawn);
  }
  // One more for value k.
  DEVICE double again(int32 k, uint32 attempt) const {
    const int64 i = first + k;
    return open_uniform(philox(seed, Purpose::kDraw, attempt, i / 2), i);
  }

 private:
  DEVICE Stream stream() const { return {seed, Purpose::kDraw, 0}; }
};

// Random numbers for synapses of one source: a call of the generator for each, half of which serves to draw again.
struct BySynapse {
  uint64 seed;
  uint32 source;
  const uint32* target;  // of each, and which of those to the same target it is, from 0
  const uint32* nth;

  DEVICE void uniform(int32 n, double* u) const {
    int32 k = 0;
    if constexpr (kSpecialises && kLanes > 1) {
      constexpr int32 kAtOnce = 2 * kLanes;
      uint64 words[2][kAtOnce];
      for (; k + kAtOnce <= n; k += kAtOnce) {
        philox_of_steps(seed, Purpose::kValue, source, target + k, nth + k, words);
        for (int32 i = 0; i < kAtOnce; ++i)
          u[k + i] = open_uniform(uint32(words[0][i]), uint32(words[1][i]));
      }
    }
    for (; k < n; ++k) u[k] = open_uniform(bits(k, 0), 0);
  }
  DEVICE void below(int32 n, uint64 range, uint32* drawn) const {
    for (int32 k = 0; k < n; ++k) {
      const Bits each = bits(k, 0);
      drawn[k] = ::below(each.word[0], each.word[1], range);
    }
  }
  DEVICE double again(int32 k, uint32 attempt) const {
    return open_uniform(bits(k, attempt / 2), attempt);
  }

 private:
  // Calls after the first are told by the upper bits of the purpose, of which there are 24.
  DEVICE Bits bits(int32 k, uint32 call) const {
    return philox(seed, Purpose(uint32(Purpose::kValue) + (call << 8)), source,
                  int64(uint64(nth[k]) << 32 | target[k]));
  }
};

// The central part of the normal distribution for all, the tails afterwards: on the CPU side by side.
DEVICE void normal_tile(const double* u, int32 n, double* z) {
  for (int32 k = 0; k < n; ++k) z[k] = normal_central(u[k] - 0.5);
  if constexpr (!kSpecialises) {
    for (int32 k = 0; k < n; ++k) {
      if (u[k] - 0.5 < -kCentral) z[k] = -normal_tail(u[k]);
      if (u[k] - 0.5 > kCentral) z[k] = normal_tail(1 - u[k]);
    }
    return;
  }
  int32 place[kTile], m = 0;
  alignas(64) double root[kTile], tail[kTile];
  for (int32 k = 0; k < n; ++k) {
    place[m] = k;
    m += absolute(u[k] - 0.5) > kCentral;
  }
  for (int32 j = 0; j < m; ++j) root[j] = least_of(u[place[j]], 1 - u[place[j]]);
  for (int32 j = 0; j < m; ++j) root[j] = tail_root(root[j]);
  for (int32 j = 0; j < m; ++j) tail[j] = near_tail(root[j]);
  for (int32 j = 0; j < m; ++j) {
    const double size = root[j] <= kNear ? tail[j] : far_tail(root[j]);
    z[place[j]] = u[place[j]] < 0.5 ? -size : size;
  }
}

// Draws value k again until it is inside the limits.
template <class Numbers>
DEVICE double drawn_again(const Law& law, const Numbers& numbers, int32 k) {
  for (uint32 attempt = 1;; ++attempt) {
    const double x = law.location + law.scale * normal_quantile(numbers.again(k, attempt));
    if (x >= law.low && x <= law.high) return x;
  }
}

template <class Numbers>
DEVICE void clip(const Law& law, const Numbers& numbers, int32 n, double* x) {
  if (law.kind == kNormalClippedToBoundary) {
    for (int32 k = 0; k < n; ++k) x[k] = greatest_of(least_of(x[k], law.high), law.low);
  } else if (law.kind == kNormalClipped) {
    for (int32 k = 0; k < n; ++k)
      if (x[k] < law.low || x[k] > law.high) x[k] = drawn_again(law, numbers, k);
  }
}

template <class Numbers>
DEVICE void uniform_int_tile(const Law& law, const Numbers& numbers, int32 n, double* x) {
  uint32 drawn[kTile];
  numbers.below(n, uint64(law.scale), drawn);
  for (int32 k = 0; k < n; ++k) x[k] = law.location + drawn[k];
}

// n values, an even number.
template <class Numbers>
DEVICE void draw_tile(const Law& law, const Numbers& numbers, int32 n, double* x) {
  if (law.kind == kUniformInt) return uniform_int_tile(law, numbers, n, x);
  alignas(64) double u[kTile];
  numbers.uniform(n, u);
  if (law.kind == kUniform) {
    for (int32 k = 0; k < n; ++k) x[k] = law.location + law.scale * u[k];
  } else if (law.kind == kExponential) {
    for (int32 k = 0; k < n; ++k) x[k] = law.scale * -log_of(u[k]);
  } else {
    normal_tile(u, n, x);
    for (int32 k = 0; k < n; ++k) x[k] = law.location + law.scale * x[k];
    clip(law, numbers, n, x);
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

// How many of the synapses before j, in its row from `first` on, have its target.
template <class Index>
DEVICE uint32 same_before(const Index* target, int64 first, int64 j) {
  uint32 n = 0;
  while (j - n > first && target[j - n - 1] == target[j]) ++n;
  return n;
}
