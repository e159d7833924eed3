// How many threads of the CPU a piece of work is worth.
#pragma once

#include "core/types.h"

#include <algorithm>

// Synapses, or values, that are a thread's share at least. They take about a millisecond: on a busy machine it
// may take several until a thread gets a processor, and all wait for it.
constexpr int64 kLeastShare = int64(1) << 16;

// Threads that share work on n synapses or values. One does it without a team.
inline int32 sharing(int32 threads, int64 n) {
  return int32(std::clamp<int64>(n / kLeastShare, 1, std::max(threads, 1)));
}
