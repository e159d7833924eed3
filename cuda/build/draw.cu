// Values of distributions, drawn by a GPU. They are those of draw.cpp.
#include "build/launch.h"
#include "build/laws.h"

namespace {

DEVICE void fill(const Draw& work, int64 i, double x) {
  if (work.wide)
    static_cast<double*>(work.value)[i] = x;
  else
    static_cast<float*>(work.value)[i] = to_single(x);
}

// Calls body(j, x) for the value of each synapse: a thread for each.
template <class Body>
DEVICE void for_each_value(const Draw& work, Body body) {
  with_indices(work.target, work.wide_target, [&](const auto* target) {
    for_each_in_rows(int32(work.n_source), work.row_start, [&](int64 row, int64 j) {
      const uint32 to[kTile] = {target[j]};
      const uint32 nth[kTile] = {same_before(target, work.row_start[row], j)};
      double x[kTile];
      draw_tile(work.law, BySynapse{work.seed, uint32(row), to, nth}, kTile, x);
      body(j, x[0]);
    });
  });
}

template <class Steps>
DEVICE void fill_steps(const Draw& work, Steps* steps) {
  for_each_value(work, [&](int64 j, double ms) {
    steps[j] = Steps(nearest_step(work.range, ms));
    if (!contains(work.range, ms)) take_least(work.first_outside, j);
  });
}

}  // namespace

// A thread for two values.
BUILD_KERNEL(draw_values, Draw) {
  for_each_work((work.n + 1) / 2, [&](int64 pair) {
    double x[kTile];
    draw_tile(work.law, ByPlace{work.seed, kTile * pair}, kTile, x);
    for (int32 k = 0; k < tile_rest(work.n - kTile * pair); ++k) fill(work, kTile * pair + k, x[k]);
  });
}

BUILD_KERNEL(draw_weights, Draw) {
  for_each_value(work, [&](int64 j, double x) { fill(work, j, x); });
}

BUILD_KERNEL(draw_steps, Draw) {
  if (work.wide)
    fill_steps(work, static_cast<uint16*>(work.value));
  else
    fill_steps(work, static_cast<uint8*>(work.value));
}
