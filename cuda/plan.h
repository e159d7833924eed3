// What the kernels work on: one Plan, filled in by pynn_sparse/engine/layout.py, whose NumPy dtypes
// mirror these structures field by field (tests/unit/test_plan.py compares the sizes).
//
// Time is counted in steps. A step k takes the network from k*dt to (k+1)*dt:
//   inject      current of the current sources at k*dt
//   neuron_step input that arrives at (k+1)*dt is consumed; spikes get the time stamp k+1
//   record      state at (k+1)*dt
//   deliver     a spike stamped k+1 is added to what arrives at k+1+delay
// Steps begin at -1: that one only lets spike sources emit what is due at time 0.
#pragma once

#include "portable.h"

// A population: neurons of one model, contiguous in the network's index space.
// `scalar` is double or float; parameters are [n_param], or [n_param][n] if heterogeneous.
struct Block {
  void* state;          // scalar [n_state][n]
  const void* param;    // scalar
  const void* current;  // scalar [n], injected current (nA); null for spike sources
  const int64* events;  // spike source: [n + 1] row starts, then time stamps (steps); else null
  const double* unit;   // [n_receptor] weight per count of an accumulator; a power of two
  int64 first_port;     // port of (receptor r, neuron i) = first_port + r * n + i
  int32 n;
  int32 first_neuron;
  int32 heterogeneous;
  int32 padding;
};

// The populations of one model, advanced by one launch.
struct Group {
  void (*step)(const Plan&, Team, int32, int64);  // CPU: the model's kernel; GPU: unused
  const Block* block;
  int32 n_block;
  int32 is_source;
};

// Spikes of one step, in no particular order.
struct SpikeList {
  int32* count;
  int32* neuron;
  int32* multiplicity;  // a Poisson source may emit several spikes in a step
};

// Spikes kept for the user: those of neurons whose `wanted` flag is set.
struct SpikeRecord {
  int32* count;
  int64* stamp;
  int32* neuron;
  int32* multiplicity;
  int32 capacity;
  int32 reserve;  // most entries that one step can add
};

// The synapses whose targets one thread owns, in rows by source neuron.
struct Shard {
  const int64* row_start;  // [n_neuron + 1]
  const uint32* port;      // [n_synapse]
  const uint16* delay;     // [n_synapse] steps, 1..n_slot
  const int64* weight;     // [n_synapse] in units of the target's accumulator
};

// A recorded state variable of some neurons of one population.
struct Probe {
  const void* source;        // scalar [n of the population]
  const int32* index;        // [n] neurons, ascending
  const int32* owner_start;  // [n_shard + 1] which of them a thread owns
  double* sample;            // [rows][n]
  int64 first_stamp;         // rows are taken at first_stamp + row * interval
  int64 interval;
  int64 first_row;  // row that sample[0] holds
  int32 n;
  int32 single;  // source is float
};

// Currents injected into neurons of one population by current sources.
struct Injection {
  void* current;             // scalar [n of the population]
  const int32* index;        // [n] neurons, ascending
  const int32* owner_start;  // [n_shard + 1]
  const int32* row_start;    // [n + 1] into source
  const int32* source;       // current sources of a neuron, in the order of injection
  int32 n;
  int32 single;
};

struct Plan {
  int64* clock;  // [2], GPU only
  int64* ring;   // [n_slot][n_port] accumulators of synaptic input, by step of arrival
  const Group* group;
  const SpikeList* spikes;    // [2][n_shard], by parity of the step
  const SpikeRecord* record;  // [n_shard]
  const uint8* wanted;        // [n_neuron]
  const Shard* shard;         // [n_shard]
  const Probe* probe;
  const Injection* injection;
  const double* waveform;  // [n_source][waveform_steps] current (nA) at each step
  int64 waveform_first;    // step of the first column
  int64 waveform_steps;
  int64 n_port;
  uint64 seed;
  int32 n_slot;
  int32 n_group;
  int32 n_shard;
  int32 n_probe;
  int32 n_injection;
  int32 substeps;  // Runge-Kutta steps in a step, for models without an exact solution
  int32 flush_denormals;
  int32 padding;
};

// A value of a floating-point array whose precision is known only at run time.
DEVICE double read_scalar(const void* x, int32 single, int32 i) {
  return single ? double(static_cast<const float*>(x)[i]) : static_cast<const double*>(x)[i];
}

DEVICE void write_scalar(void* x, int32 single, int32 i, double value) {
  if (single)
    static_cast<float*>(x)[i] = float(value);
  else
    static_cast<double*>(x)[i] = value;
}

#ifdef PYNN_SPARSE_CUDA

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

// Notes a spike for delivery, and for the user where wanted.
DEVICE void emit_spike(const Plan& plan, Team team, int64 step, int32 neuron, int32 multiplicity) {
  const SpikeList& spikes = plan.spikes[(step & 1) * plan.n_shard + list_of(team)];
  const int32 place = next_place(spikes.count);
  spikes.neuron[place] = neuron;
  spikes.multiplicity[place] = multiplicity;
  if (!plan.wanted[neuron]) return;
  const SpikeRecord& record = plan.record[list_of(team)];
  const int32 row = next_place(record.count);
  record.stamp[row] = step + 1;
  record.neuron[row] = neuron;
  record.multiplicity[row] = multiplicity;
}
