// Values of synapses, row by row, by threads of the CPU.
#pragma once

#include "build/laws.h"

// Calls body(first, size, x) for each tile of the values of the synapses of a row.
template <class Index, class Body>
void for_tiles_of_row(const Draw& work, const Index* target, int64 row, Body body) {
  uint32 to[kTile], nth[kTile];
  alignas(64) double x[kTile];
  const int64 begin = work.row_start[row], end = work.row_start[row + 1];
  for (int64 first = begin; first < end; first += kTile) {
    const int32 size = tile_rest(end - first);
    for (int32 k = 0; k < size; ++k) to[k] = target[first + k];
    nth[0] = same_before(target, begin, first);
    uint32 repeated = 0;
    for (int32 k = 1; k < size; ++k) repeated |= nth[k] = to[k] == to[k - 1];
    if (repeated || nth[0])
      for (int32 k = 1; k < size; ++k) nth[k] = nth[k] ? nth[k - 1] + 1 : 0;
    if (size % 2) to[size] = nth[size] = 0;  // an even number of values is drawn
    const BySynapse numbers{work.seed, uint32(row), to, nth};
    draw_tile(work.law, numbers, tile_size(end - first), x);
    body(first, size, x);
  }
}
