// Synapses of a word each, as rows that are merged on the CPU have them: from the lowest bits on the port, the delay
// after the first of its group, and the weight in counts, with its sign.
#pragma once

#include "core/functions.h"

DEVICE uint64 packed_synapse(const Table& table, int64 port, int32 delay, int64 counts) {
  return uint64(counts) << (table.port_bits + table.delay_bits) | uint64(delay) << table.port_bits |
         uint64(port);
}

DEVICE int64 low_bits(uint64 word, int32 n) { return int64(word & ((uint64(1) << n) - 1)); }

DEVICE int64 packed_port(const Table& table, uint64 word) {
  return low_bits(word, table.port_bits);
}

// Adds to what arrives at the ports, and notes that where they are `watched`.
template <class Watched>
DEVICE void add_packed(const Plan& plan, const Table& table, const Segment* segments, int32 n,
                       Watched watched) {
  const uint64* const words = static_cast<const uint64*>(table.target);
  const int32 port_bits = table.port_bits, delay_bits = table.delay_bits;
  for (int32 s = 0; s < n; ++s) {
    const Segment segment = segments[s];
    const int32 first = segment.first_slot + 1;  // slot of the first delay of the group
    const auto add_to = [&](int64* slot, uint64 word) {
      const int64 port = low_bits(word, port_bits);
      add(slot + port, (int64(word) >> (port_bits + delay_bits)) * segment.multiplicity);
      if (watched.value) note_input(plan, port);
    };
    const auto slot_of = [&](int32 slot) {
      return plan.ring + (slot >= plan.n_slot ? slot - plan.n_slot : slot) * plan.n_port;
    };
    if (!delay_bits) {
      int64* const slot = slot_of(first);
      for (int64 j = segment.begin; j < segment.end; ++j) add_to(slot, words[j]);
    } else {
      for (int64 j = segment.begin; j < segment.end; ++j)
        add_to(slot_of(first + int32(low_bits(words[j] >> port_bits, delay_bits))), words[j]);
    }
  }
}
