// Values of distributions, drawn by threads of the CPU.
#include "build/laws.h"
#include "build/sharing.h"

#include <algorithm>
#include <atomic>

namespace {

// Calls body(first, size, x) for each tile of values.
template <class Body>
void for_each_tile(const Draw& work, int32 threads, Body body) {
#pragma omp parallel for schedule(static) num_threads(sharing(threads, work.n))
  for (int64 first = 0; first < work.n; first += kTile) {
    alignas(64) double x[kTile];
    draw_tile(work.law, work.seed, first, tile_size(work.n - first), x);
    body(first, tile_rest(work.n - first), x);
  }
}

// Lowers `least` to `value` if that is less.
void take_least(std::atomic<int64>& least, int64 value) {
  for (int64 now = least; value < now && !least.compare_exchange_weak(now, value);) {
  }
}

template <class Steps>
void fill_steps(const Draw& work, int32 threads, Steps* steps) {
  std::atomic<int64> first_outside{work.n};
  const StepRange range = work.range;
  for_each_tile(work, threads, [&](int64 first, int32 size, const double* x) {
    int32 n_outside = 0;
    for (int32 k = 0; k < size; ++k) {
      n_outside += !contains(range, x[k]);
      steps[first + k] = Steps(nearest_step(range, x[k]));
    }
    if (!n_outside) return;
    const double* at = std::find_if(x, x + size, [&](double ms) { return !contains(range, ms); });
    take_least(first_outside, first + (at - x));
  });
  *work.first_outside = first_outside;
}

}  // namespace

EXPORT void draw_values(const Draw& work, int32 threads) {
  for_each_tile(work, threads, [&](int64 first, int32 size, const double* x) {
    if (work.wide)
      std::copy_n(x, size, static_cast<double*>(work.value) + first);
    else
      std::transform(x, x + size, static_cast<float*>(work.value) + first,
                     [](double value) { return to_single(value); });
  });
}

// Times in ms as the nearest numbers of steps.
EXPORT void draw_steps(const Draw& work, int32 threads) {
  if (work.wide) return fill_steps(work, threads, static_cast<uint16*>(work.value));
  fill_steps(work, threads, static_cast<uint8*>(work.value));
}

// Value i alone.
EXPORT double draw_one(const Draw& work, int64 i) {
  double pair[2];
  draw_tile(work.law, work.seed, i / 2 * 2, 2, pair);
  return pair[i % 2];
}
