// What kernels are written with, for the owners of neurons on the CPU. Included by portable.h.
#pragma once

#include "core/plan.h"

#include <algorithm>
#include <cmath>

#define DEVICE inline __attribute__((always_inline))
#define DEVICE_ONCE inline __attribute__((noinline))
#define DEVICE_RARE DEVICE_ONCE

// Numbers of 64 bits side by side in a register.
#if defined(__AVX512F__)
constexpr int32 kLanes = 8;
#elif defined(__AVX2__)
constexpr int32 kLanes = 4;
#elif defined(__SSE2__)
constexpr int32 kLanes = 2;
#else
constexpr int32 kLanes = 1;
#endif
#ifdef __SSE2__
typedef uint64 Lanes __attribute__((vector_size(8 * kLanes)));
#else
using Lanes = uint64;
#endif

// The products of their lower halves: one instruction, which GCC does not find in products of 64 bits, as Clang does.
// It is asked for by its name, since the header of all such names takes as long to read as the rest of a unit.
DEVICE Lanes multiply_halves(Lanes x, Lanes y) {
#if defined(__clang__) || !defined(__SSE2__)
  return (x & 0xffffffff) * (y & 0xffffffff);
#else
  typedef int32 Halves __attribute__((vector_size(8 * kLanes)));
  const auto a = Halves(x), b = Halves(y);
#if defined(__AVX512F__)
  typedef long long Products __attribute__((vector_size(8 * kLanes)));
  return Lanes(__builtin_ia32_pmuludq512_mask(a, b, Products{}, 0xff));
#elif defined(__AVX2__)
  return Lanes(__builtin_ia32_pmuludq256(a, b));
#else
  return Lanes(__builtin_ia32_pmuludq128(a, b));
#endif
#endif
}

// Before a loop of few turns that is to be vectorised: GCC would write out its turns one after the other.
#define SIDE_BY_SIDE _Pragma("GCC unroll 1")

constexpr bool kSpecialises = true;

// Whether a rule of the user's is called where it is: in a library of its own.
constexpr bool kCallsRules = true;

// Whether vectors of 64-bit integers are converted to double by an instruction.
#if defined(__x86_64__) && !defined(__AVX512DQ__)
constexpr bool kConverts = false;
#else
constexpr bool kConverts = true;
#endif
#define EXPORT extern "C" __attribute__((visibility("default")))

DEVICE const SpikeList& spike_list(const Plan& plan, int64 step, int32 thread);
DEVICE int32 first_slot(const Plan& plan, int64 step, int32 group);
DEVICE AtStep at_step(const Plan& plan, const Block& block, int64 step);
DEVICE int64 port_stride(int32 n);
DEVICE int64 segments_of_row(const Table& table);

// One of `size` owners of neurons, whose work some thread does.
struct Team {
  int32 owner;
  int32 size;
};

#define KERNEL_(name, which)                                                                   \
  DEVICE void name##_body(const Plan& plan, Team team, int32 group, int64 step, int32 n_step); \
  EXPORT void name(const Plan& plan, Team team, int32 group, int64 step, int32 n_step) {       \
    name##_body(plan, team, group, step, n_step);                                              \
  }                                                                                            \
  DEVICE void name##_body(const Plan& plan, [[maybe_unused]] Team team,                        \
                          [[maybe_unused]] int32 group, [[maybe_unused]] int64 step,           \
                          [[maybe_unused]] int32 n_step)

#define CELL_FACTS(name, kinds, ...)                        \
  EXPORT void name(int32* facts) {                          \
    using Cell = __VA_ARGS__;                               \
    constexpr int32 size = sizeof(typename Cell::scalar);   \
    facts[0] = int32(sizeof(typename Cell::State)) / size;  \
    facts[1] = int32(sizeof(typename Cell::Params)) / size; \
    facts[2] = Cell::n_receptor;                            \
    facts[3] = kinds;                                       \
  }

template <class Body>
DEVICE void for_each_owned(Team team, int32, const int32* owner_start, Body body) {
  for (int32 i = owner_start[team.owner]; i < owner_start[team.owner + 1]; ++i) body(i);
}

constexpr int32 kStretch = 256;
template <class Body>
DEVICE void for_each_stretch(Team team, int32, const int32* owner_start, Body body) {
  const int32 end = owner_start[team.owner + 1];
  for (int32 begin = owner_start[team.owner]; begin < end;) {
    const int32 next = std::min(end, (begin / kStretch + 1) * kStretch);
    body(begin, next);
    begin = next;
  }
}

template <class Body>
DEVICE void for_each_block(Team, int32 n, Body body) {
  for (int32 b = 0; b < n; ++b) body(b);
}

DEVICE void add(int64* x, int64 value) { *x += value; }
DEVICE void raise_to(int64* x, int64 value) { *x = std::max(*x, value); }
DEVICE int64 round_to_integer(double x) { return std::llrint(x); }
DEVICE int32 next_place(int32* count) { return (*count)++; }
DEVICE void prefetch(const void* place) { __builtin_prefetch(place); }
constexpr int64 kAhead =
    16;  // synapses of a row between one that is served and one whose memory is fetched
DEVICE int32 lowest_bit(uint64 bits) { return __builtin_ctzll(bits); }

// Calls body(m) for the modulators, which each owner remembers for itself.
template <class Body>
DEVICE void for_each_modulator(Team, int32 n, Body body) {
  for (int32 m = 0; m < n; ++m) body(m);
}

// Calls body(neuron, multiplicity) for what the neurons of a block emitted in a step, in any order.
template <class Body>
DEVICE void for_each_spike(const Plan& plan, int64 step, int32 block, Body body) {
  for (int32 shard = 0; shard < plan.n_shard; ++shard) {
    const SpikeList& spikes = spike_list(plan, step, shard);
    for (int32 s = spikes.block[block]; s < spikes.block[block + 1]; ++s)
      body(spikes.neuron[s], spikes.multiplicity[s]);
  }
}

// Whether a neuron is one of an owner's.
DEVICE bool owns(Team team, const int32* owner_start, int32 i) {
  return i >= owner_start[team.owner] && i < owner_start[team.owner + 1];
}

DEVICE int32 list_of(Team team) { return team.owner; }

DEVICE void begin_block(const SpikeList& spikes, int32 block) {
  spikes.block[block] = *spikes.count;
}
DEVICE void note_block(const SpikeList&, int32, int32) {}

template <class Body>
DEVICE void for_each_item(Team team, int32, const int32* owner_start, Body body) {
  for (int32 i = owner_start[team.owner]; i < owner_start[team.owner + 1]; ++i) body(i);
}

DEVICE void begin_steps(const Plan&, Team, int64) {}
DEVICE void end_steps(const Plan&, Team, int64, int32) {}

struct Segment {
  int64 begin, end;
  int32 multiplicity;
  int32 first_slot;
  int32 lag;  // steps since the spike, of tables that wait
  DEVICE static constexpr int64 offset() { return 0; }
  static constexpr int64 stride = 1;
  static constexpr bool leads = true;
};

// Calls body(i, j, begin, end) for i < n_i and j < n_j, the stretches begin .. end making up 0 .. n - 1.
template <class Body>
DEVICE void for_each_in_box(const Segment&, int32 n_i, int32 n_j, int32 n, Body body) {
  for (int32 i = 0; i < n_i; ++i)
    for (int32 j = 0; j < n_j; ++j) body(i, j, 0, n);
}

// Segments wait here for their places in memory, which are far apart, to be fetched: first where each
// begins, then its synapses. `body` gets them in the order in which they were put in, with rows and number, all those of
// a table that follow each other at a time: rows may be short.
template <class Body>
class SegmentQueue {
 public:
  explicit SegmentQueue(Body body) : body_(body) {}

  DEVICE void put(const Table& table, int32 row, const int64* begin, int32 multiplicity,
                  int32 first_slot, int32 lag) {
    __builtin_prefetch(begin);
    table_[size_] = &table;
    begin_[size_] = begin;
    row_[size_] = row;
    segment_[size_] = {0, 0, multiplicity, first_slot, lag};
    if (++size_ == kLength) drain();
  }

  void drain() {
    for (int32 i = 0; i < size_; ++i) {
      segment_[i].begin = begin_[i][0];
      segment_[i].end = begin_[i][1];
      fetch(*table_[i], segment_[i]);
    }
    for (int32 i = 0, end; i < size_; i = end) {
      for (end = i + 1; end < size_ && table_[end] == table_[i];) ++end;
      body_(*table_[i], row_ + i, segment_ + i, end - i);
    }
    size_ = 0;
  }

 private:
  static constexpr int32 kLength = 32, kLine = 64;

  // The first lines of each array; the processor's own prefetching goes on from there, but too late where what is
  // done for each synapse takes much longer than adding.
  DEVICE static void fetch(const Table& table, const Segment& segment) {
    const int64 most = (table.rule ? 16 : 4) * kLine;
    const auto lines = [&](const void* array, int64 size) __attribute__((always_inline)) {
      if (!array) return;
      const char* first = static_cast<const char*>(array) + segment.begin * size;
      const int64 length = (segment.end - segment.begin) * size;
      for (int64 at = 0; at < std::min(length, most); at += kLine) __builtin_prefetch(first + at);
    };
    if (table.port_bits) return lines(table.target, 8);
    lines(table.target, table.wide_target ? 4 : 2);
    lines(table.delay, table.wide_delay ? 2 : 1);
    lines(table.weight, table.single ? 4 : 8);
  }

  Body body_;
  int32 size_ = 0;
  const Table* table_[kLength];
  const int64* begin_[kLength];
  int32 row_[kLength];
  Segment segment_[kLength];
};

// What does body(table, row, segment) for all that a queue gives.
template <class Body>
DEVICE auto one_by_one(Body body) {
  return [body](const Table& table, const int32* rows, const Segment* segments, int32 n) {
    for (int32 i = 0; i < n; ++i) body(table, rows[i], segments[i]);
  };
}

// The segments of a table whose targets this thread owns, for the spikes first .. last - 1 of a list.
template <class Queue>
DEVICE void put_segments(Queue& queue, const Table& table, const SpikeList& spikes, int32 first,
                         int32 last, int32 owner, int32 g, int32 slot, int32 lag = 0) {
  const int32 part = owner - table.first_owner, group = g - table.first_group;
  if (part < 0 || part >= table.n_part || group < 0 || group >= table.n_group) return;
  const int64 per_row = segments_of_row(table), place = int64(part) * table.n_group + group;
  slot += g * table.group_steps;
  for (int32 s = first; s < last; ++s) {
    const int32 row = spikes.neuron[s] - table.first_source;
    if (row < 0 || row >= table.n_source) continue;
    const int64 at = row * per_row + place;
    queue.put(table, row, table.begin + at, spikes.multiplicity[s], slot, lag);
  }
}

// For each spike that is due in a step, of all owners, the segments whose targets this thread owns, several of a table
// at a time: body(table, rows, segments, n); without tables that wait a number of steps of their own, unless `all` are
// asked for.
template <class Body>
DEVICE void for_each_run(const Plan& plan, Team team, int64 step, int32, Body body,
                         bool all = false) {
  SegmentQueue<Body> queue(body);
  for (int32 g = 0; g < plan.n_delay_group; ++g) {
    const int64 emitted = step - int64(g) * plan.delay_group;
    if (emitted < -1) break;
    const int32 slot = first_slot(plan, step, g);
    for (int32 t = 0; t < plan.n_shard; ++t) {
      const SpikeList& spikes = spike_list(plan, emitted, t);
      if (!*spikes.count) continue;
      for (int32 b = 0; b < plan.n_block; ++b) {
        const int32 first = spikes.block[b], last = spikes.block[b + 1];
        if (first == last) continue;
        for (int32 j = plan.table_start[b]; j < plan.table_start[b + 1]; ++j)
          if (all || !plan.table[j].most_lag)
            put_segments(queue, plan.table[j], spikes, first, last, team.owner, g, slot);
      }
    }
  }
  queue.drain();
}

// The same, one by one: body(table, row, segment).
template <class Body>
DEVICE void for_each_segment(const Plan& plan, Team team, int64 step, int32 n_step, Body body,
                             bool all = false) {
  for_each_run(plan, team, step, n_step, one_by_one(body), all);
}

// For tables that wait: for each spike that some synapses may see in this step, all of its segment.
template <class Body>
DEVICE void for_each_lagging_segment(const Plan& plan, Team team, int64 step, Body body) {
  const auto each = one_by_one(body);
  SegmentQueue<decltype(each)> queue(each);
  for (int32 b = 0; b < plan.n_block; ++b)
    for (int32 j = plan.table_start[b]; j < plan.table_start[b + 1]; ++j) {
      const Table& table = plan.table[j];
      if (!table.most_lag) continue;
      for (int32 lag = table.least_lag; lag <= table.most_lag; ++lag) {
        const int64 emitted = step - lag;
        if (emitted < table.first_step) break;
        for (int32 t = 0; t < plan.n_shard; ++t) {
          const SpikeList& spikes = spike_list(plan, emitted, t);
          if (*spikes.count)
            put_segments(queue, table, spikes, spikes.block[b], spikes.block[b + 1], team.owner, 0,
                         first_slot(plan, emitted, 0), lag);
        }
      }
    }
  queue.drain();
}

// So many rows of a matrix are added at a time, at most: what they sum up to stays in registers.
constexpr int32 kBunch = 8;

// Rows of a matrix, those of spikes of one step, and the columns in which they are added up.
struct Bunch {
  int32 row[kBunch], multiplicity[kBunch];
  int32 n;
  int32 first_slot;
  int64 begin, end;
  static constexpr int64 stride = 1;
};

// For each matrix, the rows of spikes that are due in a step, with the columns whose targets this thread owns:
// body(dense, bunch).
template <class Body>
DEVICE void for_each_bunch(const Plan& plan, Team team, int64 step, int32, Body body) {
  for (int32 b = 0; b < plan.n_block; ++b)
    for (int32 j = plan.dense_start[b]; j < plan.dense_start[b + 1]; ++j) {
      const Dense& dense = plan.dense[j];
      const int64 emitted = step - int64(dense.group) * plan.delay_group;
      if (emitted < -1) continue;
      Bunch bunch;
      bunch.n = 0;
      bunch.first_slot = first_slot(plan, step, dense.group);
      bunch.begin = std::max(dense.owner_start[team.owner] - dense.first_target, 0);
      bunch.end = std::min(dense.owner_start[team.owner + 1] - dense.first_target, dense.n_target);
      if (bunch.begin >= bunch.end) continue;
      for (int32 t = 0; t < plan.n_shard; ++t) {
        const SpikeList& spikes = spike_list(plan, emitted, t);
        if (!*spikes.count) continue;
        for (int32 s = spikes.block[b]; s < spikes.block[b + 1]; ++s) {
          const int32 row = spikes.neuron[s] - dense.first_source;
          if (row < 0 || row >= dense.n_source) continue;
          bunch.row[bunch.n] = row;
          bunch.multiplicity[bunch.n] = spikes.multiplicity[s];
          if (++bunch.n < kBunch) continue;
          body(dense, bunch);
          bunch.n = 0;
        }
      }
      if (bunch.n) body(dense, bunch);
    }
}

#include "core/resting.h"
