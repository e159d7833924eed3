// How one neuron, and one population, of a model is advanced by a step.
#pragma once

#include "core/cell.h"
#include "sources/poisson.h"
#include "synapses/plasticity.h"

// Notes a spike for delivery, and for the user where wanted.
DEVICE void emit_spike(const Plan& plan, Team team, const Block& block, int64 step, int32 i,
                       int32 multiplicity) {
  const SpikeList& spikes = spike_list(plan, step, list_of(team));
  const int32 place = next_place(spikes.count);
  spikes.neuron[place] = i;
  spikes.multiplicity[place] = multiplicity;
  note_block(spikes, place, block.number);
  for (int32 h = 0; h < block.n_history; ++h)
    for (int32 m = 0; m < multiplicity; ++m) add_spike(block.history[h], i, step + 1);
  const int32 neuron = block.first_neuron + i;
  if (!plan.wanted[neuron]) return;
  const SpikeRecord& record = plan.record[list_of(team)];
  const int32 row = next_place(record.count);
  record.stamp[row] = step + 1;
  record.neuron[row] = neuron;
  record.multiplicity[row] = multiplicity;
}

// A neuron's background is drawn by the thread that goes on to advance it.
DEVICE void draw_backgrounds(const Plan& plan, Team team, const Block& block, int64 first,
                             int32 n_step) {
  for (int32 b = 0; b < block.n_background; ++b)
    for (int64 step = first; step < first + n_step; ++step)
      draw_background(plan, team, plan.background[block.first_background + b], step);
}

// A number of substeps that the compiler knows, so that the loop over neurons still vectorises.
template <int32 n>
struct Fixed {
  DEVICE constexpr operator int32() const { return n; }
};

template <bool flag>
struct Flag {
  static constexpr bool value = flag;
};

// Calls use(a, b) with what is known of a block made known to the compiler.
template <class Use>
DEVICE void with_flags(bool a, bool b, Use use) {
  if (a)
    b ? use(Flag<true>(), Flag<true>()) : use(Flag<true>(), Flag<false>());
  else
    b ? use(Flag<false>(), Flag<true>()) : use(Flag<false>(), Flag<false>());
}

// What a step needs that is the same for all neurons of a tile.
struct AtStep {
  int64 step;
  int64* input;        // [n_receptor][n]
  const uint32* bits;  // for neuron `first` and those after it
  int32 first;
};

// Advances a neuron and returns how many spikes it emitted. One that needs care is left as it is at first, and
// less than 0 is returned, for the caller to come back to it.
//
// `block` and what `input` points to are the caller's own copies: read through pointers, they might
// change with every store as far as the compiler knows, and the loop over neurons would not vectorise.
template <class Cell, bool driven, bool careful, class Substeps>
DEVICE int32 step_neuron(const Block& block, AtStep at, const double* unit, int32 i,
                         const typename Cell::Params& params, Substeps substeps) {
  using scalar = typename Cell::scalar;
  scalar* state = static_cast<scalar*>(block.state);
  scalar arrived[Cell::n_receptor + 1];
  for (int32 r = 0; r < Cell::n_receptor; ++r)
    arrived[r] = scalar(double_of(at.input[int64(r) * block.n + i]) * unit[r]);
  const scalar current = driven ? static_cast<const scalar*>(block.current)[i] : scalar(0);
  Now now{at.step, block.seed, block.stream, i, substeps, nullptr, 0, 0};
  if constexpr (OffersCount<Cell>::value) now.bits = at.bits[i - at.first];
  if (block.events) {
    now.events = block.events + block.n + 1 + block.events[i];
    now.n_event = block.events[i + 1] - block.events[i];
  }
  const FieldsOf<typename Cell::State, scalar> fields;
  const auto before = read_fields<typename Cell::State>(state, block.n, i, fields);
  auto neuron = before;
  int32 spikes;
  bool waits = false;
  if constexpr (OffersCare<Cell>::value) {
    spikes = Cell::template step<careful>(now, params, neuron, arrived, current);
    waits = !careful && spikes == kNeedsCare;
  } else {
    spikes = Cell::step(now, params, neuron, arrived, current);
  }
  write_fields(state, block.n, i, neuron, before, waits, fields);
  for (int32 r = 0; r < Cell::n_receptor; ++r) {
    int64* sum = at.input + int64(r) * block.n + i;
    *sum &= -int64(waits);
  }
  return spikes;
}

template <class Cell, bool heterogeneous, bool driven, class Substeps>
DEVICE void step_block(const Plan& plan, Team team, const Block block, int64 first, int32 n_step,
                       Substeps substeps) {
  using scalar = typename Cell::scalar;
  using Params = typename Cell::Params;
  const scalar* param = static_cast<const scalar*>(block.param);
  const FieldsOf<Params, scalar> fields;
  const Params common = read_fields<Params>(param, heterogeneous ? block.n : 1, 0, fields);
  double unit[Cell::n_receptor + 1];
  for (int32 r = 0; r < Cell::n_receptor; ++r) unit[r] = block.unit[r];
  for (int64 step = first; step < first + n_step; ++step)
    begin_block(spike_list(plan, step, list_of(team)), block.number);
  const auto params_of = [=](int32 i) {
    if constexpr (heterogeneous)
      return read_fields<Params>(param, block.n, i, fields);
    else
      return common;
  };
  uint32 bits[kStretch];
  for_each_neuron(
      team, block, first, n_step,
      [&](int64 step, int32 begin) {
        const int64 slot = (step + 1) % plan.n_slot;
        AtStep at{step, plan.ring + slot * plan.n_port + block.first_port, bits, 0};
        if constexpr (OffersCount<Cell>::value)
          at.first = bits_of_tile(block.seed, block.stream, begin, step, bits);
        return at;
      },
      [=](int32 i, AtStep at) {
        return step_neuron<Cell, driven, false>(block, at, unit, i, params_of(i), substeps);
      },
      [=](int32 i, AtStep at) {
        if constexpr (OffersCare<Cell>::value)
          return step_neuron<Cell, driven, true>(block, at, unit, i, params_of(i), substeps);
        else
          return 0;
      },
      [&](int32 i, int32 count, int64 step) {
        if constexpr (OffersCount<Cell>::value)
          count = Cell::count(poisson_bits(block.seed, block.stream, i, step), params_of(i));
        emit_spike(plan, team, block, step, i, count);
      });
}
