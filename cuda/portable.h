// The one file that knows which compiler it is in.
//
// A kernel is written once, in terms of a Team that shares the work. Compiled by NVRTC or nvcc the team is
// the grid of threads of a launch. Compiled as C++ it is one of the CPU's worker threads, each of which
// owns a fixed range of every population: what a thread owns only that thread writes, so no
// atomic operation is needed there.
#pragma once

#include "plan.h"

#if defined(__CUDACC__) || defined(PYNN_SPARSE_EMULATE_CUDA)
#define PYNN_SPARSE_CUDA 1
#endif

#ifdef PYNN_SPARSE_CUDA

#define DEVICE __device__ __forceinline__

struct Team {};

// Defines a kernel; its body follows. `which` selects the clock that it reads: 0 while a step is
// computed, 1 while its spikes are delivered, so that the last kernel of a step can advance clock 0.
#define KERNEL_(name, which)                                                     \
  DEVICE void name##_body(const Plan& plan, Team team, int32 group, int64 step); \
  extern "C" __global__ void name(const Plan* plan, int32 group) {               \
    name##_body(*plan, Team(), group, plan->clock[which]);                       \
  }                                                                              \
  DEVICE void name##_body(const Plan& plan, Team team, int32 group, int64 step)

DEVICE int64 first_thread() { return blockIdx.x * int64(blockDim.x) + threadIdx.x; }
DEVICE int64 thread_count() { return int64(gridDim.x) * blockDim.x; }

// Calls body(i) for i in 0..n-1: a thread per item.
template <class Body>
DEVICE void for_each(Team, int32 n, Body body) {
  for (int64 i = first_thread(); i < n; i += thread_count()) body(int32(i));
}

// As for_each, for a body that returns how many spikes i emitted; emit(i, count) where that is not 0.
template <class Body, class Emit>
DEVICE void for_each_neuron(Team, int32 n, Body body, Emit emit) {
  for (int64 i = first_thread(); i < n; i += thread_count()) {
    const int32 count = body(int32(i));
    if (count) emit(int32(i), count);
  }
}

// Calls body(b) for each population of a merged launch: a row of blocks per population.
template <class Body>
DEVICE void for_each_block(int32, Body body) {
  body(int32(blockIdx.y));
}

// Adds to an accumulator that other threads may add to at the same time.
DEVICE void add(int64* x, int64 value) {
  atomicAdd(reinterpret_cast<uint64*>(x), static_cast<uint64>(value));
}

// Takes the next free place of a list that other threads may append to at the same time.
DEVICE int32 next_place(int32* count) { return atomicAdd(count, 1); }

DEVICE int32 list_of(Team) { return 0; }

// Items that belong to one neuron each (probes, injections): a thread per item.
template <class Body>
DEVICE void for_each_item(Team team, int32 n, const int32*, Body body) {
  for_each(team, n, body);
}

DEVICE void begin_step(const Plan& plan, int64 step) {
  if (first_thread() == 0 && blockIdx.y == 0) plan.clock[1] = step;
}

// The last kernel of a step: nobody reads clock 0 or the other list while it runs.
DEVICE void end_step(const Plan& plan, int64 step) {
  if (first_thread() != 0) return;
  plan.clock[0] = step + 1;
  *plan.spikes[(step + 1) & 1].count = 0;
}

// For each spike of the step, a block of threads along its row.
template <class Body>
DEVICE void for_each_synapse(const Plan& plan, Team, int64 step, Body body) {
  const SpikeList& spikes = plan.spikes[step & 1];
  const Shard& shard = plan.shard[0];
  for (int32 s = blockIdx.x; s < *spikes.count; s += gridDim.x) {
    const int32 neuron = spikes.neuron[s];
    const int64 end = shard.row_start[neuron + 1];
    for (int64 j = shard.row_start[neuron] + threadIdx.x; j < end; j += blockDim.x)
      body(shard, j, spikes.multiplicity[s]);
  }
}

#else

#include <algorithm>
#include <iterator>

#define DEVICE inline __attribute__((always_inline))
#define EXPORT extern "C" __attribute__((visibility("default")))

// One of `size` worker threads.
struct Team {
  int32 rank;
  int32 size;
};

#define KERNEL_(name, which)                                                     \
  DEVICE void name##_body(const Plan& plan, Team team, int32 group, int64 step); \
  EXPORT void name(const Plan& plan, Team team, int32 group, int64 step) {       \
    name##_body(plan, team, group, step);                                        \
  }                                                                              \
  DEVICE void name##_body(const Plan& plan, [[maybe_unused]] Team team,          \
                          [[maybe_unused]] int32 group, int64 step)

struct Range {
  int32 begin, end;
};

// The part of 0..n-1 that a thread owns; parts begin at multiples of 16, so that no two threads write
// to one cache line. `pynn_sparse/engine/layout.py` assigns synapses to owners by the same rule.
DEVICE Range owned(Team team, int32 n) {
  const int32 share = ((n + team.size - 1) / team.size + 15) / 16 * 16;
  const int32 begin = std::min<int64>(n, int64(team.rank) * share);
  return {begin, std::min(n, begin + share)};
}

template <class Body>
DEVICE void for_each(Team team, int32 n, Body body) {
  const Range range = owned(team, n);
  for (int32 i = range.begin; i < range.end; ++i) body(i);
}

// The neurons are advanced a tile at a time, without branches, so that the loop vectorises; the few that
// fired are picked out afterwards.
template <class Body, class Emit>
DEVICE void for_each_neuron(Team team, int32 n, Body body, Emit emit) {
  constexpr int32 tile = 256;
  int32 count[tile];
  const Range range = owned(team, n);
  for (int32 begin = range.begin; begin < range.end; begin += tile) {
    const int32 size = std::min(tile, range.end - begin);
    int32 any = 0;
#pragma GCC ivdep
    for (int32 k = 0; k < size; ++k) {
      count[k] = body(begin + k);
      any |= count[k];
    }
    if (!any) continue;
    for (int32 k = 0; k < size; ++k)
      if (count[k]) emit(begin + k, count[k]);
  }
}

template <class Body>
DEVICE void for_each_block(int32 n, Body body) {
  for (int32 b = 0; b < n; ++b) body(b);
}

DEVICE void add(int64* x, int64 value) { *x += value; }
DEVICE int32 next_place(int32* count) { return (*count)++; }

DEVICE int32 list_of(Team team) { return team.rank; }

template <class Body>
DEVICE void for_each_item(Team team, int32, const int32* owner_start, Body body) {
  for (int32 i = owner_start[team.rank]; i < owner_start[team.rank + 1]; ++i) body(i);
}

DEVICE void begin_step(const Plan&, int64) {}
DEVICE void end_step(const Plan&, int64) {}

// The spikes of all threads, and of their rows the part whose targets this thread owns.
template <class Body>
DEVICE void for_each_synapse(const Plan& plan, Team team, int64 step, Body body) {
  const Shard& shard = plan.shard[team.rank];
  for (int32 t = 0; t < team.size; ++t) {
    const SpikeList& spikes = plan.spikes[(step & 1) * team.size + t];
    const int32 count = *spikes.count;
    for (int32 s = 0; s < count; ++s) {
      const int32 neuron = spikes.neuron[s];
      const int64 end = shard.row_start[neuron + 1];
      for (int64 j = shard.row_start[neuron]; j < end; ++j) body(shard, j, spikes.multiplicity[s]);
    }
  }
}

#endif

// One more level, so that `name` may itself be made by macros.
#define KERNEL(name, which) KERNEL_(name, which)
#define KERNEL_NAME_(prefix, cell, real) prefix##cell##_##real
#define KERNEL_NAME(prefix, cell, real) KERNEL_NAME_(prefix, cell, real)
