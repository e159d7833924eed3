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

#include "types.h"

struct Plan;
struct Team;

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
