// What the kernels work on: one Plan, filled in by pynn_sparse/engine. The NumPy dtypes of
// engine/structures.py mirror these structures field by field; sizes are compared on loading, and
// all fields by tests/unit/test_step.py.
//
// Time is counted in steps. A step k takes the network from k*dt to (k+1)*dt:
//   inject      current of the current sources at k*dt
//   couple      current through gap junctions, from the potentials at k*dt
//   neuron_step input that arrives at (k+1)*dt is consumed; spikes get the time stamp k+1
//   record      state at (k+1)*dt
//   deliver     a spike stamped k+1 is added to what arrives at k+1+delay
// Steps begin at -1: that one only lets spike sources emit what is due at time 0.
//
// Delivery may wait. Synapses are sorted by groups of `delay_group` delays, and those of group g are
// delivered g * delay_group steps after the spike. Then accumulators are needed for delay_group steps
// only, however long the delays are, and stay in the cache.
#pragma once

#include "core/types.h"

struct Plan;
struct Team;
struct Table;
struct Segment;

// What is left of a trace after a number of steps. Each spike adds 1 to it, or, where it follows the last spike
// alone, sets it to 1.
struct Decay {
  const double* left;  // [n]; beyond, nothing is left
  int32 n;
  int32 nearest;  // whether it follows the last spike alone
};

// Spikes of a population that plastic synapses onto it may still have to see: for each neuron the last
// `capacity`, with traces. Where they are: see synapses/history.h.
struct History {
  int32* count;        // [n] spikes so far
  int64* stamp;        // [n * capacity]
  double* trace;       // [n_trace][n * capacity] just after the spike; `nearest` just before
  double* left;        // [n * capacity] of a source's trace, since its era began; may be null
  const Decay* decay;  // [n_trace]
  const double* other_decay;  // [era] of a source's trace
  int32 n_trace;
  int32 capacity;  // a power of two
  int32 n;
  int32 era;  // steps, a power of two, after which nothing is left of a source's trace
};

// A parameter of the synapses of a table: each one's, or one for all.
struct Column {
  const double* each;  // [n], or null
  double common;
};

constexpr int32 kMostColumns = 24, kMostStates = 8, kMostVariables = 4;

// What synapses do besides adding their weight, see synapses/*.h.
struct Rule {
  // What serves a segment of a rule of the user's, on the CPU: its own library has that. Else null.
  void (*serve)(const Plan&, Team, const Table&, int32, const Segment&, int64);
  const History* history;    // of the targets, for weights that change
  const History* source;     // of the sources: those that an owner has seen after another's
  const History* modulator;  // null where there is none; see below
  const void* variable[kMostVariables];  // scalar [n of the targets], those that are read
  const uint32* identity;                // [n] number of each synapse, for random numbers
  int64* flaw;  // of a rule of the user's: what came to be no number first, see note_flaw; [n_list]
  double* state[kMostStates];   // [n] of each synapse
  Column column[kMostColumns];  // parameters
  uint64 seed;                  // of random numbers
  int64 since;             // step at which the user last set weights: they contain what came before
  double sign;             // of the weights
  double dendritic;        // fraction of the delay that lies in the dendrite
  int32 number;            // of the table, for random numbers
  int32 kind;              // SynapseKind
  int32 single_variables;  // whether they are float
  int32 modulated_each;    // whether the modulator is what comes to each target
};

// A population: neurons of one model, contiguous in the network's index space.
// `scalar` is double or float; parameters are [n_param], or [n_param][n] if heterogeneous.
struct Block {
  void* state;          // scalar [n_state][n]
  const void* param;    // scalar
  const void* current;  // scalar [n], injected current (nA); null where there is none
  const int64* events;  // spike source: [n + 1] row starts, then time stamps (steps), and the same
                        // in the order of time, see schedule.h, on the CPU; else null
  const double* unit;   // [n_receptor] weight per count of an accumulator; a power of two
  const int32* owner_start;  // [n_owner + 1] owner k has owner_start[k] .. owner_start[k + 1] - 1
  const History* history;    // [n_history] of its spikes, for plastic synapses onto it
  uint8* awake;  // [granules of n] a bit for each neuron, see resting.h; null where none may rest
  uint64 seed;   // of its random numbers
  int64 first_port;  // port of (receptor r, neuron i) = first_port + r * port_stride(n) + i
  int32 n;
  int32 first_neuron;
  int32 heterogeneous;
  int32 number;  // its place in the order in which blocks are advanced
  int32 n_history;
  int32 stream;            // number of its first neuron among those with the same seed
  int32 first_background;  // in the plan, of those that feed this population
  int32 n_background;
};

// Neurons, and ports, come in granules, which begin at multiples of it: those of a population at a receptor begin
// with a granule of their own.
constexpr int32 kGranule = 8;

// The populations of one model, advanced by one launch.
struct Group {
  void (*step)(const Plan&, Team, int32, int64, int32);  // CPU: the model's kernel; GPU: unused
  const Block* block;
  int32 n_block;
  int32 n_receptor;
  int32 is_source;
  int32 padding;
};

// Spikes of one step. A GPU appends in no particular order, and notes the block of each; a CPU thread
// appends block after block, and notes where each block's spikes begin.
struct SpikeList {
  int32* count;
  int32* neuron;        // index in its block
  int32* multiplicity;  // spikes, where a source emits several; the value of a graded event
  int32* block;         // GPU: [count] number of the block; CPU: [n_block + 1] first place
};

// Spikes kept for the user: those of neurons whose `wanted` flag is set.
struct SpikeRecord {
  int32* count;
  int64* refused;  // the first event that could not be sent, see step/events.h; 0 if there is none
  int64* stamp;
  int32* neuron;        // in the network's index space
  int32* multiplicity;  // as in SpikeList
  int32 capacity;
  int32 reserve;  // most entries that one step can add
};

// Where synapses of a convolution lead along one axis of space: which places of the target a place of the source
// reaches, and by which taps of the kernel.
struct Axis {
  const int32* begin;   // [n_source + 1] into the arrays below
  const uint16* place;  // of the target
  const uint16* tap;
  int32 n_source;
  int32 n_target;
  int32 n_tap;
  int32 padding;
};

// Synapses whose weights are those of a kernel: [channel of the source][tap of y][tap of x][channel of the target
// within its group]. Both populations are counted by channel, y and x.
struct Shared {
  Axis y, x;
  int32 group_source;  // channels of the source in a group
  int32 group_target;  // channels of the target that each of them leads to
  int32 per_channel;   // weights of a channel of the source; 0 where all channels have the same
  int32 padding;
};

// Synapses from one population to another at one receptor, in rows by source neuron. A row is made of
// segments, by the thread that owns the targets (part) and within that by groups of delays. Where synapses share
// weights, rows are not stored, and `begin` [n_part + 1] divides the targets, for all rows alike.
struct Table {
  const int64* begin;  // [n_source * n_part * n_group + 1] where each segment begins
  const void* target;  // uint16 or uint32 [n], index in the target population
  const void* delay;   // uint8 or uint16 [n], steps; null where all are common_delay
  void* weight;        // double or float [n], in the user's unit; null where all are common_weight
  const Rule* rule;    // what synapses do besides; null where they add their weight and no more
  const Shared* shared;  // where weights are those of a kernel, which `weight` has; else null
  double scale;          // counts of the target's accumulator per weight, for a multiplicity of 1
  int64 common_weight;   // in counts
  int64 first_port;      // of target 0
  int64 first_step;      // with a lag: earlier spikes, from before the table was made, do not pass
  int32 first_source;    // index in its population of the source of row 0
  int32 n_source;
  int32 first_owner;  // part p is of owner first_owner + p
  int32 n_part;
  int32 first_group;  // segment g is of the delays of group first_group + g
  int32 n_group;
  int32 common_delay;
  int32 wide_target;  // target is uint32
  int32 wide_delay;   // delay is uint16
  int32 single;       // weight is float
  int32 least_lag;    // steps that delivery waits after a spike, with a rule; where they
  int32 most_lag;     // differ, segments are sorted by them
  int32 port_bits;    // where synapses are packed, see synapses/packed.h, their lowest bits; else 0
  int32 delay_bits;   // ... the next ones
  int32 group_steps;  // ... and the plan's delay_group; else 0
  int32 padding;
};

// The type of a matrix's items.
enum DenseItem : int32 { kInt8, kInt16, kFloat, kDouble };

// Synapses between most pairs of cells, with one delay, as a matrix by source: 0 where there is none.
struct Dense {
  const void* item;          // [n_source][n_target], of type `type`
  const int32* owner_start;  // of the targets, as in their Block
  double scale;              // counts of the target's accumulator per item, for a multiplicity of 1
  int64 first_port;          // of column 0
  int32 first_source;        // index in its population of the source of row 0
  int32 n_source;
  int32 first_target;  // index in its population of the target of column 0
  int32 n_target;
  int32 delay;
  int32 group;  // of the delay, see delay_group
  int32 type;   // DenseItem
  int32
      in_sums;  // whether items are whole counts of which doubles can sum up kBunch, see synapses/dense.h
};

// Poisson sources that each feed one neuron of a population, drawn where their spikes arrive instead of
// being emitted and delivered.
struct Background {
  const double* param;       // of the sources, as in their Block
  const uint32* threshold;   // [n_threshold], see poisson.h; null if heterogeneous
  const int64* weight;       // [n] in counts, or null where all are common_weight
  const int32* owner_start;  // of the targets
  uint64 seed;               // of the sources, as in their Block
  int64 common_weight;
  int64 first_port;  // of target 0
  int64 first_step;  // drawn for the steps first_step .. last_step - 1 of the sources
  int64 last_step;
  int32 stream;  // of the sources
  int32 n;
  int32 delay;
  int32 n_threshold;
};

// A recorded state variable of some neurons of one population.
struct Probe {
  const void* source;        // scalar [n of the population]
  const int32* index;        // [n] neurons, ascending
  const int32* owner_start;  // [n_owner + 1] which of them an owner has
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
  uint8* awake;              // as in its Block
  const int32* index;        // [n] neurons, ascending
  const int32* owner_start;  // [n_owner + 1]
  const int32* row_start;    // [n + 1] into source
  const int32* source;       // waveforms of a neuron, in the order of injection
  int32 n;
  int32 single;
};

// Potentials of the neurons of a population.
struct Potential {
  const void* v;  // scalar [n of the population]
  int32 single;   // v is float
  int32 padding;
};

// Gap junctions of neurons of one population, in rows by the neuron that the current flows into. All of a
// neuron's are in one row, so that one thread adds them up, in their order.
struct Junction {
  void* current;               // scalar [n of the population]
  uint8* awake;                // as in its Block
  const Potential* potential;  // of the populations that are coupled, this one first
  const int32* index;          // [n] neurons, ascending
  const int32* owner_start;    // [n_owner + 1]
  const int32* row_start;      // [n + 1] into the arrays below
  const int32* from;           // place in `potential`
  const int32* other;          // index in that population
  const double* conductance;   // uS
  int32 n;
  int32 padding;
};

// What an owner knows of its neurons at rest, see resting.h; on cache lines of its own.
struct Rest {
  int64 next_look;  // step at which it next asks whether to begin, or to end, watching them
  int64 n_still;    // in this batch of steps: neurons at rest
  int64 n_seen;     // of so many
  int32 watching;   // whether what wakes them is noted
  int32 padding[9];
};

// How processes that share a network tell each other of their spikes, on the CPU; see step/exchange.h. One of the two
// functions is there.
struct Exchange {
  // Sends `n` words to all processes, and receives those of each, by rank; 0 where that was done.
  int32 (*all_gather)(void* context, const uint32* mine, uint32* all, int64 n);
  void* context;
  // MPI_Allgather, called as it is, with its handles; then `all_gather` is null.
  int32 (*mpi_all_gather)(const void*, int32, uint64, void*, int32, uint64, uint64);
  uint64 mpi_type;  // of a word
  uint64 mpi_comm;
  int64 words;       // of a message; it grows with what is sent
  int64 n_exchange;  // exchanges so far ...
  int64 n_sent;      // ... and words that this process had to tell in them
  int32 rank;
  int32 n_rank;
};

// Connections by which spikes of a population modulate the synapses onto other neurons, in rows by source.
struct Modulation {
  const int64* row_start;  // [n_source + 1]
  const int32* target;
  const int64* size;  // of what a spike is to its target, in units of the modulator
  int32 number;       // of the source's block, as in Block; -1 if that emits nothing
  int32 padding;
};

// Spikes that modulate synapses. Either those of a population, for all synapses alike: what is remembered of them, as
// of one neuron, each owner of synapses has for itself, in `history`, [n_owner]. Or what comes to the target of each
// synapse by connections; then `history` is of the targets. They are stamped with the time at which they come.
struct Modulator {
  const History* history;
  const Modulation* each;    // [n_each]; null where spikes are for all synapses alike
  int64* sum;                // [n of the targets] of what comes to each in a step
  const int32* owner_start;  // of the targets, as in their Block
  double unit;               // of these sums
  int32 number;              // of the block; -1 if that emits nothing
  int32 delay;
  int32 n_each;
  int32 padding;
};

struct Plan {
  int64* clock;  // [2], GPU only
  int64* ring;   // [n_slot][n_port] accumulators of synaptic input, by step of arrival
  uint16*
      due;  // [n_port / kGranule] steps in which input may still come to a granule, where it is watched
  Rest* rest;  // [n_owner]; null where no neuron may rest
  const Group* group;
  const SpikeList* spikes;       // [n_list][n_shard], by step modulo n_list
  const SpikeRecord* record;     // [n_owner]
  const uint8* wanted;           // [n_neuron]
  const Table* table;            // by the source's block
  const int32* table_start;      // [n_block + 1] into `table`
  const Dense* dense;            // by the source's block
  const int32* dense_start;      // [n_block + 1] into `dense`
  const Background* background;  // by the population that they feed
  const Probe* probe;
  const Injection* injection;
  const Junction* junction;
  Exchange* exchange;  // null where one process has all neurons
  const Modulator* modulator;
  const double* waveform;     // [row][n_waveform] currents (nA)
  const int32* waveform_row;  // row of each step; where nothing changes, steps share one
  int64 waveform_first;       // the first of them
  int64 n_waveform;
  int64 n_port;
  int32 n_slot;
  int32 n_list;
  int32 n_group;
  int32 n_block;
  int32 n_owner;
  int32 n_probe;
  int32 n_injection;
  int32 delay_group;    // delays d with the same (d - 1) / delay_group are delivered together ...
  int32 n_delay_group;  // ... as many times delay_group steps after the spike
  int32 batch;          // steps that neurons may do without a spike of the first reaching the last
  int32 substeps;       // Runge-Kutta steps in a step, for models without an exact solution
  int32 flush_denormals;
  int32 n_rule;       // number of tables with a rule
  int32 lagging;      // whether any of them waits
  int32 most_tables;  // of a source
  int32 n_junction;
  int32 n_shared;  // number of tables whose synapses share weights
  int32 n_shard;   // lists of spikes of a step: one of each owner, and one of each other process
  int32 n_modulator;
  int32 n_dense;
  int32 most_dense;  // of a source
  int32 padding;
};
