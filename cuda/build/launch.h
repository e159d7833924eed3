// How kernels that build networks are launched. For the GPU only: on the CPU, functions of the same names
// build networks.
#pragma once

#include "core/portable.h"

// Defines a kernel that builds a part of a network, as `work` says; its body follows.
#define BUILD_KERNEL(name, Work)                                            \
  DEVICE void name##_body(const Work& work);                                \
  extern "C" __global__ void name(const Work* work) { name##_body(*work); } \
  DEVICE void name##_body(const Work& work)

// Calls body(i) for i in 0..n-1: a thread per item.
template <class Body>
DEVICE void for_each_work(int64 n, Body body) {
  const Team team = Team::here();
  for (int64 i = team.thread(); i < n; i += team.n_thread()) body(i);
}

// The same as body(i, place), by at most `n_place` threads, each with a place of its own.
template <class Body>
DEVICE void for_each_work_in_room(int64 n, int32 n_place, Body body) {
  const Team team = Team::here();
  const int64 width = team.n_thread() < n_place ? team.n_thread() : n_place;
  const int64 place = team.thread();
  if (place < width)
    for (int64 i = place; i < n; i += width) body(i, int32(place));
}

// Calls body(row, j) for what is in rows: a block of threads per row.
template <class Body>
DEVICE void for_each_in_rows(int32 n_row, const int64* row_start, Body body) {
  for (int32 row = blockIdx.x; row < n_row; row += gridDim.x)
    for (int64 j = row_start[row] + threadIdx.x; j < row_start[row + 1]; j += blockDim.x)
      body(row, j);
}

// As it is before, and 1 more: a place in a row that other threads fill at the same time.
DEVICE int64 take_place(int64* next) {
  return static_cast<int64>(atomicAdd(reinterpret_cast<uint64*>(next), uint64(1)));
}

// Lowers `least`, which is not negative, to `value` if that is less.
DEVICE void take_least(int64* least, int64 value) {
  atomicMin(reinterpret_cast<uint64*>(least), static_cast<uint64>(value));
}
