// Spikes at given times, on the CPU: those of a step lie side by side, so that sources which are silent take no time.
#pragma once

#include "core/portable.h"

constexpr int32 kBitsOfNeuron =
    31;  // of a key: the time stamp is above, and keys are by time, then by neuron

DEVICE int64 schedule_key(int64 stamp, int32 neuron) { return (stamp << kBitsOfNeuron) | neuron; }

// emit(list, block, i, count, step) for those of neurons begin .. end - 1 that fire in n_step steps, in each in the
// order of neurons. Keys follow the time stamps in `events`. The state of a source, in double precision, is the number of
// spikes that lie behind, as on a GPU.
template <class Emit>
inline void emit_schedule(const Block& block, int32 begin, int32 end, int64 first, int32 n_step,
                          const Emit& emit) {
  const int64 n = block.events[block.n];
  const int64* const keys = block.events + block.n + 1 + n;
  for (int64 step = first; step < first + n_step; ++step) {
    const int64* key = std::lower_bound(keys, keys + n, schedule_key(step + 1, begin));
    const int64* const last = std::lower_bound(key, keys + n, schedule_key(step + 1, end));
    while (key < last) {
      const int64* const same = key;
      while (key < last && *key == *same) ++key;
      const int32 i = int32(*same & (schedule_key(1, 0) - 1));
      static_cast<double*>(block.state)[i] += double(key - same);
      emit(emit.list(step), block, i, int32(key - same), step);
    }
  }
}
