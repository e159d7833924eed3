// Lets kernels compiled as CUDA run on the CPU, one thread after the other: enough of the language for
// kernels whose threads do not communicate within a launch but by atomic operations.
#pragma once

#include <cmath>

#define __device__
#define __global__
#define __forceinline__ inline

struct Dim3 {
  unsigned x, y, z;
};
inline Dim3 gridDim, blockDim, blockIdx, threadIdx;

inline long long __double2ll_rn(double x) { return std::llrint(x); }

template <class T>
T atomicAdd(T* x, T value) {
  const T old = *x;
  *x += value;
  return old;
}

template <class T>
T atomicMin(T* x, T value) {
  const T old = *x;
  if (value < old) *x = value;
  return old;
}

inline int __ffsll(long long bits) { return __builtin_ffsll(bits); }
