// Numbers of spikes of Poisson sources, as a function of seed, source and step.
//
// One call of Philox serves the four neurons i, i + 64, i + 128 and i + 192 of each 256 of a population:
// each takes one of its words, and a tile of neurons needs 64 calls without any shuffling.
//
// The count is found by inversion: the number of partial sums S_k = P(count <= k), computed in double
// precision, that do not exceed the uniform number u of 32 bits. So probabilities are multiples of
// 2^-32, which makes mean counts wrong by less than 1e-9 per step.
#pragma once

#include "core/philox.h"

constexpr int32 kPoissonTile = 256, kPoissonCalls = kPoissonTile / 4;

// The Philox call that serves a neuron of a population, and the word of it.
DEVICE int32 call_of(int32 i) { return i / kPoissonTile * kPoissonCalls + i % kPoissonCalls; }
DEVICE int32 word_of(int32 i) { return i % kPoissonTile / kPoissonCalls; }

DEVICE uint32 poisson_bits(uint64 seed, int32 stream, int32 i, int64 step) {
  const Bits bits = philox(seed, Purpose::kSpikeSource, uint32(stream + call_of(i)), step);
  const int32 word = word_of(i);
  const uint32 low = word & 1 ? bits.word[1] : bits.word[0];
  const uint32 high = word & 1 ? bits.word[3] : bits.word[2];
  return word & 2 ? high : low;
}

// `none` is exp(-mean); no more than `most` spikes, which only a probability below 1e-15 exceeds.
DEVICE int32 poisson_count(uint32 bits, double mean, double none, double most) {
  const double u = bits * 0x1p-32;
  double term = none, sum = none, count = 0;
  while (u >= sum && count < most) {
    count += 1;
    term *= mean / count;
    sum += term;
  }
  return int32(count);
}

// The bits of the neurons first .. first + kPoissonTile - 1, `first` being a multiple of kPoissonTile.
DEVICE void poisson_tile(uint64 seed, int32 stream, int32 first, int64 step, uint32* bits) {
  const uint32 call = uint32(stream + call_of(first));
  philox_in_lanes(seed, Purpose::kSpikeSource, call, step, kPoissonCalls, bits);
}

// The bits of the neurons that are advanced together with neuron `begin`, from the first of its tile on;
// returns which one that is.
DEVICE int32 bits_of_tile(uint64 seed, int32 stream, int32 begin, int64 step, uint32* bits) {
  if constexpr (kStretch == 1) {
    bits[0] = poisson_bits(seed, stream, begin, step);
    return begin;
  } else {
    const int32 first = begin / kPoissonTile * kPoissonTile;
    poisson_tile(seed, stream, first, step, bits);
    return first;
  }
}

// Calls arrive(i, count) for the targets of sources that share their parameters. threshold[k] is S_k
// times 2^32, rounded up.
template <class Arrive>
DEVICE void for_each_alike(Team team, const Background& drive, int64 step, Arrive arrive) {
  if (double(step) < drive.param[0] || double(step) >= drive.param[1]) return;
  for_each_stretch(team, drive.n, drive.owner_start, [&](int32 begin, int32 end) {
    if constexpr (kStretch == 1) {
      const uint32 bits = poisson_bits(drive.seed, drive.stream, begin, step);
      int32 count = 0;
      for (int32 k = 0; k < drive.n_threshold; ++k) count += bits >= drive.threshold[k];
      if (count) arrive(begin, count);
    } else {
      static_assert(kStretch == 1 || kStretch == kPoissonTile);
      uint32 bits[kStretch], count[kStretch] = {};
      const int32 first = begin / kStretch * kStretch;
      poisson_tile(drive.seed, drive.stream, first, step, bits);
      for (int32 k = 0; k < drive.n_threshold; ++k) {
        const uint32 threshold = drive.threshold[k];
        for (int32 i = 0; i < kStretch; ++i) count[i] += bits[i] >= threshold;
      }
      for (int32 i = begin; i < end; ++i) arrive(i, int32(count[i - first]));
    }
  });
}

// The same for sources with parameters of their own.
template <class Arrive>
DEVICE void for_each_different(Team team, const Background& drive, int64 step, Arrive arrive) {
  for_each_owned(team, drive.n, drive.owner_start, [&](int32 i) {
    const double* p = drive.param + i;
    const int64 n = drive.n;
    if (double(step) < p[0] || double(step) >= p[n]) return;
    const uint32 bits = poisson_bits(drive.seed, drive.stream, i, step);
    arrive(i, poisson_count(bits, p[2 * n], p[3 * n], p[4 * n]));
  });
}

// Draws the spikes that arrive at (step + 1) * dt, and adds them to the targets' accumulators, each of which
// belongs to the thread that adds to it.
DEVICE_ONCE void draw_background(const Plan& plan, Team team, const Background& drive, int64 step) {
  const int64 drawn = step - drive.delay;  // step in which the sources emitted what arrives
  if (drawn < drive.first_step || drawn >= drive.last_step) return;
  int64* const input = plan.ring + (step + 1) % plan.n_slot * plan.n_port + drive.first_port;
  const auto arrive = [&](int32 i, int32 count) {
    input[i] += count * (drive.weight ? drive.weight[i] : drive.common_weight);
  };
  if (drive.threshold)
    for_each_alike(team, drive, drawn, arrive);
  else
    for_each_different(team, drive, drawn, arrive);
}
