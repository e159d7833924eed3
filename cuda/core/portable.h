// What kernels are written with. This file, with one for a GPU's threads and one for the CPU's, knows which
// compiler it is in; no other does.
//
// A kernel is written once, in terms of a Team that shares the work. Compiled by NVRTC or nvcc the team is
// the grid of threads of a launch. Compiled as C++ it is an owner of neurons on the CPU, each of which
// owns a fixed range of every population: what a thread owns only that thread writes, so no
// atomic operation is needed there.
#pragma once

#include "core/plan.h"

// NVRTC knows memcpy, floor and sqrt without headers, and has none.
#ifndef __CUDACC_RTC__
#include <cmath>
#include <cstring>
#endif

#if defined(__CUDACC__) || defined(PYNN_SPARSE_EMULATE_CUDA)
#define PYNN_SPARSE_CUDA 1
#endif

// What the compiler is to know when it makes a loop.
template <bool flag>
struct Flag {
  static constexpr bool value = flag;
};

// What a step of neurons needs besides: it has their input, [n_receptor][stride].
struct AtStep {
  int64 step;
  int64* input;
  int64 stride;
  const uint32* bits;  // for neuron `first` and those after it
  int32 first;
};

#ifdef PYNN_SPARSE_CUDA
#include "core/portable_gpu.h"
#else
#include "core/portable_cpu.h"
#endif

// The spikes that an owner's neurons emitted in a step; after those of this process's owners come the lists of
// other processes.
DEVICE const SpikeList& spike_list(const Plan& plan, int64 step, int32 owner) {
  return plan.spikes[(step + 1) % plan.n_list * plan.n_shard + owner];
}

// Ports of the neurons of a population at a receptor.
DEVICE int64 port_stride(int32 n) { return (n + int64(kGranule) - 1) / kGranule * kGranule; }

// What arrives at the neurons of a block at the end of a step.
DEVICE AtStep at_step(const Plan& plan, const Block& block, int64 step) {
  int64* slot = plan.ring + (step + 1) % plan.n_slot * plan.n_port;
  return {step, slot + block.first_port, port_stride(block.n), nullptr, 0};
}

// Segments that a row has of its own.
DEVICE int64 segments_of_row(const Table& table) {
  return table.shared ? 0 : int64(table.n_part) * table.n_group;
}

// Slot of the ring that a delay of 0 would mean for spikes whose group `group` of delays is delivered
// after `step`. It may be negative; adding a delay of the group gives less than 2 * n_slot.
DEVICE int32 first_slot(const Plan& plan, int64 step, int32 group) {
  return int32((step + 1) % plan.n_slot) - group * plan.delay_group;
}

// One more level, so that `name` may itself be made by macros.
#define KERNEL(name, which) KERNEL_(name, which)
#define KERNEL_NAME_(prefix, cell, real) prefix##cell##_##real
#define KERNEL_NAME(prefix, cell, real) KERNEL_NAME_(prefix, cell, real)
