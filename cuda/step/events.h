// What neurons emit: spikes, or graded events, which carry a value.
#pragma once

#include "core/functions.h"
#include "synapses/plasticity.h"

// What a neuron sends in a step.
struct Sent {
  int32 spikes;
  int32 multiplicity;  // by which weights are multiplied
  bool refused;        // whether its value cannot be sent: 0 is sent in its stead
};

DEVICE Sent plain_spikes(int32 spikes) { return {spikes, spikes, false}; }

// An event that carries a value, in whole units. The bound on what one step brings takes for granted that none is
// beyond the limit.
DEVICE Sent graded_event(double value, double unit, double limit) {
  const bool refused = !(absolute(value) <= limit);  // also where it is not a number
  return {1, refused ? 0 : int32(round_to_integer(value / unit)), refused};
}

// Notes that a neuron's value could not be sent. The first such event of a call counts, and in a step the one of
// the neuron with the lowest number, whoever comes first to say so: its number is the greatest.
constexpr int64 kAfterAll = int64(1) << 62;

DEVICE void note_refused(const SpikeRecord& record, int64 stamp, int32 neuron) {
  raise_to(record.refused, kAfterAll - ((stamp << 31) | neuron));
}

// Takes up what a neuron sends for delivery, and for the user where wanted.
DEVICE void emit(const Plan& plan, Team team, const SpikeList& spikes, const Block& block,
                 int64 step, int32 i, Sent sent) {
  const int32 place = next_place(spikes.count);
  spikes.neuron[place] = i;
  spikes.multiplicity[place] = sent.multiplicity;
  note_block(spikes, place, block.number);
  for (int32 h = 0; h < block.n_history; ++h)
    for (int32 m = 0; m < sent.spikes; ++m) add_spike(block.history[h], i, step + 1);
  const int32 neuron = block.first_neuron + i;
  const SpikeRecord& record = plan.record[list_of(team)];
  if (sent.refused) note_refused(record, step + 1, neuron);
  if (!plan.wanted[neuron]) return;
  const int32 row = next_place(record.count);
  record.stamp[row] = step + 1;
  record.neuron[row] = neuron;
  record.multiplicity[row] = sent.multiplicity;
}
