// Rows of synapses whose weights are drawn when they are wanted, merged into words for delivery.
#include "build/sharing.h"
#include "build/survey.h"
#include "build/values.h"
#include "synapses/packed.h"

#include <algorithm>
#include <vector>

namespace {

// A weight as it would be stored.
double stored(const Draw& draw, double x) { return draw.wide ? x : double(to_single(x)); }

// The words of a row, to which segment each belongs, and how many there are in each.
struct Row {
  explicit Row(int32 n_segment) : count(n_segment) {}

  void begin(int64 most) {
    if (int64(words.size()) < most) words.resize(most), segment.resize(most);
    std::fill(count.begin(), count.end(), 0);
    n = 0;
  }

  // Writes the words by segment, and where the segments begin, the first at `place`.
  void write(uint64* to, int64 place, int64* begin) {
    for (size_t k = 0; k < count.size(); ++k) {
      const int32 n_here = count[k];
      begin[k] = place;
      count[k] = int32(place - begin[0]);
      place += n_here;
    }
    uint64* const first = to + begin[0];
    int32* const next = count.data();
    for (int64 j = 0; j < n; ++j) first[next[segment[j]]++] = words[j];
  }

  std::vector<uint64> words;
  std::vector<int32> segment, count;
  int64 n = 0;
};

// Adds the synapses that a table has in its row `own`; `group` is that of each delay.
void add_row(Row& row, const Table& table, const Draw& draw, int64 own, const int32* owner_start,
             const Table& like, const int32* group) {
  with_indices(draw.target, draw.wide_target, [&](const auto* target) {
    with_delays(table, [&](auto delay) {
      int32 part = 0;  // targets ascend
      for_tiles_of_row(draw, target, own, [&](int64 first, int32 size, const double* x) {
        uint64* const words = row.words.data() + row.n;
        int32 *const segment = row.segment.data() + row.n, *const count = row.count.data();
        int64 counts[kTile];
        for (int32 k = 0; k < size; ++k)
          counts[k] = round_to_integer(stored(draw, x[k]) * table.scale);
        for (int32 k = 0; k < size; ++k) {
          const int32 steps = delay(first + k), after = steps - 1 - group[steps] * like.group_steps;
          const int64 port = table.first_port + target[first + k];
          words[k] = packed_synapse(like, port, after, counts[k]);
        }
        for (int32 k = 0; k < size; ++k) {
          const int32 i = int32(target[first + k]);
          while (part + 1 < like.n_part && i >= owner_start[part + 1]) ++part;
          segment[k] = part * like.n_group + group[delay(first + k)];
          ++count[segment[k]];
        }
        row.n += size;
      });
    });
  });
}

}  // namespace

// Merges the rows of tables that have one source population, `first` [n_source + 1] being where those of the result
// begin, into words, `like` saying how; table.scale is that of counts, and draw[t] gives the targets and weights of
// table[t]. Segments are made for all owners and groups of delays.
EXPORT void pack_rows(const Table* table, const Draw* draw, const int32* const* owner_start,
                      int32 n_table, const Table& like, const int64* first, int32 most_delay,
                      int64* begin, int32 threads) {
  const int32 n_segment = like.n_part * like.n_group;
  uint64* const words = static_cast<uint64*>(const_cast<void*>(like.target));
  std::vector<int32> group(most_delay + 1);
  for (int32 steps = 1; steps <= most_delay; ++steps) group[steps] = (steps - 1) / like.group_steps;
#pragma omp parallel num_threads(sharing(threads, first[like.n_source]))
  {
    Row row(n_segment);
#pragma omp for schedule(dynamic, 16)
    for (int64 source = 0; source < like.n_source; ++source) {
      row.begin(first[source + 1] - first[source]);
      for (int32 t = 0; t < n_table; ++t) {
        const int64 own = source - table[t].first_source;
        if (own >= 0 && own < table[t].n_source)
          add_row(row, table[t], draw[t], own, owner_start[t], like, group.data());
      }
      row.write(words, first[source], begin + source * n_segment);
    }
  }
  begin[int64(like.n_source) * n_segment] = first[like.n_source];
}

// Takes the targets of one table out of packed rows, ascending in each: the synapses with ports from table.first_port
// on, as many as the population `n` has neurons.
EXPORT void unpack_targets(const Table& packed, const int64* first, const Table& table,
                           const int64* row_start, int64 n, int32 threads) {
  const uint64* const words = static_cast<const uint64*>(packed.target);
  with_indices(const_cast<void*>(table.target), table.wide_target, [&](auto* target) {
#pragma omp parallel for schedule(static) num_threads(sharing(threads, first[packed.n_source]))
    for (int32 own = 0; own < table.n_source; ++own) {
      const int32 row = own + table.first_source;
      auto* const begin = target + row_start[own];
      auto* next = begin;
      for (int64 j = first[row]; j < first[row + 1]; ++j) {
        const int64 i = packed_port(packed, words[j]) - table.first_port;
        if (i >= 0 && i < n) *next++ = i;
      }
      std::sort(begin, next);
    }
  });
}

// The same as add_input_bound, for weights that are drawn; and the least and the greatest of these.
EXPORT void survey_drawn(const Survey& work, const Draw& draw, double* least, double* greatest,
                         int32 threads) {
  double low = with_bits(kBitsOfInfinity), high = -low;
  with_indices(draw.target, draw.wide_target, [&](const auto* target) {
#pragma omp parallel num_threads(sharing(threads, draw.n)) reduction(min : low) \
    reduction(max : high)
    {
      std::vector<int64> mine(work.n_target);
      int64 counts[kTile];  // apart, so that this loop vectorises
#pragma omp for schedule(dynamic, 16)
      for (int64 row = 0; row < draw.n_source; ++row) {
        const double per_weight = counts_per_weight(work, work.most[row]);
        for_tiles_of_row(draw, target, row, [&](int64 first, int32 size, const double* x) {
          for (int32 k = 0; k < size; ++k) {
            low = std::min(low, x[k]);
            high = std::max(high, x[k]);
          }
          for (int32 k = 0; k < size; ++k)
            counts[k] = input_counts(work, absolute(stored(draw, x[k])), per_weight);
          for (int32 k = 0; k < size; ++k) mine[target[first + k]] += counts[k];
        });
      }
#pragma omp critical
      for (int64 i = 0; i < work.n_target; ++i) work.bound[i] += mine[i];
    }
  });
  *least = stored(draw, low);
  *greatest = stored(draw, high);
}
