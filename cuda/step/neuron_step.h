// How one neuron, and one population, of a model is advanced by a step.
#pragma once

#include "core/cell.h"
#include "sources/poisson.h"
#include "step/events.h"

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

// Calls use(heterogeneous, driven) with what is known of a block made known to the compiler. Bit 2 * heterogeneous +
// driven of `kinds` says whether there are such blocks: what is not asked for is not compiled.
template <int32 kinds, class Use>
DEVICE void with_flags(bool heterogeneous, bool driven, Use use) {
  const auto use_if = [&](auto a, auto b) {
    if constexpr (kinds >> (2 * a.value + b.value) & 1)
      if (heterogeneous == a.value && driven == b.value) use(a, b);
  };
  use_if(Flag<false>(), Flag<false>());
  use_if(Flag<false>(), Flag<true>());
  use_if(Flag<true>(), Flag<false>());
  use_if(Flag<true>(), Flag<true>());
}

// What decays is 0 once it is less than this part of a count of its receptor, and a potential that is less than this
// (mV), at every kFade-th step: all that input can bring is whole counts, and without it neurons would come to
// rest only where numbers end.
constexpr double kFloor = 0x1p-10, kFloorOfPotential = 0x1p-64;
constexpr int64 kFade = 128;

template <class real>
struct Floor {
  const double* unit;

  DEVICE void operator()(real& x, int32 receptor) const { apply(x, unit[receptor] * kFloor); }
  DEVICE void operator()(real& v) const { apply(v, kFloorOfPotential); }

 private:
  DEVICE static void apply(real& x, double least) { x = absolute(x) < real(least) ? real(0) : x; }
};

// The step of the neurons of a block, for loops over them. All members are the loops' own copies, and so have to
// be `block` and what `at` points to: read through pointers, they might change with every store as far as the
// compiler knows, and the loops would not vectorise.
template <class Cell, bool heterogeneous_, bool driven_, class Substeps>
struct Stepper {
  using scalar = typename Cell::scalar;
  using State = typename Cell::State;
  using Params = typename Cell::Params;
  static constexpr int32 n_receptor = Cell::n_receptor;
  static constexpr int32 n_state = int32(sizeof(State) / sizeof(scalar));
  static constexpr int32 n_param = int32(sizeof(Params) / sizeof(scalar));
  static constexpr bool heterogeneous = heterogeneous_, driven = driven_;
  static constexpr bool may_rest = TakesSetting<Cell, OffersCare<Cell>::value>::value;
  static constexpr bool scheduled = IsScheduled<Cell>::value;
  static constexpr FieldsOf<State, scalar> state_fields{};
  static constexpr FieldsOf<Params, scalar> param_fields{};

  Params common;
  double unit[n_receptor + 1];
  Substeps substeps;

  DEVICE Stepper(const Block& block, Substeps n)
      : common(read_fields<Params>(static_cast<const scalar*>(block.param),
                                   heterogeneous ? block.n : 1, 0, param_fields)),
        unit{},
        substeps(n) {
    for (int32 r = 0; r < n_receptor; ++r) unit[r] = block.unit[r];
  }

  DEVICE decltype(auto) params_of(const Block& block, int32 i) const {
    if constexpr (heterogeneous)
      return read_fields<Params>(static_cast<const scalar*>(block.param), block.n, i, param_fields);
    else
      return (
          common);  // a reference: what is copied as a whole in a loop, keeps it from being vectorised
  }

  // Random bits for a tile of neurons that begins with number `begin`; there is room for them in `bits`.
  DEVICE void prepare(const Block& block, AtStep& at, int32 begin, uint32* bits) const {
    at.bits = bits;
    if constexpr (OffersCount<Cell>::value)
      at.first = bits_of_tile(block.seed, block.stream, begin, at.step, bits);
  }

  // Advances a neuron and returns how many spikes it emitted. One that needs care is left as it is at first, and
  // less than 0 is returned, for the caller to come back to it.
  template <bool careful>
  DEVICE int32 advance(const Block& block, AtStep at, int32 i) const {
    scalar* state = static_cast<scalar*>(block.state);
    scalar arrived[n_receptor + 1];
    for (int32 r = 0; r < n_receptor; ++r)
      arrived[r] = scalar(double_of(at.input[r * at.stride + i]) * unit[r]);
    const scalar current = driven ? static_cast<const scalar*>(block.current)[i] : scalar(0);
    Now now{{substeps}, at.step, block.seed, block.stream, i, nullptr, 0, 0};
    if constexpr (OffersCount<Cell>::value) now.bits = at.bits[i - at.first];
    if (block.events) {
      now.events = block.events + block.n + 1 + block.events[i];
      now.n_event = block.events[i + 1] - block.events[i];
    }
    const Params& params = params_of(block, i);
    const auto before = read_fields<State>(state, block.n, i, state_fields);
    auto neuron = before;
    int32 spikes;
    bool waits = false;
    if constexpr (OffersCare<Cell>::value) {
      spikes = Cell::template step<careful>(now, params, neuron, arrived, current);
      waits = !careful && spikes == kNeedsCare;
    } else {
      spikes = Cell::step(now, params, neuron, arrived, current);
    }
    write_fields(state, block.n, i, neuron, before, waits, state_fields);
    for (int32 r = 0; r < n_receptor; ++r) {
      int64* sum = at.input + r * at.stride + i;
      *sum &= -int64(waits);
    }
    return spikes;
  }

  DEVICE int32 advance_carefully(const Block& block, AtStep at, int32 i) const {
    if constexpr (OffersCare<Cell>::value)
      return advance<true>(block, at, i);
    else
      return 0;
  }

  // How many spikes neuron i really emitted, where `advance` gave `count`.
  DEVICE int32 count_of(const Block& block, int64 step, int32 i, int32 count) const {
    if constexpr (OffersCount<Cell>::value)
      return Cell::count(poisson_bits(block.seed, block.stream, i, step), params_of(block, i));
    else
      return count;
  }

  // What neuron i sends, whose state is in `from`, where `advance` gave `count`.
  DEVICE Sent sent_by(const Block& from, const Block& block, int64 step, int32 k, int32 i,
                      int32 count) const {
    if constexpr (IsGraded<Cell>::value) {
      const scalar* state = static_cast<const scalar*>(from.state);
      const auto neuron = read_fields<State>(state, from.n, k, state_fields);
      return graded_event(Cell::sent(neuron), Cell::unit, Cell::limit);
    } else {
      return plain_spikes(count_of(block, step, i, count));
    }
  }

  DEVICE static bool fades(int64 step) { return Fades<Cell>::value && step % kFade == kFade - 1; }

  DEVICE void fade(const Block& block, int32 i) const {
    if constexpr (Fades<Cell>::value) {
      scalar* state = static_cast<scalar*>(block.state);
      const auto before = read_fields<State>(state, block.n, i, state_fields);
      auto neuron = before;
      Cell::fade(neuron, Floor<scalar>{unit});
      write_fields(state, block.n, i, neuron, before, false, state_fields);
    }
  }
};

// Takes the spikes of a block; where neurons were copied side by side, `index` says which they are, and `from` has
// their state.
template <class Stepper>
struct SpikesOf {
  const Plan& plan;
  Team team;
  const Block& block;
  const Stepper& stepper;
  const int32* index;

  DEVICE SpikesOf of(const int32* copied) const { return {plan, team, block, stepper, copied}; }

  // The list of a step, to be looked up once for all spikes of a tile.
  DEVICE const SpikeList& list(int64 step) const { return spike_list(plan, step, list_of(team)); }

  DEVICE void operator()(const SpikeList& spikes, const Block& from, int32 k, int32 count,
                         int64 step) const {
    const int32 i = index ? index[k] : k;
    emit(plan, team, spikes, block, step, i, stepper.sent_by(from, block, step, k, i, count));
  }
};

template <class Cell, bool heterogeneous, bool driven, class Substeps>
DEVICE void step_block(const Plan& plan, Team team, const Block& block, int64 first, int32 n_step,
                       Substeps substeps) {
  const Stepper<Cell, heterogeneous, driven, Substeps> stepper(block, substeps);
  for (int64 step = first; step < first + n_step; ++step)
    begin_block(spike_list(plan, step, list_of(team)), block.number);
  const SpikesOf<Stepper<Cell, heterogeneous, driven, Substeps>> emit{plan, team, block, stepper,
                                                                      nullptr};
  advance_neurons(plan, team, block, stepper, first, n_step, emit);
}
