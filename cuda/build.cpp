// Turns the synapses of all projections into one table of rows by source neuron per owner thread.
#include "portable.h"

#include <cmath>
#include <cstdlib>

// The synapses of one projection, in the order in which they were made. A stride of 0 means one value for
// all. Targets may lie in several populations (an Assembly), hence the tables by population.
struct SynapseTable {
  const uint32* source;  // [n] in the network's index space
  const uint32* target;  // [n] likewise
  const double* weight;
  const uint16* delay;
  const int64* port;    // [n_block] what to add to a target's index to get its port
  const double* scale;  // [n_block] accumulator counts per weight, a power of two
  int64 n;
  int32 weight_stride;
  int32 delay_stride;
};

// Upper bound of what one step can add to each port, in weight: sum of |weight| over a port's afferents,
// times the most spikes that the source can emit in a step.
EXPORT void add_input_bound(const SynapseTable& table, const int32* block_of, const double* most,
                            double* bound) {
  for (int64 i = 0; i < table.n; ++i) {
    const uint32 target = table.target[i];
    bound[target + table.port[block_of[target]]] +=
        std::fabs(table.weight[i * table.weight_stride]) * most[table.source[i]];
  }
}

// row_start[s + 1] = number of synapses of source s whose target `rank` owns; the caller sums up.
EXPORT void count_rows(const SynapseTable& table, const uint16* owner, int32 rank,
                       int64* row_start) {
  for (int64 i = 0; i < table.n; ++i)
    row_start[table.source[i] + 1] += owner[table.target[i]] == rank;
}

// Weights of fewer counts than this have lost digits that a user may miss.
constexpr int64 kFine = int64(1) << 20;

// Appends to each source's row, at next[source]; rows keep the order of projections and of synapses.
// Adds to `coarse` the number of weights that are rounded to fewer than kFine counts.
EXPORT void fill_rows(const SynapseTable& table, const int32* block_of, const uint16* owner,
                      int32 rank, int64* next, uint32* port, uint16* delay, int64* weight,
                      int64* coarse) {
  for (int64 i = 0; i < table.n; ++i) {
    const uint32 target = table.target[i];
    if (owner[target] != rank) continue;
    const int64 place = next[table.source[i]]++;
    const int32 block = block_of[target];
    port[place] = uint32(target + table.port[block]);
    delay[place] = table.delay[i * table.delay_stride];
    const double given = table.weight[i * table.weight_stride];
    weight[place] = std::llrint(given * table.scale[block]);
    *coarse += given != 0 && std::abs(weight[place]) < kFine;
  }
}

// Splits a stream of 32-bit words into pairs (source, target), each uniform in 0..last by rejection
// under a bit mask, alternating. It consumes words exactly as alternate calls of NumPy's
// RandomState.randint do, so that bulk drawing gives the network that single calls give.
// `pending` holds a source drawn without a target yet, or -1. Returns the number of words consumed.
EXPORT int64 draw_pairs(const uint32* words, int64 n_words, uint32 last_source, uint32 last_target,
                        int64 wanted, int64* source, int64* target, int64* made, int64* pending) {
  const auto mask_of = [](uint32 last) {
    uint32 mask = last;
    for (int32 shift = 1; shift < 32; shift *= 2) mask |= mask >> shift;
    return mask;
  };
  const uint32 source_mask = mask_of(last_source), target_mask = mask_of(last_target);
  int64 used = 0;
  *made = 0;
  while (*made < wanted) {
    if (*pending < 0) {  // a range of one value takes no random word
      if (last_source == 0) {
        *pending = 0;
      } else {
        if (used == n_words) return used;
        const uint32 draw = words[used++] & source_mask;
        if (draw <= last_source) *pending = draw;
        continue;
      }
    }
    int64 drawn = 0;
    if (last_target != 0) {
      if (used == n_words) return used;
      drawn = words[used++] & target_mask;
      if (drawn > last_target) continue;
    }
    source[*made] = *pending;
    target[*made] = drawn;
    *pending = -1;
    ++*made;
  }
  return used;
}
