// Random connectivity, drawn by threads of the CPU.
#include "build/rows.h"
#include "build/sharing.h"

#include <algorithm>
#include <vector>

namespace {

// Threads to count n synapses with, of n_source sources: their counts take at most 4 bytes per synapse.
int32 counting_threads(int32 threads, int64 n, int64 n_source) {
  return int32(std::clamp<int64>(n / (2 * n_source + 1), 1, sharing(threads, n)));
}

template <class Index>
void transpose(const Columns& work, int32 parts, std::vector<int64>& next, Index* target) {
  const auto first = [&](int32 part) { return work.n_column * part / parts; };
#pragma omp parallel for num_threads(parts)
  for (int32 part = 0; part < parts; ++part) {
    int64* const mine = &next[part * work.n_source];
    for (int64 column = first(part); column < first(part + 1); ++column)
      for (int64 i = column * work.per_column; i < (column + 1) * work.per_column; ++i)
        target[mine[work.source[i]]++] = Index(column);
  }
}

}  // namespace

// Bytes of a Room; 0 where rows need none.
EXPORT int64 connect_room(const Connect& work) {
  return room_size(work.request, work.shortest, work.longest).bytes();
}

// Number of connections of each row, each possible one made with probability p.
EXPORT void connect_row_lengths(const Connect& work, int32 threads) {
  const double log_miss = log_of_complement(work.request.p);
  const double expected =
      double(work.request.n_source) * (1 + work.request.p * double(work.request.n_target));
#pragma omp parallel for schedule(dynamic, 16) num_threads(sharing(threads, int64(expected)))
  for (int64 row = 0; row < work.request.n_source; ++row)
    work.length[row] = row_length(work.request, row, log_miss);
}

// The targets of the rows whose lengths connect_row_lengths gave, ascending.
EXPORT void connect_by_probability(const Connect& work, int32 threads) {
  const double log_miss = log_of_complement(work.request.p);
  const int32 team = sharing(threads, work.row_start[work.request.n_source]);
  with_indices(work.target, work.wide, [&](auto* target) {
#pragma omp parallel for schedule(dynamic, 16) num_threads(team)
    for (int64 row = 0; row < work.request.n_source; ++row)
      draw_by_probability(work.request, row, log_miss, target + work.row_start[row]);
  });
}

// Rows of given lengths: as many targets drawn with or without replacement, ascending.
EXPORT void connect_by_number(const Connect& work, int32 threads) {
  const RoomSize size = room_size(work.request, work.shortest, work.longest);
  const int32 team = sharing(threads, work.row_start[work.request.n_source]);
  with_indices(work.target, work.wide, [&](auto* target) {
#pragma omp parallel num_threads(team)
    {
      std::vector<uint64> memory(size.bytes() / 8);
      const Room room = size.at(reinterpret_cast<char*>(memory.data()));
#pragma omp for schedule(dynamic, 16)
      for (int64 row = 0; row < work.request.n_source; ++row) {
        const int64 first = work.row_start[row];
        draw_by_number(work.request, row, work.row_start[row + 1] - first, room, target + first);
      }
    }
  });
}

EXPORT void connect_count_sources(const SourceCount& work, int32 threads) {
  const int32 parts = counting_threads(threads, work.n, work.n_source);
  const int64 n_tile = source_tiles(work);
  std::vector<int64> count(parts * work.n_source);
#pragma omp parallel for num_threads(parts)
  for (int32 part = 0; part < parts; ++part) {
    int64* const mine = count.data() + part * work.n_source;
    for (int64 tile = n_tile * part / parts; tile < n_tile * (part + 1) / parts; ++tile)
      draw_sources(work, tile, [&](uint32 source) { ++mine[source]; });
  }
  for (int32 part = 0; part < parts; ++part)
    for (int64 s = 0; s < work.n_source; ++s) work.count[s] += count[part * work.n_source + s];
}

// Rows from columns, in the order of columns.
EXPORT void connect_transpose(const Columns& work, int32 threads) {
  const int64 n = work.n_column * work.per_column;
  const int32 parts = counting_threads(threads, n, work.n_source);
  std::vector<int64> next(parts * work.n_source);  // counts first, then places
#pragma omp parallel for num_threads(parts)
  for (int32 part = 0; part < parts; ++part)
    for (int64 i = work.n_column * part / parts * work.per_column;
         i < work.n_column * (part + 1) / parts * work.per_column; ++i)
      ++next[part * work.n_source + work.source[i]];
  int64 place = 0;
  for (int64 s = 0; s < work.n_source; ++s) {
    work.row_start[s] = place;
    for (int32 part = 0; part < parts; ++part) {
      const int64 count = next[part * work.n_source + s];
      next[part * work.n_source + s] = place;
      place += count;
    }
  }
  work.row_start[work.n_source] = place;
  with_indices(work.target, work.wide, [&](auto* target) { transpose(work, parts, next, target); });
}
