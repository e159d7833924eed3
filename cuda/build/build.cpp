// Prepares the synapses of a projection for the engine.
#include "build/sharing.h"
#include "build/survey.h"
#include "synapses/shared.h"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <type_traits>
#include <vector>

namespace {

// Calls use(array) with an array of a table as an array of its type; `size` is that of an item.
template <class Use>
void with_items(void* array, int32 size, Use use) {
  if (!array) return;
  switch (size) {
    case 1:
      return use(static_cast<uint8*>(array));
    case 2:
      return use(static_cast<uint16*>(array));
    case 4:
      return use(static_cast<uint32*>(array));
    default:
      return use(static_cast<uint64*>(array));
  }
}

// Room that a thread needs to sort rows.
struct Workspace {
  std::vector<int32> key, place;
  std::vector<char> items;
};

// Puts the items of a row where `place` says.
template <class Item>
void permute(Item* row, const std::vector<int32>& place, std::vector<char>& room) {
  room.resize(place.size() * sizeof(Item));
  Item* moved = reinterpret_cast<Item*>(room.data());
  for (size_t j = 0; j < place.size(); ++j) moved[place[j]] = row[j];
  std::memcpy(row, moved, room.size());
}

// The same as add_input_bound, for synapses that share weights.
void add_shared_input_bound(const Survey& work, int32 threads) {
  const Segment whole{0, work.n_target, 1, 0, 0};
  with_sizes(work.table, work.least, [&](auto size) {
#pragma omp parallel num_threads(sharing(threads, work.n))
    {
      std::vector<int64> mine(work.n_target);
#pragma omp for schedule(static)
      for (int32 row = 0; row < work.table.n_source; ++row) {
        const double per_weight = counts_per_weight(work, work.most[row]);
        for_each_shared(*work.table.shared, row, whole, [&](int32 target, int64 j) {
          mine[target] += input_counts(work, size(j), per_weight);
        });
      }
#pragma omp critical
      for (int64 i = 0; i < work.n_target; ++i) work.bound[i] += mine[i];
    }
  });
}

}  // namespace

// Adds to `bound` an upper bound of the input that one step can bring to each target, in counts.
EXPORT void add_input_bound(const Survey& work, int32 threads) {
  if (work.table.shared) return add_shared_input_bound(work, threads);
  constexpr int32 tile = 64;
  const int32 team = sharing(threads, work.row_start[work.table.n_source]);
  with_targets(work.table, [&](auto target) {
    with_sizes(work.table, work.least, [&](auto size) {
#pragma omp parallel num_threads(team)
      {
        std::vector<int64> mine(work.n_target);
        int64 counts[tile];  // apart, so that this loop vectorises
#pragma omp for schedule(static)
        for (int32 row = 0; row < work.table.n_source; ++row) {
          const double per_weight = counts_per_weight(work, work.most[row]);
          const int64 end = work.row_start[row + 1];
          for (int64 first = work.row_start[row]; first < end; first += tile) {
            const int32 n = int32(std::min<int64>(tile, end - first));
            for (int32 k = 0; k < n; ++k)
              counts[k] = input_counts(work, size(first + k), per_weight);
            for (int32 k = 0; k < n; ++k) mine[uint32(target(first + k))] += counts[k];
          }
        }
#pragma omp critical
        for (int64 i = 0; i < work.n_target; ++i) work.bound[i] += mine[i];
      }
    });
  });
}

// Sorts each row by the owner of the target and the group of the delay, in place and keeping the order of
// what is equal, and writes where the segments begin to `begin`. Owners are the ranks from
// table.first_owner on: `owner_start` as in Block. Sizes are those of an item, in bytes.
EXPORT void arrange_rows(const Table& table, const int64* row_start, const int32* owner_start,
                         int32 delay_group, int32 n_threads, int64* begin) {
  const int32 n_segment = table.n_part * table.n_group;
  const int32 target_size = table.wide_target ? 4 : 2, delay_size = table.wide_delay ? 2 : 1,
              weight_size = table.single ? 4 : 8;
#pragma omp parallel num_threads(sharing(n_threads, row_start[table.n_source]))
  {
    Workspace work;
    std::vector<int32> next(n_segment + 1);
#pragma omp for schedule(static)
    for (int32 row = 0; row < table.n_source; ++row) {
      const int64 first = row_start[row];
      const int32 n = int32(row_start[row + 1] - first);
      work.key.resize(n);
      work.place.resize(n);
      std::fill(next.begin(), next.end(), 0);
      with_targets(table, [&](auto target) {
        with_delays(table, [&](auto delay) {
          for (int32 j = 0; j < n; ++j) {
            int32 part = 0;
            while (part + 1 < table.n_part &&
                   int32(target(first + j)) >= owner_start[table.first_owner + part + 1])
              ++part;
            const int32 group = (delay(first + j) - 1) / delay_group - table.first_group;
            work.key[j] = part * table.n_group + group;
            ++next[work.key[j] + 1];
          }
        });
      });
      for (int32 k = 0; k < n_segment; ++k) next[k + 1] += next[k];
      for (int32 k = 0; k < n_segment; ++k) begin[int64(row) * n_segment + k] = first + next[k];
      bool sorted = true;
      for (int32 j = 0; j < n; ++j) {
        work.place[j] = next[work.key[j]]++;
        sorted &= work.place[j] == j;
      }
      if (sorted) continue;
      const auto move = [&](const void* array, int32 size) {
        with_items(const_cast<void*>(array), size,
                   [&](auto* items) { permute(items + first, work.place, work.items); });
      };
      move(table.target, target_size);
      move(table.delay, delay_size);
      move(table.weight, weight_size);
    }
  }
  begin[int64(table.n_source) * n_segment] = row_start[table.n_source];
}

// Merges the rows of tables that have one source population, `first` [n_source + 1] being where those of the
// result begin. Targets become ports, weights are multiplied by each table's `scale`; segments are made
// as by arrange_rows, for all threads and groups. `like` has the types of the result's arrays.
EXPORT void merge_rows(const Table* table, const int64* const* row_start,
                       const int32* const* owner_start, int32 n_table, const Table& like,
                       const int64* first, int32 delay_group, int32 n_threads, int64* begin) {
  const int32 n_segment = like.n_part * like.n_group;
  uint32* const port = static_cast<uint32*>(const_cast<void*>(like.target));
  const int32 team = sharing(n_threads, first[like.n_source]);
  with_items(const_cast<void*>(like.delay), like.wide_delay ? 2 : 1, [&](auto* delays) {
    with_items(like.weight, like.single ? 4 : 8, [&](auto* weights) {
      using Delay = std::remove_reference_t<decltype(*delays)>;
      using Real = std::conditional_t<sizeof(*weights) == 4, float, double>;
      struct Synapse {
        uint32 port;
        Delay delay;
        Real weight;
        int32 key;
      };
#pragma omp parallel num_threads(team)
      {
        std::vector<Synapse> synapses;
        std::vector<int32> next(n_segment + 1);
#pragma omp for schedule(static)
        for (int32 row = 0; row < like.n_source; ++row) {
          synapses.clear();
          std::fill(next.begin(), next.end(), 0);
          for (int32 t = 0; t < n_table; ++t) {
            const int32 own = row - table[t].first_source;
            if (own < 0 || own >= table[t].n_source) continue;
            const Real* from = static_cast<const Real*>(table[t].weight);
            with_targets(table[t], [&](auto target) {
              with_delays(table[t], [&](auto delay) {
                for (int64 j = row_start[t][own]; j < row_start[t][own + 1]; ++j) {
                  const int32 i = target(j);
                  int32 part = 0;
                  while (part + 1 < like.n_part && i >= owner_start[t][part + 1]) ++part;
                  const int32 key = part * like.n_group + (delay(j) - 1) / delay_group;
                  synapses.push_back({uint32(table[t].first_port + i), Delay(delay(j)),
                                      Real(from[j] * table[t].scale), key});
                  ++next[key + 1];
                }
              });
            });
          }
          for (int32 k = 0; k < n_segment; ++k) next[k + 1] += next[k];
          for (int32 k = 0; k < n_segment; ++k)
            begin[int64(row) * n_segment + k] = first[row] + next[k];
          for (const Synapse& each : synapses) {
            const int64 place = first[row] + next[each.key]++;
            port[place] = each.port;
            delays[place] = each.delay;
            reinterpret_cast<Real*>(weights)[place] = each.weight;
          }
        }
      }
      begin[int64(like.n_source) * n_segment] = first[like.n_source];
    });
  });
}

// Takes the rows of one table out of merged ones: the synapses with ports from table.first_port on, as
// many as the population `n` has neurons. The result's arrays are those of `table`.
EXPORT void extract_rows(const Table& merged, const int64* first, const Table& table,
                         const int64* row_start, int32 n, int32 n_threads) {
  const uint32* const port = static_cast<const uint32*>(merged.target);
  const int32 team = sharing(n_threads, first[merged.n_source]);
  const auto copy = [&](auto from_delay, auto* targets, auto* delays, auto* weights) {
    using Real = std::conditional_t<sizeof(*weights) == 4, float, double>;
    const Real* from = static_cast<const Real*>(merged.weight);
    const uint32 low = uint32(table.first_port);
#pragma omp parallel for num_threads(team) schedule(static)
    for (int32 own = 0; own < table.n_source; ++own) {
      const int32 row = own + table.first_source;
      int64 place = row_start[own];
      for (int64 j = first[row]; j < first[row + 1]; ++j) {
        if (port[j] - low >= uint32(n)) continue;
        targets[place] = port[j] - low;
        delays[place] = from_delay(j);
        reinterpret_cast<Real*>(weights)[place++] = Real(from[j] / table.scale);
      }
    }
  };
  with_delays(merged, [&](auto from_delay) {
    with_items(const_cast<void*>(table.target), table.wide_target ? 4 : 2, [&](auto* targets) {
      with_items(const_cast<void*>(table.delay), table.wide_delay ? 2 : 1, [&](auto* delays) {
        with_items(table.weight, table.single ? 4 : 8,
                   [&](auto* weights) { copy(from_delay, targets, delays, weights); });
      });
    });
  });
}

// Counts weights that have lost digits.
EXPORT void count_coarse(const Survey& work, int32 threads) {
  int64 coarse = 0;
  const int32 team = sharing(threads, work.n);
  with_sizes(work.table, 0, [&](auto size) {
#pragma omp parallel for schedule(static) num_threads(team) reduction(+ : coarse)
    for (int64 j = 0; j < work.n; ++j) coarse += is_coarse(size(j), work.table.scale);
  });
  *work.coarse += coarse;
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
