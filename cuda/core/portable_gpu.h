// What kernels are written with, for the threads of a GPU. Included by portable.h.
#pragma once

#include "core/plan.h"

#define DEVICE __device__ __forceinline__
#define DEVICE_ONCE DEVICE  // a call that is not worth copying into the kernels of all models
// A template that is seldom called: copies at each of its calls would take the user's first run a minute to
// compile.
#define DEVICE_RARE __device__ __attribute__((noinline))

#define SIDE_BY_SIDE  // see portable_cpu.h

constexpr bool kConverts = true;

constexpr int32 kLanes = 1;  // see portable_cpu.h
using Lanes = uint64;
DEVICE Lanes multiply_halves(Lanes x, Lanes y) { return uint64(uint32(x)) * uint32(y); }

// Whether loops over synapses are compiled for each way in which these are stored, and loops over neurons for
// each usual number of substeps. Here that would cost the user a minute, when a kernel is compiled, and gain
// nothing: all threads of a block go the same way.
constexpr bool kSpecialises = false;

// Rules of the user's are compiled with the kernel that delivers.
constexpr bool kCallsRules = false;

DEVICE const SpikeList& spike_list(const Plan& plan, int64 step, int32 thread);
DEVICE int32 first_slot(const Plan& plan, int64 step, int32 group);
DEVICE int64 segments_of_row(const Table& table);
DEVICE AtStep at_step(const Plan& plan, const Block& block, int64 step);

// A block of threads among those that share a kernel's work: number x of n_x in row y of n_y. In a kernel
// that does all steps by itself, a block takes the places of several, one after the other.
struct Team {
  int32 x, n_x, y, n_y;

  DEVICE static Team here() {
    return {int32(blockIdx.x), int32(gridDim.x), int32(blockIdx.y), int32(gridDim.y)};
  }
  DEVICE int64 thread() const { return x * int64(blockDim.x) + threadIdx.x; }
  DEVICE int64 n_thread() const { return n_x * int64(blockDim.x); }
  DEVICE bool leads() const { return thread() == 0 && y == 0; }
};

// Defines a kernel; its body follows. `which` selects the clock that it reads: 0 while steps are computed,
// 1 while their spikes are delivered, so that the last kernel of a batch of steps can advance clock 0.
#define KERNEL_BODY_(name) \
  DEVICE void name##_body(const Plan& plan, Team team, int32 group, int64 step, int32 n_step)
#ifdef PYNN_SPARSE_ONE_KERNEL  // see step/run.h
#define KERNEL_(name, which) KERNEL_BODY_(name)
#else
#define KERNEL_(name, which)                                                     \
  KERNEL_BODY_(name);                                                            \
  extern "C" __global__ void name(const Plan* plan, int32 group, int32 n_step) { \
    name##_body(*plan, Team::here(), group, plan->clock[which], n_step);         \
  }                                                                              \
  KERNEL_BODY_(name)
#endif

// What the loader on the CPU compares with a model's entry in Python.
#define CELL_FACTS(name, kinds, ...)

// Calls body(i) for the items of this process, or for i in 0..n-1 where nobody owns them: a thread per item.
template <class Body>
DEVICE void for_each_owned(Team team, int32 n, const int32* owner_start, Body body) {
  const int64 begin = owner_start ? owner_start[0] : 0, end = owner_start ? owner_start[1] : n;
  for (int64 i = begin + team.thread(); i < end; i += team.n_thread()) body(int32(i));
}

// The same, in stretches of at most kStretch items that begin at multiples of it: body(begin, end).
constexpr int32 kStretch = 1;
template <class Body>
DEVICE void for_each_stretch(Team team, int32 n, const int32* owner_start, Body body) {
  for_each_owned(team, n, owner_start, [&](int32 i) { body(i, i + 1); });
}

// Advances each neuron of a block by n_step steps; emit(block, i, count, step) for those that fire.
template <class Stepper, class Emit>
DEVICE void advance_neurons(const Plan& plan, Team team, const Block& block, const Stepper& stepper,
                            int64 first, int32 n_step, Emit emit) {
  for_each_owned(team, block.n, block.owner_start, [&](int32 i) {
    for (int64 step = first; step < first + n_step; ++step) {
      AtStep at = at_step(plan, block, step);
      uint32 bits[kStretch];
      stepper.prepare(block, at, i, bits);
      int32 count = stepper.template advance<false>(block, at, i);
      if (count < 0) count = stepper.advance_carefully(block, at, i);
      if (count) emit(emit.list(step), block, i, count, step);
      if (stepper.fades(step)) stepper.fade(block, i);
    }
  });
}

// No neuron rests here: a thread that does nothing saves no time while its neighbours work.
DEVICE bool watches(const Plan&, Team) { return false; }
DEVICE void note_input(const Plan&, int64) {}
DEVICE void wake(uint8*, int32) {}

// Calls body(b) for each population of a merged launch: a row of blocks per population.
template <class Body>
DEVICE void for_each_block(Team team, int32 n, Body body) {
  for (int32 b = team.y; b < n; b += team.n_y) body(b);
}

// Adds to an accumulator that other threads may add to at the same time.
DEVICE void add(int64* x, int64 value) {
  atomicAdd(reinterpret_cast<uint64*>(x), static_cast<uint64>(value));
}

// Makes a number that other threads may raise at the same time at least as great as `value`.
DEVICE void raise_to(int64* x, int64 value) { atomicMax(x, value); }

DEVICE int64 round_to_integer(double x) { return __double2ll_rn(x); }

// Takes the next free place of a list that other threads may append to at the same time.
DEVICE int32 next_place(int32* count) { return atomicAdd(count, 1); }

// Threads that wait for memory leave the processor to others.
DEVICE void prefetch(const void*) {}
constexpr int64 kAhead = 0;

// Place of the lowest bit that is 1.
DEVICE int32 lowest_bit(uint64 bits) { return __ffsll(static_cast<int64>(bits)) - 1; }

template <class Body>
DEVICE void for_each_modulator(Team team, int32 n, Body body) {
  for_each_owned(team, n, nullptr, body);
}

template <class Body>
DEVICE void for_each_spike(const Plan& plan, int64 step, int32 block, Body body) {
  const SpikeList& spikes = spike_list(plan, step, 0);
  for (int32 s = 0; s < *spikes.count; ++s)
    if (spikes.block[s] == block) body(spikes.neuron[s], spikes.multiplicity[s]);
}

DEVICE bool owns(Team, const int32*, int32) { return true; }

DEVICE int32 list_of(Team) { return 0; }

DEVICE void begin_block(const SpikeList&, int32) {}
DEVICE void note_block(const SpikeList& spikes, int32 place, int32 block) {
  spikes.block[place] = block;
}

// Items that belong to one neuron each (probes, injections): a thread per item.
template <class Body>
DEVICE void for_each_item(Team team, int32 n, const int32*, Body body) {
  for_each_owned(team, n, nullptr, body);
}

DEVICE void begin_steps(const Plan& plan, Team team, int64 step) {
  if (team.leads()) plan.clock[1] = step;
}

// In the last kernel of a batch of steps: nobody reads clock 0 or the lists of the next batch meanwhile.
DEVICE void end_steps(const Plan& plan, Team team, int64 step, int32 n_step) {
  if (!team.leads()) return;
  plan.clock[0] = step + n_step;
  for (int32 k = 0; k < plan.batch; ++k) *spike_list(plan, step + n_step + k, 0).count = 0;
}

// For each spike that is due in n_step steps, each segment of synapses. A row y of blocks serves one step, one
// group of delays, and one of the tables of each source, so that no thread waits for one table before it
// reads another; where there are fewer spikes than blocks in a row, several blocks share a segment.
// body(table, row, segment) with the members of Segment.
struct Segment {
  int64 begin, end;  // this thread's part: begin, begin + stride, ...
  int64 stride;
  bool leads;  // whether this thread does what is done once for a segment
  int32 multiplicity;
  int32 first_slot;  // of the ring, for a delay of 0; to be wrapped around
  int32 lag;         // steps since the spike, of tables that wait
  int64 thread;      // number of this thread among those that share the segment

  DEVICE int64 offset() const { return thread; }
};

// Calls body(i, j, k, k + 1) for i < n_i, j < n_j and k < n, each by one of the threads that share a segment.
template <class Body>
DEVICE void for_each_in_box(const Segment& segment, int32 n_i, int32 n_j, int32 n, Body body) {
  const int64 all = int64(n_i) * n_j * n;
  for (int64 item = segment.offset(); item < all; item += segment.stride) {
    const int32 k = int32(item % n), pair = int32(item / n);
    body(pair / n_j, pair % n_j, k, k + 1);
  }
}

// Calls visit(s, part, n_part) for the spikes of a list: this block does one of n_part parts of spike s.
template <class Visit>
DEVICE void for_each_spike(Team team, const SpikeList& spikes, Visit visit) {
  const int32 count = *spikes.count;
  if (!count) return;
  const int32 n_part = team.n_x > count ? team.n_x / count : 1;
  for (int64 item = team.x; item < int64(count) * n_part; item += team.n_x)
    visit(int32(item / n_part), int32(item % n_part), n_part);
}

template <class Body>
DEVICE void visit_segment(const Table& table, const SpikeList& spikes, int32 s, int32 g, int32 slot,
                          int32 lag, int32 part, int32 n_part, Body body) {
  const int32 row = spikes.neuron[s] - table.first_source, group = g - table.first_group;
  if (row < 0 || row >= table.n_source || group < 0 || group >= table.n_group) return;
  const int64* begin = table.begin + row * segments_of_row(table) + group;
  const int64 thread = int64(part) * blockDim.x + threadIdx.x, stride = int64(n_part) * blockDim.x;
  body(table, row,
       Segment{begin[0] + thread, begin[1], stride, thread == 0, spikes.multiplicity[s], slot, lag,
               thread});
}

template <class Body>
DEVICE void for_each_segment(const Plan& plan, Team team, int64 first, int32 n_step, Body body,
                             bool all = false) {
  const int32 per_table = plan.n_delay_group * n_step;
  for (int32 y = team.y; y < per_table * plan.most_tables; y += team.n_y) {
    const int32 g = y % plan.n_delay_group, number = y / per_table;
    const int64 step = first + y % per_table / plan.n_delay_group;
    const int64 emitted = step - int64(g) * plan.delay_group;
    if (emitted < -1) continue;
    const SpikeList& spikes = spike_list(plan, emitted, 0);
    const int32 slot = first_slot(plan, step, g);
    for_each_spike(team, spikes, [&](int32 s, int32 part, int32 n_part) {
      const int32 t = plan.table_start[spikes.block[s]] + number;
      if (t < plan.table_start[spikes.block[s] + 1] && (all || !plan.table[t].most_lag))
        visit_segment(plan.table[t], spikes, s, g, slot, 0, part, n_part, body);
    });
  }
}

// The same as body(table, rows, segments, n), as the CPU has it; n is 1.
template <class Body>
DEVICE void for_each_run(const Plan& plan, Team team, int64 first, int32 n_step, Body body) {
  for_each_segment(plan, team, first, n_step,
                   [&](const Table& table, int32 row, const Segment& segment) {
                     body(table, &row, &segment, 1);
                   });
}

// For tables that wait: for each spike that some synapses may see in this step, all of its segment. The rows of
// blocks share what there is of tables and steps. They have rules, with which a batch is one step.
template <class Body>
DEVICE void for_each_lagging_segment(const Plan& plan, Team team, int64 step, Body body) {
  for (int32 block = 0; block < plan.n_block; ++block)
    for (int32 t = plan.table_start[block]; t < plan.table_start[block + 1]; ++t) {
      const Table& table = plan.table[t];
      if (!table.most_lag) continue;
      for (int32 lag = table.least_lag; lag <= table.most_lag; ++lag) {
        const int64 emitted = step - lag;
        if (emitted < table.first_step) break;
        if ((t + lag) % team.n_y != team.y) continue;
        const SpikeList& spikes = spike_list(plan, emitted, 0);
        const int32 slot = first_slot(plan, emitted, 0);
        for_each_spike(team, spikes, [&](int32 s, int32 part, int32 n_part) {
          if (spikes.block[s] == block)
            visit_segment(table, spikes, s, 0, slot, lag, part, n_part, body);
        });
      }
    }
}

// A row of a matrix, and this thread's part of the columns: begin, begin + stride, ...
constexpr int32 kBunch = 1;
struct Bunch {
  int32 row[kBunch], multiplicity[kBunch];
  int32 first_slot;
  int64 begin, end, stride;
  static constexpr int32 n = 1;
};

// For each matrix, the rows of spikes that are due in n_step steps: body(dense, bunch). Blocks share the work as in
// for_each_segment.
template <class Body>
DEVICE void for_each_bunch(const Plan& plan, Team team, int64 first, int32 n_step, Body body) {
  const int32 per_matrix = plan.n_delay_group * n_step;
  for (int32 y = team.y; y < per_matrix * plan.most_dense; y += team.n_y) {
    const int32 g = y % plan.n_delay_group, number = y / per_matrix;
    const int64 step = first + y % per_matrix / plan.n_delay_group;
    const int64 emitted = step - int64(g) * plan.delay_group;
    if (emitted < -1) continue;
    const SpikeList& spikes = spike_list(plan, emitted, 0);
    for_each_spike(team, spikes, [&](int32 s, int32 part, int32 n_part) {
      const int32 j = plan.dense_start[spikes.block[s]] + number;
      if (j >= plan.dense_start[spikes.block[s] + 1] || plan.dense[j].group != g) return;
      const Dense& dense = plan.dense[j];
      const int32 row = spikes.neuron[s] - dense.first_source;
      if (row < 0 || row >= dense.n_source) return;
      body(dense, Bunch{{row},
                        {spikes.multiplicity[s]},
                        first_slot(plan, step, g),
                        int64(part) * blockDim.x + threadIdx.x,
                        dense.n_target,
                        int64(n_part) * blockDim.x});
    });
  }
}
