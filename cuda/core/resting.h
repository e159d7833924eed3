// Neurons at rest, on the CPU: those that a step would leave as they are, bit for bit, are not advanced until
// something comes. What is computed is the same as without it.
//
// A neuron comes to rest when a step without input has changed no bit of its state, and it did not fire. That
// holds for all later steps of a model that looks at nothing but parameters, state, input and current
// (TakesSetting in cell.h). It wakes when
//
//   a synapse brings input   delivery notes the granule of ports in `due`, for as many steps as it may take
//   its current changes      inject and couple set its bit of `awake`
//   the user changes it      the plan begins with nothing watched
//
// Delivery notes input only while it is watched for, which costs as much as an addition to an accumulator. So an owner
// looks from time to time how many of its neurons did not change in a step, and begins to watch when enough
// of them did not. All granules are due then, since nobody knows what has been delivered before.
//
// Neurons of tiles of which few are awake are advanced in a pack: copied to arrays of their own, which are a
// tile like any other, and back.
#pragma once

#include "core/portable.h"
#include "core/schedule.h"

#include <memory>
#include <type_traits>
#include <vector>

constexpr int32 kLook = 512;  // steps between questions whether neurons should be watched
constexpr int32 kCheck = 16;  // steps between looks at tiles that are advanced as a whole
constexpr int32 kMove = 10;   // steps that a neuron could do while it is moved to a pack and back
constexpr int32 kToBegin = 8, kToEnd = 16;  // watches while at least one of so many neurons rests

DEVICE bool watches(const Plan& plan, Team team) {
  return plan.rest && plan.rest[team.owner].watching;
}

// Notes that input will come to a port.
DEVICE void note_input(const Plan& plan, int64 port) {
  plan.due[port / kGranule] = uint16(plan.n_slot);
}

DEVICE void wake(uint8* awake, int32 i) {
  if (awake) awake[i / kGranule] |= uint8(1 << i % kGranule);
}

DEVICE void lay_down(uint8* awake, int32 i) { awake[i / kGranule] &= uint8(~(1 << i % kGranule)); }

DEVICE int32 n_granule(int32 n) { return (n + kGranule - 1) / kGranule; }

// The bits of the last granule of neurons that end with number end - 1.
DEVICE uint8 granule_bits(int32 end) {
  return end % kGranule ? uint8((1 << end % kGranule) - 1) : uint8(255);
}

// From here on an owner's neurons of a block are awake, and any of them may be due to input.
inline void watch_block(const Plan& plan, const Block& block, int32 n_receptor, int32 owner) {
  const int32 begin = block.owner_start[owner], end = block.owner_start[owner + 1];
  if (begin == end || !block.awake) return;
  const int32 n = n_granule(end - begin);
  std::fill_n(block.awake + begin / kGranule, n, uint8(255));
  block.awake[(end - 1) / kGranule] = granule_bits(end);
  for (int32 r = 0; r < n_receptor; ++r)
    std::fill_n(plan.due + (block.first_port + r * port_stride(block.n) + begin) / kGranule, n,
                uint16(plan.n_slot));
}

// The neurons of a tile that need a step, a bit for each.
struct Tile {
  static constexpr int32 kBits = 64, kWords = kStretch / kBits, kGranules = kBits / kGranule;

  uint64 awake[kWords] = {};
  uint64 due[kWords] = {};  // those that may have input in this batch of steps
  int32 n_awake = 0;

  bool is_due(int32 k) const { return due[k / kBits] >> k % kBits & 1; }
};

// Finds out which neurons of a tile need a step, and wakes those that input may come to in the next n_step steps.
inline Tile look_at_tile(const Plan& plan, const Block& block, int32 n_receptor, int32 begin,
                         int32 end, int32 n_step) {
  const int32 n = n_granule(end - begin);
  Tile tile;
  uint8* awake = block.awake + begin / kGranule;
  for (int32 g = 0; g < n; ++g)
    tile.awake[g / Tile::kGranules] |= uint64(awake[g]) << g % Tile::kGranules * kGranule;
  for (int32 r = 0; r < n_receptor; ++r) {
    uint16* due = plan.due + (block.first_port + r * port_stride(block.n) + begin) / kGranule;
    uint32 any = 0;
    if (n == kStretch / kGranule)  // a number that the compiler knows
      for (int32 g = 0; g < kStretch / kGranule; ++g) any |= due[g];
    else
      for (int32 g = 0; g < n; ++g) any |= due[g];
    for (int32 g = 0; any && g < n; ++g) {
      if (!due[g]) continue;
      due[g] = uint16(std::max(due[g] - n_step, 0));
      awake[g] = g == n - 1 ? granule_bits(end) : uint8(255);
      const uint64 bits = uint64(awake[g]) << g % Tile::kGranules * kGranule;
      tile.awake[g / Tile::kGranules] |= bits;
      tile.due[g / Tile::kGranules] |= bits;
    }
  }
  for (uint64 bits : tile.awake) tile.n_awake += __builtin_popcountll(bits);
  return tile;
}

// Where the loop over neurons finds their input: in a ring of slots, or always in the same place.
struct Input {
  int64* first;
  int64 stride, per_slot;
  int32 n_slot;

  DEVICE AtStep at(int64 step) const {
    return {step, first + (step + 1) % n_slot * per_slot, stride, nullptr, 0};
  }
};

// Advances neurons begin .. end - 1 by n_step steps, a tile at a time, without branches, so that the loop vectorises;
// the few that need care or fired are picked out afterwards. A tile does all steps in turn while its state is
// in the first cache. Returns whether one fired in the last step.
template <class Stepper, class Emit>
__attribute__((noinline)) bool advance_tiles(const Stepper stepper, const Block block,
                                             const Input input, int32 begin, int32 end, int64 first,
                                             int32 n_step, const Emit emit) {
  int32 count[kStretch];
  uint32 bits[kStretch];
  int32 fired = 0;
  for (int32 next; begin < end; begin = next) {
    next = std::min(end, (begin / kStretch + 1) * kStretch);
    const int32 size = next - begin;
    for (int64 step = first; step < first + n_step; ++step) {
      AtStep at = input.at(step);
      stepper.prepare(block, at, begin, bits);
      int32 any = 0;
#pragma GCC ivdep
      for (int32 k = 0; k < size; ++k) {
        count[k] = stepper.template advance<false>(block, at, begin + k);
        any |= count[k];
      }
      if (any) {
        const SpikeList& list = emit.list(step);
        int32 found[kStretch], n_found = 0;
        for (int32 k = 0; k < size; ++k) {  // without a branch that nobody can foresee
          found[n_found] = k;
          n_found += count[k] != 0;
        }
        for (int32 f = 0; f < n_found; ++f) {
          const int32 k = found[f];
          if (count[k] < 0) count[k] = stepper.advance_carefully(block, at, begin + k);
          if (count[k]) emit(list, block, begin + k, count[k], step);
        }
      }
      if (stepper.fades(step))
        for (int32 k = 0; k < size; ++k) stepper.fade(block, begin + k);
      if (step == first + n_step - 1) fired |= any;
    }
  }
  return fired;
}

// The loop over the neurons of a block, whatever their model: what goes on around it is compiled once.
struct Loop {
  int32 n_state, n_param, n_receptor;  // n_param is 0 where all neurons share their parameters
  bool single, driven;                 // whether numbers are float, and whether currents are read

  // As advance_tiles; where neurons were copied side by side, `index` says which they are.
  virtual bool advance(const Block& block, const Input& input, int32 begin, int32 end, int64 first,
                       int32 n_step, const int32* index = nullptr) const = 0;
  // What becomes 0 of the state of n neurons.
  virtual void fade(const Block& block, int32 n) const = 0;

 protected:
  Loop(int32 states, int32 params, int32 receptors, bool is_single, bool is_driven)
      : n_state(states),
        n_param(params),
        n_receptor(receptors),
        single(is_single),
        driven(is_driven) {}
  ~Loop() = default;
};

template <class Stepper, class Emit>
struct LoopOf final : Loop {
  const Stepper& stepper;
  const Emit& emit;

  LoopOf(const Stepper& of, const Emit& to)
      : Loop(Stepper::n_state, Stepper::heterogeneous ? Stepper::n_param : 0, Stepper::n_receptor,
             sizeof(typename Stepper::scalar) == sizeof(float), Stepper::driven),
        stepper(of),
        emit(to) {}

  bool advance(const Block& block, const Input& input, int32 begin, int32 end, int64 first,
               int32 n_step, const int32* index) const override {
    return advance_tiles(stepper, block, input, begin, end, first, n_step, emit.of(index));
  }
  void fade(const Block& block, int32 n) const override {
    for (int32 k = 0; k < n; ++k) stepper.fade(block, k);
  }
};

// Arrays of a number for each neuron of a tile, moved as words, whose bits count.
class Rows {
 public:
  Rows(bool single, int32 n_row)
      : single_(single), n_row_(n_row), word_(new uint64[size_t(n_row) * kStretch]) {}

  void* data() const { return word_.get(); }

  // From or to places in rows that are `stride` long: place(k) is that of number k.
  template <class Place>
  void gather(const void* from, int64 stride, int32 n, Place place) const {
    with_words([&](auto* mine) {
      const auto* row = static_cast<decltype(mine)>(const_cast<void*>(from));
      for (int32 f = 0; f < n_row_; ++f, row += stride, mine += kStretch)
        for (int32 k = 0; k < n; ++k) mine[k] = row[place(k)];
    });
  }
  template <class Place>
  void scatter(void* to, int64 stride, int32 n, Place place) const {
    with_words([&](const auto* mine) {
      auto* row = static_cast<std::remove_const_t<std::remove_pointer_t<decltype(mine)>>*>(to);
      for (int32 f = 0; f < n_row_; ++f, row += stride, mine += kStretch)
        for (int32 k = 0; k < n; ++k) row[place(k)] = mine[k];
    });
  }
  // moved[k] is not 0 where a word of number k is another than in rows that are `stride` long.
  void compare(const void* with, int64 stride, int32 n, uint64* moved) const {
    with_words([&](auto* mine) {
      const auto* row = static_cast<decltype(mine)>(const_cast<void*>(with));
      for (int32 f = 0; f < n_row_; ++f, row += stride, mine += kStretch)
        for (int32 k = 0; k < n; ++k) moved[k] |= mine[k] ^ row[k];
    });
  }

 private:
  template <class Use>
  void with_words(Use use) const {
    if (single_)
      use(static_cast<uint32*>(data()));
    else
      use(static_cast<uint64*>(data()));
  }

  bool single_;
  int32 n_row_;
  std::unique_ptr<uint64[]> word_;
};

// A place in the state of a block.
inline void* state_at(const Block& block, const Loop& loop, int32 i) {
  return static_cast<char*>(block.state) + i * (loop.single ? sizeof(float) : sizeof(double));
}

// Advances a tile by one step. still[k] tells whether neuron k is as it was, and remains so where what has decayed
// becomes 0; of none, where one fired.
inline void step_and_compare(const Loop& loop, const Block& block, const Input& input, int32 begin,
                             int32 end, int64 step, const int32* index, bool* still) {
  const int32 size = end - begin;
  const Rows before(loop.single, loop.n_state);
  void* const state = state_at(block, loop, begin);
  before.gather(state, block.n, size, [](int32 k) { return k; });
  uint64 moved[kStretch] = {};
  if (loop.advance(block, input, begin, end, step, 1, index)) {
    std::fill_n(still, size, false);
    return;
  }
  before.compare(state, block.n, size, moved);
  Block kept = block;
  kept.state = before.data();
  kept.n = kStretch;
  loop.fade(kept, size);
  before.compare(state, block.n, size, moved);
  for (int32 k = 0; k < size; ++k) still[k] = !moved[k];
}

// Neurons of several tiles of a block, copied side by side.
class Pack {
 public:
  Pack(const Plan& plan, const Block& block, const Loop& loop, int64 first, int32 n_step)
      : plan_(plan), block_(block), loop_(loop), first_(first), n_step_(n_step) {}

  // Takes up the neurons of a tile that are awake.
  void put(const Tile& tile, int32 begin) {
    if (size_ + tile.n_awake > kStretch) flush();
    for (int32 w = 0; w < Tile::kWords; ++w)
      for (uint64 bits = tile.awake[w]; bits; bits &= bits - 1) {
        const int32 k = w * Tile::kBits + lowest_bit(bits);
        due_[size_] = tile.is_due(k);
        if (due_[size_]) fed_[n_fed_++] = size_;
        index_[size_++] = begin + k;
      }
  }

  // Advances the neurons, and lays those down that have come to rest.
  void flush() {
    if (!size_) return;
    const auto place = [&](int32 k) { return index_[k]; };
    const Rows state(loop_.single, loop_.n_state), param(loop_.single, loop_.n_param),
        current(loop_.single, loop_.driven);
    state.gather(block_.state, block_.n, size_, place);
    param.gather(block_.param, block_.n, size_, place);
    current.gather(block_.current, block_.n, size_, place);
    Block packed = block_;
    packed.state = state.data();
    if (loop_.n_param) packed.param = param.data();
    packed.current = current.data();
    packed.n = kStretch;
    input_.resize(size_t(loop_.n_receptor) * kStretch);  // with zeros, as each step leaves it
    const Input input{input_.data(), kStretch, 0, 1};
    const int64 last = first_ + n_step_ - 1;
    const int32 at_a_time = n_fed_ ? 1 : n_step_ - 1;
    for (int64 step = first_; step < last; step += at_a_time) {
      feed(step);
      loop_.advance(packed, input, 0, size_, step, at_a_time, index_);
    }
    feed(last);
    bool still[kStretch];
    step_and_compare(loop_, packed, input, 0, size_, last, index_, still);
    state.scatter(block_.state, block_.n, size_, place);
    for (int32 k = 0; k < size_; ++k)
      if (still[k] && !due_[k]) lay_down(block_.awake, index_[k]);
    size_ = n_fed_ = 0;
  }

 private:
  // Takes what arrives at the neurons from the ring.
  void feed(int64 step) {
    const AtStep at = at_step(plan_, block_, step);
    for (int32 f = 0; f < n_fed_; ++f)
      for (int32 r = 0; r < loop_.n_receptor; ++r) {
        int64& sum = at.input[r * at.stride + index_[fed_[f]]];
        input_[size_t(r) * kStretch + fed_[f]] = sum;
        sum = 0;
      }
  }

  const Plan& plan_;
  const Block& block_;
  const Loop& loop_;
  const int64 first_;
  const int32 n_step_;
  int32 size_ = 0, n_fed_ = 0;
  int32 index_[kStretch], fed_[kStretch];
  bool due_[kStretch];
  std::vector<int64> input_;
};

// Advances the neurons of a block of which some may rest.
inline __attribute__((noinline)) void advance_awake(const Plan& plan, Team team, const Block& block,
                                                    const Loop& loop, const Input& input,
                                                    int64 first, int32 n_step) {
  Rest& rest = plan.rest[team.owner];
  const bool checks = !rest.watching || (first + n_step) / kCheck > first / kCheck;
  Pack pack(plan, block, loop, first, n_step);
  for_each_stretch(team, block.n, block.owner_start, [&](int32 begin, int32 end) {
    const int32 size = end - begin;
    rest.n_seen += size;
    Tile tile;
    if (rest.watching) {
      tile = look_at_tile(plan, block, loop.n_receptor, begin, end, n_step);
      rest.n_still += size - tile.n_awake;
      if (!tile.n_awake) return;
      if (tile.n_awake * (kMove + n_step) < size * n_step) return pack.put(tile, begin);
    }
    pack.flush();  // for spikes to be in the order of neurons
    if (!checks) {
      loop.advance(block, input, begin, end, first, n_step);
      return;
    }
    if (n_step > 1) loop.advance(block, input, begin, end, first, n_step - 1);
    bool still[kStretch];
    step_and_compare(loop, block, input, begin, end, first + n_step - 1, nullptr, still);
    if (!rest.watching) {
      const int32 n_still = int32(std::count(still, still + size, true));
      if (4 * n_still >= 3 * size) rest.n_still += n_still;
      return;
    }
    for (int32 k = 0; k < size; ++k)
      if (still[k] && !tile.is_due(k)) lay_down(block.awake, begin + k);
  });
  pack.flush();
}

// Advances each neuron of a block by n_step steps; emit(block, i, count, step) for those that fire, in each step in
// the order of neurons.
template <class Stepper, class Emit>
DEVICE void advance_neurons(const Plan& plan, Team team, const Block& block, const Stepper& stepper,
                            int64 first, int32 n_step, const Emit& emit) {
  const int32 begin = block.owner_start[team.owner], end = block.owner_start[team.owner + 1];
  if (begin == end) return;
  if constexpr (Stepper::scheduled) return emit_schedule(block, begin, end, first, n_step, emit);
  const Input input{plan.ring + block.first_port, port_stride(block.n), plan.n_port, plan.n_slot};
  if constexpr (Stepper::may_rest)
    if (block.awake && plan.rest) {
      const Rest& rest = plan.rest[team.owner];
      if (rest.watching || first >= rest.next_look) {
        const LoopOf<Stepper, Emit> loop(stepper, emit);
        return advance_awake(plan, team, block, loop, input, first, n_step);
      }
    }
  advance_tiles(stepper, block, input, begin, end, first, n_step, emit);
}

// Whether to begin or to end watching, after a batch of steps of an owner's neurons.
inline void decide_on_watching(const Plan& plan, int32 owner, int64 next_step) {
  if (!plan.rest) return;
  Rest& rest = plan.rest[owner];
  if (next_step > rest.next_look && rest.n_seen) {
    const bool watched = rest.watching;
    rest.watching = rest.n_still * (watched ? kToEnd : kToBegin) >= rest.n_seen;
    rest.next_look = next_step + kLook;
    if (rest.watching && !watched)
      for (int32 g = 0; g < plan.n_group; ++g)
        for (int32 b = 0; b < plan.group[g].n_block; ++b)
          watch_block(plan, plan.group[g].block[b], plan.group[g].n_receptor, owner);
  }
  rest.n_still = rest.n_seen = 0;
}
