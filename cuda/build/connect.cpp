// Random connectivity, drawn by threads of the CPU.
#include "build/rows.h"
#include "build/sharing.h"

#include <algorithm>
#include <type_traits>
#include <vector>

namespace {

// Threads to count n synapses with, of n_source sources: their counts take at most 4 bytes per synapse.
int32 counting_threads(int32 threads, int64 n, int64 n_source) {
  return int32(std::clamp<int64>(n / (2 * n_source + 1), 1, sharing(threads, n)));
}

// Rows that are drawn and kept together; how many they are changes no row.
constexpr int64 kRowsOfBlock = 16;

// Targets of all blocks of rows, as bytes.
using Blocks = std::vector<std::vector<char>>;

// About how many connections are made.
int64 expected(const Connect& work) {
  const Request& request = work.request;
  const double part = double(request.end - request.first) / double(greater(request.n_target, 1));
  const double each = work.number ? double(work.longest) : request.p * double(request.n_target);
  return int64(double(request.n_source) * (1 + each * part));
}

// Calls draw(row, room, drawn) for each row, which appends its targets.
template <class Index, class Draw>
void draw_blocks(const Connect& work, int32 threads, Blocks& blocks, Draw draw) {
  const RoomSize size = work.number ? room_size(work) : RoomSize{};
#pragma omp parallel num_threads(sharing(threads, expected(work)))
  {
    std::vector<uint64> memory(size.bytes() / 8);
    const Room room = size.at(reinterpret_cast<char*>(memory.data()));
    std::vector<Index> drawn;
#pragma omp for schedule(dynamic, 1)
    for (int64 block = 0; block < int64(blocks.size()); ++block) {
      drawn.clear();
      const int64 first = block * kRowsOfBlock;
      for (int64 row = first; row < std::min(first + kRowsOfBlock, work.request.n_source); ++row) {
        const size_t before = drawn.size();
        draw(row, room, drawn);
        work.length[row] = int64(drawn.size() - before);
      }
      const char* const bytes = reinterpret_cast<const char*>(drawn.data());
      blocks[block].assign(bytes, bytes + drawn.size() * sizeof(Index));
    }
  }
}

template <class Index>
void transpose(const Columns& work, int32 parts, std::vector<int64>& next, Index* target) {
  const auto first = [&](int32 part) { return work.n_column * part / parts; };
#pragma omp parallel for num_threads(parts)
  for (int32 part = 0; part < parts; ++part) {
    int64* const mine = &next[part * work.n_source];
    for (int64 column = first(part); column < first(part + 1); ++column)
      for (int64 i = column * work.per_column; i < (column + 1) * work.per_column; ++i)
        target[mine[work.source[i]]++] = Index(work.first_column + column);
  }
}

}  // namespace

// Bytes of a Room; 0 where rows need none.
EXPORT int64 connect_room(const Connect& work) { return room_size(work).bytes(); }

// Draws rows of given numbers of targets, or each target with the same probability, and finds how many there are in each.
// A row is drawn once, so that its targets are kept until there is an array for them: connect_take puts them there.
EXPORT Blocks* connect_draw(const Connect& work, int32 threads) {
  const int64 n_block = (work.request.n_source + kRowsOfBlock - 1) / kRowsOfBlock;
  auto* const blocks = new Blocks(n_block);
  const double log_miss = work.number ? 0 : log_of_complement(work.request.p);
  with_indices(work.target, work.wide, [&](auto* none) {
    using Index = std::remove_pointer_t<decltype(none)>;
    draw_blocks<Index>(work, threads, *blocks, [&](int64 row, const Room& room, auto& drawn) {
      const auto visit = [&](uint32 target) { drawn.push_back(Index(target)); };
      const auto take = [&](const Candidates& from, const Range& inside, int64, bool all) {
        if (!all) return false;
        const size_t place = drawn.size();
        drawn.resize(place + (inside.end - inside.first));
        Index* const next = drawn.data() + place - inside.first;
        for (int64 c = inside.first; c < inside.end; ++c) next[c] = Index(from.target(c));
        return true;
      };
      if (work.number)
        visit_by_number(work, row, room, take, visit);
      else
        visit_by_probability(work.request, row, log_miss, visit);
    });
  });
  return blocks;
}

// Puts the rows into the array, if there is one, and frees them.
EXPORT void connect_take(Blocks* blocks, const Connect& work, int32 threads) {
  if (char* const target = static_cast<char*>(work.target)) {
    const int64 size = work.wide ? 4 : 2;
    const int32 team = sharing(threads, work.row_start[work.request.n_source]);
#pragma omp parallel for num_threads(team)
    for (int64 block = 0; block < int64(blocks->size()); ++block) {
      std::vector<char>& bytes = (*blocks)[block];
      std::copy(bytes.begin(), bytes.end(), target + size * work.row_start[block * kRowsOfBlock]);
      std::vector<char>().swap(bytes);
    }
  }
  delete blocks;
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
