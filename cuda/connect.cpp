// Random connectivity, drawn in rows by source. A row depends on the seed and on its own index only, so
// that threads share the rows in any way and make the same network.
#include "tiles.h"

#include <algorithm>
#include <vector>

// What to draw; engine/connect.py mirrors it.
struct Request {
  uint64 seed;
  int64 n_source;
  int64 n_target;     // at most 2^32
  const int64* self;  // [n_source] target that is the same cell and is left out, or -1; may be null
  double p;           // probability of a connection, 0 < p < 1, where that is the rule
  int32 threads;
  int32 with_replacement;
};

namespace {

// The targets that a row may have. Candidate c is target c, or c + 1 from the one left out on.
struct Candidates {
  int64 n;
  int64 hole;

  uint32 target(int64 c) const { return uint32(c + (c >= hole)); }
};

Candidates candidates_of(const Request& request, int64 row) {
  const int64 self = request.self ? request.self[row] : -1;
  if (self < 0) return {request.n_target, request.n_target};
  return {request.n_target - 1, self};
}

Stream row_stream(const Request& request, int64 row) {
  return {request.seed, Purpose::kConnect, uint32(row)};
}

// Calls visit(c) for each candidate that is connected with probability p, in ascending order. The number
// of candidates passed over before one is connected has the geometric distribution
//   P(gap >= k) = (1-p)^k,  so  gap = floor(ln u / ln(1-p)),  u uniform in (0, 1).
template <class Visit>
void walk_gaps(const Stream& stream, int64 n, double p, double log_miss, Visit visit) {
  alignas(64) double gap[kTile];
  const double limit = double(n);
  int64 place = 0;
  for (int64 call = 0; place < n;) {
    const int64 expected = int64(double(n - place) * p);
    const int32 size = tile_size(expected / 16 * 16 + 16);  // a multiple of a vector's size
    open_uniform_tile(stream, call, size, gap);
    for (int32 k = 0; k < size; ++k) {
      const double passed = floor(log_of(gap[k]) / log_miss);
      gap[k] = passed < limit ? passed : limit;
    }
    for (int32 k = 0; k < size; ++k) {
      place += int64(gap[k]);
      if (place >= n) return;
      visit(place++);
    }
    call += size / 2;
  }
}

template <class Index>
void fill_by_probability(const Request& request, const int64* row_start, Index* target) {
  const double log_miss = log_of_complement(request.p);
#pragma omp parallel for schedule(dynamic, 16) num_threads(request.threads)
  for (int64 row = 0; row < request.n_source; ++row) {
    const Candidates from = candidates_of(request, row);
    Index* next = target + row_start[row];
    walk_gaps(row_stream(request, row), from.n, request.p, log_miss,
              [&](int64 c) { *next++ = Index(from.target(c)); });
  }
}

// Sorts by digits of 8 bits, the lowest first; `limit` is above all values.
void sort_values(std::vector<uint32>& value, std::vector<uint32>& spare, int64 limit) {
  if (value.size() < 96) return std::sort(value.begin(), value.end());
  spare.resize(value.size());
  for (int32 shift = 0; (limit - 1) >> shift; shift += 8) {
    uint32 next[257] = {};
    for (const uint32 v : value) ++next[((v >> shift) & 255) + 1];
    for (int32 digit = 1; digit < 256; ++digit) next[digit] += next[digit - 1];
    for (const uint32 v : value) spare[next[(v >> shift) & 255]++] = v;
    value.swap(spare);
  }
}

// A set of candidates with one bit for each.
class BitSet {
 public:
  void prepare(int64 n) { word_.resize(std::max<size_t>(word_.size(), (n + 63) / 64)); }

  // Whether the value was new.
  bool insert(uint32 value) {
    uint64& word = word_[value >> 6];
    const uint64 bit = uint64(1) << (value & 63), before = word;
    word |= bit;
    return !(before & bit);
  }

  // Calls visit(c), ascending, for c = 0..n-1 in the set, or for those not in it, and empties the set.
  template <class Visit>
  void take(int64 n, bool others, Visit visit) {
    const int64 n_word = (n + 63) / 64;
    for (int64 w = 0; w < n_word; ++w) {
      uint64 rest = others ? ~word_[w] : word_[w];
      if (w == n_word - 1 && n % 64) rest &= (uint64(1) << n % 64) - 1;
      for (; rest; rest &= rest - 1) visit(64 * w + __builtin_ctzll(rest));
      word_[w] = 0;
    }
  }

 private:
  std::vector<uint64> word_;
};

// A set of a few candidates of many: a table with open addressing, at most half full.
class HashSet {
 public:
  void prepare(int64 n_value) {
    shift_ = 63;
    while ((int64(1) << (64 - shift_)) < 2 * n_value) --shift_;
    slot_.assign(size_t(1) << (64 - shift_), kFree);
    value.clear();
  }

  bool insert(uint32 given) {
    const size_t mask = slot_.size() - 1;
    // Fibonacci hashing: the high bits of a product with 2^64 divided by the golden ratio
    size_t place = size_t((given * 0x9E3779B97F4A7C15u) >> shift_);
    for (; slot_[place] != kFree; place = (place + 1) & mask)
      if (slot_[place] == given) return false;
    slot_[place] = given;
    value.push_back(given);
    return true;
  }

  std::vector<uint32> value;  // in the order of insertion

 private:
  static constexpr int64 kFree = -1;
  std::vector<int64> slot_;
  int32 shift_ = 63;
};

// Inserts k different values of 0..n-1, each subset being equally likely (Floyd's algorithm, in Bentley
// and Floyd, 1987, doi:10.1145/30401.315746): of the values up to j take one at random, or j itself if
// that one is taken already, for the last k values j.
template <class Set>
void insert_subset(const Stream& stream, int64 n, int64 k, Set& set) {
  uint32 drawn[kTile];
  for (int64 done = 0; done < k; done += kTile) {
    const int32 size = tile_size(k - done);
    below_tile(stream, done / 2, size, uint64(n - k + done + 1), 1, drawn);
    for (int32 i = 0; i < std::min<int64>(size, k - done); ++i)
      if (!set.insert(drawn[i])) set.insert(uint32(n - k + done + i));
  }
}

// Draws rows of given lengths; each thread has one.
class RowDrawer {
 public:
  explicit RowDrawer(const Request& request) : request_(request) {}

  template <class Index>
  void draw(int64 row, int64 k, Index* target) {
    const Candidates from = candidates_of(request_, row);
    const Stream stream = row_stream(request_, row);
    const auto visit = [&](int64 c) { *target++ = Index(from.target(c)); };
    if (request_.with_replacement) {
      draw_independent(stream, from.n, k);
    } else if (from.n <= kBitsPerValue * k) {
      return draw_by_bits(stream, from.n, k, visit);
    } else {
      few_.prepare(k);
      insert_subset(stream, from.n, k, few_);
    }
    sort_values(few_.value, spare_, from.n);
    for (const uint32 c : few_.value) visit(c);
  }

 private:
  // Up to so many bits per value, reading a whole set of bits is faster than sorting values.
  static constexpr int64 kBitsPerValue = 512;

  void draw_independent(const Stream& stream, int64 n, int64 k) {
    few_.value.resize((k + 1) / 2 * 2);
    for (int64 done = 0; done < k; done += kTile)
      below_tile(stream, done / 2, tile_size(k - done), uint64(n), 0, &few_.value[done]);
    few_.value.resize(k);
  }

  // Where more than half are chosen, fewer draws choose those that are not.
  template <class Visit>
  void draw_by_bits(const Stream& stream, int64 n, int64 k, Visit visit) {
    bits_.prepare(n);
    const bool others = k > n / 2;
    insert_subset(stream, n, others ? n - k : k, bits_);
    bits_.take(n, others, visit);
  }

  const Request& request_;
  BitSet bits_;
  HashSet few_;
  std::vector<uint32> spare_;
};

template <class Index>
void fill_by_number(const Request& request, const int64* row_start, Index* target) {
#pragma omp parallel num_threads(request.threads)
  {
    RowDrawer drawer(request);
#pragma omp for schedule(dynamic, 16)
    for (int64 row = 0; row < request.n_source; ++row)
      drawer.draw(row, row_start[row + 1] - row_start[row], target + row_start[row]);
  }
}

template <class Index>
void transpose(const uint32* source, int64 n_column, int64 per_column, int32 parts, int64 n_source,
               int64* next, Index* target) {
#pragma omp parallel for num_threads(parts)
  for (int32 part = 0; part < parts; ++part) {
    int64* mine = next + part * n_source;
    for (int64 column = n_column * part / parts; column < n_column * (part + 1) / parts; ++column)
      for (int64 i = column * per_column; i < (column + 1) * per_column; ++i)
        target[mine[source[i]]++] = Index(column);
  }
}

}  // namespace

// length[row] = number of connections, each possible one made with probability p.
EXPORT void connect_row_lengths(const Request& request, int64* length) {
  const double log_miss = log_of_complement(request.p);
#pragma omp parallel for schedule(dynamic, 16) num_threads(request.threads)
  for (int64 row = 0; row < request.n_source; ++row) {
    int64 count = 0;
    walk_gaps(row_stream(request, row), candidates_of(request, row).n, request.p, log_miss,
              [&](int64) { ++count; });
    length[row] = count;
  }
}

// The targets of the rows whose lengths connect_row_lengths gave, ascending.
EXPORT void connect_by_probability(const Request& request, const int64* row_start, int32 wide,
                                   void* target) {
  if (wide) return fill_by_probability(request, row_start, static_cast<uint32*>(target));
  fill_by_probability(request, row_start, static_cast<uint16*>(target));
}

// Rows of given lengths: as many targets drawn with or without replacement, ascending.
EXPORT void connect_by_number(const Request& request, const int64* row_start, int32 wide,
                              void* target) {
  if (wide) return fill_by_number(request, row_start, static_cast<uint32*>(target));
  fill_by_number(request, row_start, static_cast<uint16*>(target));
}

// count[part][s] = how often source s is drawn in a part of n draws; parts are drawn by one thread each.
EXPORT void connect_draw_sources(uint64 seed, int64 n, int64 n_source, int32 parts, int64* count) {
#pragma omp parallel for num_threads(parts)
  for (int32 part = 0; part < parts; ++part) {
    uint32 drawn[kTile];
    const int64 n_tile = (n + kTile - 1) / kTile;
    for (int64 tile = n_tile * part / parts; tile < n_tile * (part + 1) / parts; ++tile) {
      const int64 missing = n - tile * kTile;
      const int32 size = tile_size(missing);
      below_tile({seed, Purpose::kEnd, 0}, tile * (kTile / 2), size, uint64(n_source), 0, drawn);
      for (int32 i = 0; i < std::min<int64>(size, missing); ++i)
        ++count[part * n_source + drawn[i]];
    }
  }
}

// count[part][s] = how often source s occurs in a part of the columns, source[n_column][per_column].
EXPORT void connect_count_sources(const uint32* source, int64 n_column, int64 per_column,
                                  int32 parts, int64 n_source, int64* count) {
#pragma omp parallel for num_threads(parts)
  for (int32 part = 0; part < parts; ++part)
    for (int64 i = n_column * part / parts * per_column;
         i < n_column * (part + 1) / parts * per_column; ++i)
      ++count[part * n_source + source[i]];
}

// Rows from columns, in the order of columns; next[part][s] is where in `target` the part begins its
// share of row s.
EXPORT void connect_transpose(const uint32* source, int64 n_column, int64 per_column, int32 parts,
                              int64 n_source, int64* next, int32 wide, void* target) {
  if (wide)
    return transpose(source, n_column, per_column, parts, n_source, next,
                     static_cast<uint32*>(target));
  transpose(source, n_column, per_column, parts, n_source, next, static_cast<uint16*>(target));
}
