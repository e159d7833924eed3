// Random connectivity, drawn by a GPU: a thread for each row. The rows are those of connect.cpp.
#include "build/launch.h"
#include "build/rows.h"

namespace {

// Calls body(row, room) for each row, with room for one chunk.
template <class Body>
DEVICE void for_each_row_in_room(const Connect& work, Body body) {
  const RoomSize size = room_size(work);
  for_each_work_in_room(work.request.n_source, work.n_room, [&](int64 row, int32 place) {
    body(row, size.at(work.room + place * size.bytes()));
  });
}

}  // namespace

BUILD_KERNEL(connect_lengths_by_probability, Connect) {
  const double log_miss = log_of_complement(work.request.p);
  for_each_work(work.request.n_source, [&](int64 row) {
    work.length[row] = length_by_probability(work.request, row, log_miss);
  });
}

BUILD_KERNEL(connect_by_probability, Connect) {
  const double log_miss = log_of_complement(work.request.p);
  with_indices(work.target, work.wide, [&](auto* target) {
    for_each_work(work.request.n_source, [&](int64 row) {
      auto* next = target + work.row_start[row];
      visit_by_probability(work.request, row, log_miss, [&](uint32 each) { *next++ = each; });
    });
  });
}

BUILD_KERNEL(connect_lengths_by_number, Connect) {
  for_each_row_in_room(work, [&](int64 row, const Room& room) {
    work.length[row] = length_by_number(work, row, room);
  });
}

BUILD_KERNEL(connect_by_number, Connect) {
  with_indices(work.target, work.wide, [&](auto* target) {
    for_each_row_in_room(work, [&](int64 row, const Room& room) {
      auto* next = target + work.row_start[row];
      visit_by_number(work, row, room, [&](uint32 each) { *next++ = each; });
    });
  });
}

BUILD_KERNEL(connect_count_sources, SourceCount) {
  for_each_work(source_tiles(work), [&](int64 tile) {
    draw_sources(work, tile, [&](uint32 source) { add(work.count + source, 1); });
  });
}

// Rows from columns: lengths of rows, then columns in any order, then sorted.
BUILD_KERNEL(connect_column_lengths, Columns) {
  for_each_work(work.n_column * work.per_column,
                [&](int64 i) { add(work.next + work.source[i], 1); });
}

BUILD_KERNEL(connect_scatter_columns, Columns) {
  for_each_work(work.n_column * work.per_column, [&](int64 i) {
    work.column[take_place(work.next + work.source[i])] = uint32(i / work.per_column);
  });
}

BUILD_KERNEL(connect_sort_rows, Columns) {
  const int64 even = (work.longest + 1) / 2 * 2;
  uint32* const rooms = reinterpret_cast<uint32*>(work.room);
  with_indices(work.target, work.wide, [&](auto* target) {
    for_each_work_in_room(work.n_source, work.n_room, [&](int64 row, int32 place) {
      uint32* const value = rooms + 2 * even * place;
      const int64 first = work.row_start[row], n = work.row_start[row + 1] - first;
      for (int64 i = 0; i < n; ++i) value[i] = work.column[first + i];
      const uint32* const sorted = sort_values(value, value + even, n, work.n_column);
      for (int64 i = 0; i < n; ++i) target[first + i] = work.first_column + sorted[i];
    });
  });
}
