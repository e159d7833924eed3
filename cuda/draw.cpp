// Values of a distribution for many synapses or cells: value i is a function of (seed, i).
#include "tiles.h"

#include <algorithm>
#include <atomic>

// A distribution; engine/connect.py mirrors it. Parameters that a kind does not have are unused.
struct Law {
  int64 kind;
  double location, scale;  // uniform: low, high - low; uniform_int: low, number of values
  double low, high;        // of clipped distributions
};

// Times (ms) that may be drawn: from `least` to `most` steps; engine/connect.py mirrors it.
struct StepRange {
  double per_ms, least, most;

  bool contains(double ms) const { return ms * per_ms >= least && ms * per_ms <= most; }
};

namespace {

// In the order of KINDS in engine/connect.py.
enum Kind : int64 {
  kUniform,
  kUniformInt,
  kNormal,
  kNormalClipped,
  kNormalClippedToBoundary,
  kExponential,
  kLognormal,
};

Stream values_of(uint64 seed, uint32 attempt) { return {seed, Purpose::kDraw, attempt}; }

// The central part of the normal distribution for all, the rare tails afterwards.
void normal_tile(const double* u, int32 n, double* z) {
  for (int32 k = 0; k < n; ++k) z[k] = normal_central(u[k] - 0.5);
  for (int32 k = 0; k < n; ++k) {
    if (u[k] - 0.5 < -kCentral) z[k] = -normal_tail(u[k]);
    if (u[k] - 0.5 > kCentral) z[k] = normal_tail(1 - u[k]);
  }
}

// Draws value i again until it is inside the limits.
double drawn_again(const Law& law, uint64 seed, int64 i) {
  for (uint32 attempt = 1;; ++attempt) {
    const Bits bits = philox(seed, Purpose::kDraw, attempt, i / 2);
    const double x = law.location + law.scale * normal_quantile(open_uniform(bits, i));
    if (x >= law.low && x <= law.high) return x;
  }
}

void clip(const Law& law, uint64 seed, int64 first, int32 n, double* x) {
  if (law.kind == kNormalClippedToBoundary) {
    for (int32 k = 0; k < n; ++k) x[k] = std::max(law.low, std::min(law.high, x[k]));
  } else if (law.kind == kNormalClipped) {
    for (int32 k = 0; k < n; ++k)
      if (x[k] < law.low || x[k] > law.high) x[k] = drawn_again(law, seed, first + k);
  }
}

void uniform_int_tile(const Law& law, uint64 seed, int64 first, int32 n, double* x) {
  uint32 drawn[kTile];
  below_tile(values_of(seed, 0), first / 2, n, uint64(law.scale), 0, drawn);
  for (int32 k = 0; k < n; ++k) x[k] = law.location + drawn[k];
}

// Values first..first+n-1; both numbers are even.
void draw_tile(const Law& law, uint64 seed, int64 first, int32 n, double* x) {
  if (law.kind == kUniformInt) return uniform_int_tile(law, seed, first, n, x);
  alignas(64) double u[kTile];
  open_uniform_tile(values_of(seed, 0), first / 2, n, u);
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

// Calls body(first, size, x) for each tile of the values 0..n-1.
template <class Body>
void for_each_tile(const Law& law, uint64 seed, int64 n, int32 threads, Body body) {
#pragma omp parallel for schedule(static) num_threads(threads)
  for (int64 first = 0; first < n; first += kTile) {
    alignas(64) double x[kTile];
    draw_tile(law, seed, first, tile_size(n - first), x);
    body(first, int32(std::min<int64>(kTile, n - first)), x);
  }
}

template <class Value>
void fill_values(const Law& law, uint64 seed, int64 n, int32 threads, Value* value) {
  for_each_tile(law, seed, n, threads, [=](int64 first, int32 size, const double* x) {
    for (int32 k = 0; k < size; ++k) value[first + k] = Value(x[k]);
  });
}

// Lowers `least` to `value` if that is less.
void take_least(std::atomic<int64>& least, int64 value) {
  for (int64 now = least; value < now && !least.compare_exchange_weak(now, value);) {
  }
}

// Returns the index of the first value that is not in the range, or n.
template <class Steps>
int64 fill_steps(const Law& law, uint64 seed, int64 n, int32 threads, const StepRange& range,
                 Steps* steps) {
  std::atomic<int64> first_outside{n};
  for_each_tile(law, seed, n, threads, [&](int64 first, int32 size, const double* x) {
    int32 n_outside = 0;
    for (int32 k = 0; k < size; ++k) {
      const bool inside = range.contains(x[k]);
      n_outside += !inside;
      // Adding 0.5 and cutting off rounds to the nearest, since no step is negative.
      steps[first + k] = Steps(int32((inside ? x[k] * range.per_ms : 0) + 0.5));
    }
    if (!n_outside) return;
    const double* at = std::find_if(x, x + size, [&](double ms) { return !range.contains(ms); });
    take_least(first_outside, first + (at - x));
  });
  return first_outside;
}

}  // namespace

EXPORT void draw_values(const Law& law, uint64 seed, int64 n, int32 threads, int32 is_double,
                        void* value) {
  if (is_double) return fill_values(law, seed, n, threads, static_cast<double*>(value));
  fill_values(law, seed, n, threads, static_cast<float*>(value));
}

// Times in ms as the nearest numbers of steps, halves up. Returns 1 if all are in the range before they
// are rounded, else 0 and in `outside` the first that is not.
EXPORT int32 draw_steps(const Law& law, uint64 seed, int64 n, int32 threads, const StepRange& range,
                        int32 wide, void* steps, double* outside) {
  const int64 i = wide ? fill_steps(law, seed, n, threads, range, static_cast<uint16*>(steps))
                       : fill_steps(law, seed, n, threads, range, static_cast<uint8*>(steps));
  if (i == n) return 1;
  double pair[2];
  draw_tile(law, seed, i / 2 * 2, 2, pair);
  *outside = pair[i % 2];
  return 0;
}
