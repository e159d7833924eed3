// The one file that knows which compiler it is in.
//
// A kernel is written once, in terms of a Team that shares the work. Compiled by NVRTC or nvcc the team is
// the grid of threads of a launch. Compiled as C++ it is one of the CPU's worker threads, each of which
// owns a fixed range of every population: what a thread owns only that thread writes, so no
// atomic operation is needed there.
#pragma once

#include "plan.h"

// NVRTC knows memcpy, floor and sqrt without headers, and has none.
#ifndef __CUDACC_RTC__
#include <cmath>
#include <cstring>
#endif

#if defined(__CUDACC__) || defined(PYNN_SPARSE_EMULATE_CUDA)
#define PYNN_SPARSE_CUDA 1
#endif

#ifdef PYNN_SPARSE_CUDA

#define DEVICE __device__ __forceinline__
#define DEVICE_ONCE DEVICE  // a call that is not worth copying into the kernels of all models

DEVICE const SpikeList& spike_list(const Plan& plan, int64 step, int32 thread);
DEVICE int32 first_slot(const Plan& plan, int64 step, int32 group);

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
#ifdef PYNN_SPARSE_ONE_KERNEL  // see run.cu
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
#define CELL_FACTS(name, ...)

// Calls body(i) for i in 0..n-1: a thread per item.
template <class Body>
DEVICE void for_each_owned(Team team, int32 n, const int32*, Body body) {
  for (int64 i = team.thread(); i < n; i += team.n_thread()) body(int32(i));
}

// The same, in stretches of at most kStretch items that begin at multiples of it: body(begin, end).
constexpr int32 kStretch = 1;
template <class Body>
DEVICE void for_each_stretch(Team team, int32 n, const int32* owner_start, Body body) {
  for_each_owned(team, n, owner_start, [&](int32 i) { body(i, i + 1); });
}

// Advances each neuron of a block by n_step steps. prepare(step, i) gives what is the same for all neurons
// of a tile that begins with neuron i, body(i, prepared) returns how many spikes neuron i emitted;
// emit(i, count, step) where that is not 0.
template <class Prepare, class Body, class Emit>
DEVICE void for_each_neuron(Team team, const Block& block, int64 first, int32 n_step,
                            Prepare prepare, Body body, Emit emit) {
  for_each_owned(team, block.n, block.owner_start, [&](int32 i) {
    for (int64 step = first; step < first + n_step; ++step) {
      const int32 count = body(i, prepare(step, i));
      if (count) emit(i, count, step);
    }
  });
}

// Calls body(b) for each population of a merged launch: a row of blocks per population.
template <class Body>
DEVICE void for_each_block(Team team, int32 n, Body body) {
  for (int32 b = team.y; b < n; b += team.n_y) body(b);
}

// Adds to an accumulator that other threads may add to at the same time.
DEVICE void add(int64* x, int64 value) {
  atomicAdd(reinterpret_cast<uint64*>(x), static_cast<uint64>(value));
}

DEVICE int64 round_to_integer(double x) { return __double2ll_rn(x); }

// Takes the next free place of a list that other threads may append to at the same time.
DEVICE int32 next_place(int32* count) { return atomicAdd(count, 1); }

// Place of the lowest bit that is 1.
DEVICE int32 lowest_bit(uint64 bits) { return __ffsll(static_cast<int64>(bits)) - 1; }

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
};

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
                          int32 part, int32 n_part, Body body) {
  const int32 row = spikes.neuron[s] - table.first_source, group = g - table.first_group;
  if (row < 0 || row >= table.n_source || group < 0 || group >= table.n_group) return;
  const int64* begin = table.begin + int64(row) * table.n_group + group;
  const int64 thread = int64(part) * blockDim.x + threadIdx.x, stride = int64(n_part) * blockDim.x;
  body(table, row,
       Segment{begin[0] + thread, begin[1], stride, thread == 0, spikes.multiplicity[s], slot});
}

template <class Body>
DEVICE void for_each_segment(const Plan& plan, Team team, int64 first, int32 n_step, Body body) {
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
      if (t < plan.table_start[spikes.block[s] + 1] && !plan.table[t].lag)
        visit_segment(plan.table[t], spikes, s, g, slot, part, n_part, body);
    });
  }
}

// The same for tables that wait a number of steps of their own; the rows of blocks share them. They have
// rules, with which a batch is one step.
template <class Body>
DEVICE void for_each_lagging_segment(const Plan& plan, Team team, int64 step, Body body) {
  for (int32 block = 0; block < plan.n_block; ++block)
    for (int32 t = plan.table_start[block]; t < plan.table_start[block + 1]; ++t) {
      const Table& table = plan.table[t];
      const int64 emitted = step - table.lag;
      if (!table.lag || emitted < table.first_step || t % team.n_y != team.y) continue;
      const SpikeList& spikes = spike_list(plan, emitted, 0);
      for_each_spike(team, spikes, [&](int32 s, int32 part, int32 n_part) {
        if (spikes.block[s] == block)
          visit_segment(table, spikes, s, 0, first_slot(plan, emitted, 0), part, n_part, body);
      });
    }
}

#else

#include <algorithm>
#include <cmath>
#include <iterator>

#define DEVICE inline __attribute__((always_inline))
#define DEVICE_ONCE inline __attribute__((noinline))
#define EXPORT extern "C" __attribute__((visibility("default")))

DEVICE const SpikeList& spike_list(const Plan& plan, int64 step, int32 thread);
DEVICE int32 first_slot(const Plan& plan, int64 step, int32 group);

// One of `size` worker threads.
struct Team {
  int32 rank;
  int32 size;
};

#define KERNEL_(name, which)                                                                   \
  DEVICE void name##_body(const Plan& plan, Team team, int32 group, int64 step, int32 n_step); \
  EXPORT void name(const Plan& plan, Team team, int32 group, int64 step, int32 n_step) {       \
    name##_body(plan, team, group, step, n_step);                                              \
  }                                                                                            \
  DEVICE void name##_body(const Plan& plan, [[maybe_unused]] Team team,                        \
                          [[maybe_unused]] int32 group, int64 step, [[maybe_unused]] int32 n_step)

#define CELL_FACTS(name, ...)                               \
  EXPORT void name(int32* facts) {                          \
    using Cell = __VA_ARGS__;                               \
    constexpr int32 size = sizeof(typename Cell::scalar);   \
    facts[0] = int32(sizeof(typename Cell::State)) / size;  \
    facts[1] = int32(sizeof(typename Cell::Params)) / size; \
    facts[2] = Cell::n_receptor;                            \
  }

template <class Body>
DEVICE void for_each_owned(Team team, int32, const int32* owner_start, Body body) {
  for (int32 i = owner_start[team.rank]; i < owner_start[team.rank + 1]; ++i) body(i);
}

constexpr int32 kStretch = 256;
template <class Body>
DEVICE void for_each_stretch(Team team, int32, const int32* owner_start, Body body) {
  const int32 end = owner_start[team.rank + 1];
  for (int32 begin = owner_start[team.rank]; begin < end;) {
    const int32 next = std::min(end, (begin / kStretch + 1) * kStretch);
    body(begin, next);
    begin = next;
  }
}

// The neurons are advanced a tile at a time, without branches, so that the loop vectorises; the few that
// fired are picked out afterwards. A tile does all steps in turn while its state is in the first cache.
template <class Prepare, class Body, class Emit>
DEVICE void for_each_neuron(Team team, const Block& block, int64 first, int32 n_step,
                            Prepare prepare, Body body, Emit emit) {
  int32 count[kStretch];
  for_each_stretch(team, block.n, block.owner_start, [&](int32 begin, int32 end) {
    const int32 size = end - begin;
    for (int64 step = first; step < first + n_step; ++step) {
      const auto prepared = prepare(step, begin);
      int32 any = 0;
#pragma GCC ivdep
      for (int32 k = 0; k < size; ++k) {
        count[k] = body(begin + k, prepared);
        any |= count[k];
      }
      if (!any) continue;
      for (int32 k = 0; k < size; ++k)
        if (count[k]) emit(begin + k, count[k], step);
    }
  });
}

template <class Body>
DEVICE void for_each_block(Team, int32 n, Body body) {
  for (int32 b = 0; b < n; ++b) body(b);
}

DEVICE void add(int64* x, int64 value) { *x += value; }
DEVICE int64 round_to_integer(double x) { return std::llrint(x); }
DEVICE int32 next_place(int32* count) { return (*count)++; }
DEVICE int32 lowest_bit(uint64 bits) { return __builtin_ctzll(bits); }

DEVICE int32 list_of(Team team) { return team.rank; }

DEVICE void begin_block(const SpikeList& spikes, int32 block) {
  spikes.block[block] = *spikes.count;
}
DEVICE void note_block(const SpikeList&, int32, int32) {}

template <class Body>
DEVICE void for_each_item(Team team, int32, const int32* owner_start, Body body) {
  for (int32 i = owner_start[team.rank]; i < owner_start[team.rank + 1]; ++i) body(i);
}

DEVICE void begin_steps(const Plan&, Team, int64) {}
DEVICE void end_steps(const Plan&, Team, int64, int32) {}

struct Segment {
  int64 begin, end;
  int32 multiplicity;
  int32 first_slot;
  static constexpr int64 stride = 1;
  static constexpr bool leads = true;
};

// Segments wait here for their places in memory, which are far apart, to be fetched: first where each
// begins, then its synapses. `body` gets them in the order in which they were put in.
template <class Body>
class SegmentQueue {
 public:
  explicit SegmentQueue(Body body) : body_(body) {}

  DEVICE void put(const Table& table, int32 row, const int64* begin, int32 multiplicity,
                  int32 first_slot) {
    __builtin_prefetch(begin);
    waiting_[size_++] = {&table, begin, row, {0, 0, multiplicity, first_slot}};
    if (size_ == kLength) drain();
  }

  void drain() {
    for (int32 i = 0; i < size_; ++i) {
      Waiting& each = waiting_[i];
      each.segment.begin = each.begin[0];
      each.segment.end = each.begin[1];
      fetch(*each.table, each.segment);
    }
    for (int32 i = 0; i < size_; ++i)
      body_(*waiting_[i].table, waiting_[i].row, waiting_[i].segment);
    size_ = 0;
  }

 private:
  static constexpr int32 kLength = 32, kLine = 64;

  struct Waiting {
    const Table* table;
    const int64* begin;
    int32 row;
    Segment segment;
  };

  // The first lines of each array; the processor's own prefetching goes on from there.
  DEVICE static void fetch(const Table& table, const Segment& segment) {
    const auto lines = [&](const void* array, int64 size) {
      if (!array) return;
      const char* first = static_cast<const char*>(array) + segment.begin * size;
      const int64 length = (segment.end - segment.begin) * size;
      for (int64 at = 0; at < std::min<int64>(length, 4 * kLine); at += kLine)
        __builtin_prefetch(first + at);
    };
    lines(table.target, table.wide_target ? 4 : 2);
    lines(table.delay, table.wide_delay ? 2 : 1);
    lines(table.weight, table.single ? 4 : 8);
  }

  Body body_;
  int32 size_ = 0;
  Waiting waiting_[kLength];
};

// The segments of a table whose targets this thread owns, for the spikes first .. last - 1 of a list.
template <class Queue>
DEVICE void put_segments(Queue& queue, const Table& table, const SpikeList& spikes, int32 first,
                         int32 last, int32 rank, int32 g, int32 slot) {
  const int32 part = rank - table.first_rank, group = g - table.first_group;
  if (part < 0 || part >= table.n_part || group < 0 || group >= table.n_group) return;
  for (int32 s = first; s < last; ++s) {
    const int32 row = spikes.neuron[s] - table.first_source;
    if (row < 0 || row >= table.n_source) continue;
    const int64 at = (int64(row) * table.n_part + part) * table.n_group + group;
    queue.put(table, row, table.begin + at, spikes.multiplicity[s], slot);
  }
}

// For each spike that is due in a step, of all threads, the segments whose targets this thread owns.
template <class Body>
DEVICE void for_each_segment(const Plan& plan, Team team, int64 step, int32, Body body) {
  SegmentQueue<Body> queue(body);
  for (int32 g = 0; g < plan.n_delay_group; ++g) {
    const int64 emitted = step - int64(g) * plan.delay_group;
    if (emitted < -1) break;
    const int32 slot = first_slot(plan, step, g);
    for (int32 t = 0; t < team.size; ++t) {
      const SpikeList& spikes = spike_list(plan, emitted, t);
      if (!*spikes.count) continue;
      for (int32 b = 0; b < plan.n_block; ++b) {
        const int32 first = spikes.block[b], last = spikes.block[b + 1];
        if (first == last) continue;
        for (int32 j = plan.table_start[b]; j < plan.table_start[b + 1]; ++j)
          if (!plan.table[j].lag)
            put_segments(queue, plan.table[j], spikes, first, last, team.rank, g, slot);
      }
    }
  }
  queue.drain();
}

// The same for tables that wait a number of steps of their own.
template <class Body>
DEVICE void for_each_lagging_segment(const Plan& plan, Team team, int64 step, Body body) {
  SegmentQueue<Body> queue(body);
  for (int32 b = 0; b < plan.n_block; ++b)
    for (int32 j = plan.table_start[b]; j < plan.table_start[b + 1]; ++j) {
      const Table& table = plan.table[j];
      const int64 emitted = step - table.lag;
      if (!table.lag || emitted < table.first_step) continue;
      for (int32 t = 0; t < team.size; ++t) {
        const SpikeList& spikes = spike_list(plan, emitted, t);
        if (*spikes.count)
          put_segments(queue, table, spikes, spikes.block[b], spikes.block[b + 1], team.rank, 0,
                       first_slot(plan, emitted, 0));
      }
    }
  queue.drain();
}

#endif

// The spikes that a thread emitted in a step.
DEVICE const SpikeList& spike_list(const Plan& plan, int64 step, int32 thread) {
  return plan.spikes[(step + 1) % plan.n_list * plan.n_shard + thread];
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
