// Values of distributions, drawn by a GPU: a thread for two values. They are those of draw.cpp.
#include "build/launch.h"
#include "build/laws.h"

namespace {

// Calls body(i, x) for each value.
template <class Body>
DEVICE void for_each_value(const Draw& work, Body body) {
  for_each_work((work.n + 1) / 2, [&](int64 pair) {
    double x[kTile];
    draw_tile(work.law, work.seed, kTile * pair, kTile, x);
    for (int32 k = 0; k < tile_rest(work.n - kTile * pair); ++k) body(kTile * pair + k, x[k]);
  });
}

template <class Steps>
DEVICE void fill_steps(const Draw& work, Steps* steps) {
  for_each_value(work, [&](int64 i, double ms) {
    steps[i] = Steps(nearest_step(work.range, ms));
    if (!contains(work.range, ms)) take_least(work.first_outside, i);
  });
}

}  // namespace

BUILD_KERNEL(draw_values, Draw) {
  if (work.wide)
    for_each_value(work, [&](int64 i, double x) { static_cast<double*>(work.value)[i] = x; });
  else
    for_each_value(work,
                   [&](int64 i, double x) { static_cast<float*>(work.value)[i] = to_single(x); });
}

BUILD_KERNEL(draw_steps, Draw) {
  if (work.wide)
    fill_steps(work, static_cast<uint16*>(work.value));
  else
    fill_steps(work, static_cast<uint8*>(work.value));
}
