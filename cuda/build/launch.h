// How kernels that build networks are launched. For the GPU only: on the CPU, functions of the same names
// build networks.
#pragma once

#include "portable.h"

// Defines a kernel that builds a part of a network, as `work` says; its body follows.
#define BUILD_KERNEL(name, Work)                                                   \
  DEVICE void name##_body(const Work& work);                                       \
  extern "C" __global__ void name(const Work* work, int32) { name##_body(*work); } \
  DEVICE void name##_body(const Work& work)

// Calls body(i) for i in 0..n-1: a thread per item.
template <class Body>
DEVICE void for_each_work(int64 n, Body body) {
  for (int64 i = first_thread(); i < n; i += thread_count()) body(i);
}

// The same as body(i, place), by at most `n_place` threads, each with a place of its own.
template <class Body>
DEVICE void for_each_work_in_room(int64 n, int32 n_place, Body body) {
  const int64 width = thread_count() < n_place ? thread_count() : n_place;
  const int64 place = first_thread();
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
