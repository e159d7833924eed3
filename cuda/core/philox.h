// Philox 4x32-10 (Salmon et al., 2011, doi:10.1145/2063384.2063405): random bits as a function of a
// counter and a key, without a stream that threads would have to share.
#pragma once

#include "core/portable.h"

// Part of the counter: what is drawn for one purpose is independent of what is drawn for another.
enum class Purpose : uint32 {
  kSpikeSource = 1,
  kConnect = 2,  // the other ends of the connections of a cell
  kDraw = 3,     // values of a distribution
  kEnd = 4,      // the first ends of connections that are drawn as pairs
  kNeuron = 5,   // what neurons that fire at random do
  kSynapse = 6,  // what synapses that transmit at random do
  kSplit = 7,    // how the connections of a cell are divided among chunks of targets
  kValue = 8,    // values of a distribution, one for a synapse; see BySynapse in laws.h
};

struct Bits {
  uint32 word[4];
};

DEVICE Bits philox(uint64 seed, Purpose purpose, uint32 index, int64 step) {
  uint32 c0 = uint32(uint64(step)), c1 = uint32(uint64(step) >> 32), c2 = index,
         c3 = uint32(purpose);
  uint32 k0 = uint32(seed), k1 = uint32(seed >> 32);
  for (int32 round = 0; round < 10; ++round) {
    const uint64 p0 = uint64(0xD2511F53u) * c0, p1 = uint64(0xCD9E8D57u) * c2;
    const uint32 n0 = uint32(p1 >> 32) ^ c1 ^ k0, n2 = uint32(p0 >> 32) ^ c3 ^ k1;
    c0 = n0, c1 = uint32(p1), c2 = n2, c3 = uint32(p0);
    k0 += 0x9E3779B9u, k1 += 0xBB67AE85u;
  }
  return {{c0, c1, c2, c3}};
}

// The rounds of `philox` for counters in lanes.
DEVICE void philox_rounds(uint64 seed, Lanes (&c)[2][4]) {
  const Lanes zero{};
  uint32 k0 = uint32(seed), k1 = uint32(seed >> 32);
  for (int32 round = 0; round < 10; ++round) {
    for (auto& x : c) {
      const Lanes p0 = multiply_halves(x[0], zero + 0xD2511F53u);
      const Lanes p1 = multiply_halves(x[2], zero + 0xCD9E8D57u);
      x[0] = (p1 >> 32) ^ x[1] ^ (zero + k0);
      x[2] = (p0 >> 32) ^ x[3] ^ (zero + k1);
      x[1] = p1;
      x[3] = p0;
    }
    k0 += 0x9E3779B9u, k1 += 0xBB67AE85u;
  }
}

// The same for n indices from `index` on, n being a multiple of 2 kLanes: words[k * n + i] becomes word k of number i.
// Where there are lanes, a number of 32 bits is the lower half of one: so products are one instruction, and nothing has to
// be brought to its place from round to round. Even and odd indices are apart, whose words together lie side by side.
DEVICE void philox_in_lanes(uint64 seed, Purpose purpose, uint32 index, int64 step, int32 n,
                            uint32* words) {
  if constexpr (kLanes == 1) {
    for (int32 i = 0; i < n; ++i) {
      const Bits made = philox(seed, purpose, index + uint32(i), step);
      for (int32 k = 0; k < 4; ++k) words[k * n + i] = made.word[k];
    }
    return;
  }
  const Lanes zero{}, lower = zero + 0xFFFFFFFFu;
  uint64 evens[kLanes];
  for (int32 k = 0; k < kLanes; ++k) evens[k] = uint64(index) + 2 * uint32(k);
  Lanes first;
  memcpy(&first, evens, sizeof first);
  for (int32 i = 0; i < n; i += 2 * kLanes) {
    Lanes c[2][4];
    for (int32 odd = 0; odd < 2; ++odd) {
      c[odd][0] = zero + uint32(uint64(step));
      c[odd][1] = zero + uint32(uint64(step) >> 32);
      c[odd][2] = first + uint32(i + odd);
      c[odd][3] = zero + uint32(purpose);
    }
    philox_rounds(seed, c);
    for (int32 k = 0; k < 4; ++k) {
      const Lanes both = (c[0][k] & lower) | (c[1][k] << 32);
      memcpy(words + k * n + i, &both, sizeof both);
    }
  }
}

// The first two words of `philox` for the steps low[i] + 2^32 high[i], i < 2 kLanes: words[k][i] becomes word k.
DEVICE void philox_of_steps(uint64 seed, Purpose purpose, uint32 index, const uint32* low,
                            const uint32* high, uint64 (&words)[2][2 * kLanes]) {
  const Lanes zero{};
  Lanes c[2][4];
  for (int32 half = 0; half < 2; ++half) {
    uint64 steps[2][kLanes];
    for (int32 i = 0; i < kLanes; ++i) {
      steps[0][i] = low[half * kLanes + i];
      steps[1][i] = high[half * kLanes + i];
    }
    memcpy(&c[half][0], steps[0], sizeof c[half][0]);
    memcpy(&c[half][1], steps[1], sizeof c[half][1]);
    c[half][2] = zero + index;
    c[half][3] = zero + uint32(purpose);
  }
  philox_rounds(seed, c);
  for (int32 half = 0; half < 2; ++half)
    for (int32 k = 0; k < 2; ++k) {
      const Lanes word = c[half][k] & (zero + 0xFFFFFFFFu);
      memcpy(words[k] + half * kLanes, &word, sizeof word);
    }
}

// Uniform in [0, 1), a multiple of 2^-53.
DEVICE double uniform(const Bits& bits) {
  return double(((uint64(bits.word[0]) << 32) | bits.word[1]) >> 11) * 0x1p-53;
}
