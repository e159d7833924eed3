// Random numbers a tile at a time: on the CPU in loops without branches that a compiler turns into vector
// code, on the GPU call by call. Each number is what the functions of draws.h give for the same counter.
#pragma once

#include "core/draws.h"

// Which numbers: those that call `first` of the generator gives for this counter, and those of the
// following calls; each call gives two.
struct Stream {
  uint64 seed;
  Purpose purpose;
  uint32 index;
};

// Numbers in a tile; an even number, so that a tile begins with a call.
#ifdef PYNN_SPARSE_CUDA
constexpr int32 kTile = 2;
#else
constexpr int32 kTile = 512;
#endif

// u[0..n-1] uniform in (0, 1); n is even.
DEVICE void open_uniform_tile(const Stream& stream, int64 first, int32 n, double* u) {
  for (int32 k = 0; k < n / 2; ++k) {
    const Bits bits = philox(stream.seed, stream.purpose, stream.index, first + k);
    u[2 * k] = open_uniform(bits.word[0], bits.word[1]);
    u[2 * k + 1] = open_uniform(bits.word[2], bits.word[3]);
  }
}

// value[i] uniform in 0..range-1 for i = 0..n-1, n even, where the range grows by `growth` from one
// value to the next.
DEVICE void below_tile(const Stream& stream, int64 first, int32 n, uint64 range, uint64 growth,
                       uint32* value) {
  for (int32 k = 0; k < n / 2; ++k) {
    const Bits bits = philox(stream.seed, stream.purpose, stream.index, first + k);
    const uint64 here = range + growth * uint64(2 * k);
    value[2 * k] = below(bits.word[0], bits.word[1], here);
    value[2 * k + 1] = below(bits.word[2], bits.word[3], here + growth);
  }
}

// Numbers to draw next where `missing` are wanted: even, no more than a tile.
DEVICE int32 tile_size(int64 missing) {
  return missing >= kTile ? kTile : int32(missing + 1) / 2 * 2;
}

// Calls use(target) with the array of targets as one of its type.
template <class Use>
DEVICE void with_indices(void* target, int32 wide, Use use) {
  if (wide)
    use(static_cast<uint32*>(target));
  else
    use(static_cast<uint16*>(target));
}

template <class Use>
DEVICE void with_indices(const void* target, int32 wide, Use use) {
  with_indices(const_cast<void*>(target), wide, [&](const auto* each) { use(each); });
}

DEVICE int64 lesser(int64 x, int64 y) { return x < y ? x : y; }
DEVICE int64 greater(int64 x, int64 y) { return x > y ? x : y; }

// How many of a tile's numbers are wanted.
DEVICE int32 tile_rest(int64 missing) { return missing >= kTile ? kTile : int32(missing); }
