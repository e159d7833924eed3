// Lets kernels compiled as CUDA run on the CPU: one thread after the other, or, where blocks wait for each
// other, as many threads of the CPU.
#pragma once

#include <pthread.h>
#include <sched.h>
#include <cmath>

#define __device__
#define __global__
#define __forceinline__ inline

struct Dim3 {
  unsigned x, y, z;
};
inline thread_local Dim3 gridDim, blockDim, blockIdx, threadIdx;
inline thread_local pthread_barrier_t* threads_of_block;

inline void __syncthreads() { pthread_barrier_wait(threads_of_block); }
inline void __threadfence() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
inline void __nanosleep(unsigned) { sched_yield(); }

inline long long __double2ll_rn(double x) { return std::llrint(x); }

template <class T>
T atomicAdd(T* x, T value) {
  return __atomic_fetch_add(x, value, __ATOMIC_SEQ_CST);
}

template <class T>
T atomicMax(T* x, T value) {
  const T old = *x;
  if (value > old) *x = value;
  return old;
}

template <class T>
T atomicMin(T* x, T value) {
  const T old = *x;
  if (value < old) *x = value;
  return old;
}

inline int __ffsll(long long bits) { return __builtin_ffsll(bits); }
