// Looks through the synapses of a table on a GPU, and sorts its rows. The sums and the order are those of
// build.cpp.
#include "build/launch.h"
#include "build/survey.h"

BUILD_KERNEL(add_input_bound, Survey) {
  with_targets(work.table, [&](auto target) {
    with_sizes(work.table, work.least, [&](auto size) {
      for_each_in_rows(work.table.n_source, work.row_start, [&](int32 row, int64 j) {
        const double per_weight = counts_per_weight(work, work.most[row]);
        add(work.bound + uint32(target(j)), input_counts(work, size(j), per_weight));
      });
    });
  });
}

BUILD_KERNEL(count_coarse, Survey) {
  int64 coarse = 0;
  with_sizes(work.table, 0, [&](auto size) {
    for_each_work(work.n, [&](int64 j) { coarse += is_coarse(size(j), work.table.scale); });
  });
  if (coarse) add(work.coarse, coarse);
}

// Where the groups of delays begin in each row, and where in its row each synapse goes: the order of what is
// equal is kept. A thread for each row.
BUILD_KERNEL(arrange_segments, Arrange) {
  const int32 n_group = work.table.n_group;
  with_delays(work.table, [&](auto delay) {
    const auto group_of = [&](int64 j) {
      return (delay(j) - 1) / work.delay_group - work.table.first_group;
    };
    for_each_work(work.table.n_source, [&](int64 row) {
      const int64 first = work.row_start[row], end = work.row_start[row + 1];
      int64* const begin = work.begin + row * n_group;
      for (int64 j = first; j < end; ++j) ++begin[group_of(j)];
      int64 sum = first;
      for (int32 g = 0; g < n_group; ++g) {
        const int64 count = begin[g];
        begin[g] = sum;
        sum += count;
      }
      for (int64 j = first; j < end; ++j) work.place[j] = uint32(begin[group_of(j)]++ - first);
      // Now each group ends where it should begin, which is where the one before ends.
      for (int32 g = n_group - 1; g > 0; --g) begin[g] = begin[g - 1];
      begin[0] = first;
      if (row == work.table.n_source - 1) begin[n_group] = end;
    });
  });
}

template <class Item>
DEVICE void move_items(const Arrange& work) {
  const Item* const from = static_cast<const Item*>(work.from);
  Item* const to = static_cast<Item*>(work.to);
  for_each_in_rows(work.table.n_source, work.row_start,
                   [&](int32 row, int64 j) { to[work.row_start[row] + work.place[j]] = from[j]; });
}

BUILD_KERNEL(arrange_items, Arrange) {
  switch (work.item_size) {
    case 1:
      return move_items<uint8>(work);
    case 2:
      return move_items<uint16>(work);
    case 4:
      return move_items<uint32>(work);
    default:
      return move_items<uint64>(work);
  }
}
