// Random connectivity in rows by source. A row depends on the seed and on its own index only, so that threads
// share the rows in any way and make the same network.
#pragma once

#include "build/tiles.h"
#include "build/work.h"

// The targets that a row may have. Candidate c is target c, or c + 1 from the one left out on.
struct Candidates {
  int64 n;
  int64 hole;

  DEVICE uint32 target(int64 c) const { return uint32(c + (c >= hole)); }
};

DEVICE Candidates candidates_of(const Request& request, int64 row) {
  const int64 self = request.self ? request.self[row] : -1;
  if (self < 0) return {request.n_target, request.n_target};
  return {request.n_target - 1, self};
}

DEVICE Stream row_stream(const Request& request, int64 row) {
  return {request.seed, Purpose::kConnect, uint32(row)};
}

// Calls visit(c) for each candidate that is connected with probability p, in ascending order. The number
// of candidates passed over before one is connected has the geometric distribution
//   P(gap >= k) = (1-p)^k,  so  gap = floor(ln u / ln(1-p)),  u uniform in (0, 1).
template <class Visit>
DEVICE void walk_gaps(const Stream& stream, int64 n, double p, double log_miss, Visit visit) {
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

// --- memory for a row -------------------------------------------------------------------------

// Where values are drawn and sorted. Sets that have one bit for each candidate are empty between rows.
struct Room {
  uint64* word;   // a bit for each candidate
  int64* slot;    // a table of the candidates taken
  uint32* value;  // those candidates, in the order of drawing
  uint32* spare;  // as many
};

// Up to so many bits per value, reading a whole set of bits is faster than sorting values.
constexpr int64 kBitsPerValue = 512;

DEVICE bool takes_bits(int64 n, int64 k) { return n <= kBitsPerValue * k; }

// Binary logarithm of the slots for a set of k values, which is at most half full.
DEVICE int32 slot_bits(int64 k) {
  int32 bits = 1;
  while ((int64(1) << bits) < 2 * k) ++bits;
  return bits;
}

// Sizes of the parts of a Room.
struct RoomSize {
  int64 words, slots, values;

  DEVICE int64 bytes() const { return 8 * (words + slots + values); }
  DEVICE Room at(char* memory) const {
    uint64* const word = reinterpret_cast<uint64*>(memory);
    uint32* const value = reinterpret_cast<uint32*>(word + words + slots);
    return {word, reinterpret_cast<int64*>(word + words), value, value + values};
  }
};

// Room for every row that has from `shortest` to `longest` targets. Rows may have a candidate less than
// there are targets.
DEVICE RoomSize room_size(const Request& request, int64 shortest, int64 longest) {
  const int64 n = request.n_target, even = (longest + 1) / 2 * 2;
  if (request.with_replacement) return {0, 0, even};
  const bool by_bits = takes_bits(n - 1, longest), by_values = !takes_bits(n, shortest);
  return {by_bits ? (n + 63) / 64 : 0, by_values ? int64(1) << slot_bits(longest) : 0,
          by_values ? even : 0};
}

// --- sets and sorting -------------------------------------------------------------------------

// Sorts by digits of 8 bits, the lowest first; `limit` is above all values. Returns where the sorted values
// are, which is `value` or `spare`.
DEVICE uint32* sort_values(uint32* value, uint32* spare, int64 n, int64 limit) {
  if (n < 48) {
    for (int64 i = 1; i < n; ++i) {
      const uint32 moved = value[i];
      int64 place = i;
      for (; place > 0 && value[place - 1] > moved; --place) value[place] = value[place - 1];
      value[place] = moved;
    }
    return value;
  }
  for (int32 shift = 0; (limit - 1) >> shift; shift += 8) {
    uint32 next[257] = {};
    for (int64 i = 0; i < n; ++i) ++next[((value[i] >> shift) & 255) + 1];
    for (int32 digit = 1; digit < 256; ++digit) next[digit] += next[digit - 1];
    for (int64 i = 0; i < n; ++i) spare[next[(value[i] >> shift) & 255]++] = value[i];
    uint32* const sorted = spare;
    spare = value;
    value = sorted;
  }
  return value;
}

// A set of candidates with one bit for each.
class BitSet {
 public:
  DEVICE explicit BitSet(const Room& room) : word_(room.word) {}

  // Whether the value was new.
  DEVICE bool insert(uint32 value) {
    uint64& word = word_[value >> 6];
    const uint64 bit = uint64(1) << (value & 63), before = word;
    word |= bit;
    return !(before & bit);
  }

  // Calls visit(c), ascending, for c = 0..n-1 in the set, or for those not in it, and empties the set.
  template <class Visit>
  DEVICE void take(int64 n, bool others, Visit visit) {
    const int64 n_word = (n + 63) / 64;
    for (int64 w = 0; w < n_word; ++w) {
      uint64 rest = others ? ~word_[w] : word_[w];
      if (w == n_word - 1 && n % 64) rest &= (uint64(1) << n % 64) - 1;
      for (; rest; rest &= rest - 1) visit(64 * w + lowest_bit(rest));
      word_[w] = 0;
    }
  }

 private:
  uint64* word_;
};

// A set of a few candidates of many: a table with open addressing.
class HashSet {
 public:
  DEVICE HashSet(const Room& room, int64 n_value)
      : slot_(room.slot), value_(room.value), bits_(slot_bits(n_value)) {
    for (int64 i = 0; i < int64(1) << bits_; ++i) slot_[i] = kFree;
  }

  DEVICE bool insert(uint32 given) {
    const int64 mask = (int64(1) << bits_) - 1;
    // Fibonacci hashing: the high bits of a product with 2^64 divided by the golden ratio
    int64 place = int64((given * 0x9E3779B97F4A7C15u) >> (64 - bits_));
    for (; slot_[place] != kFree; place = (place + 1) & mask)
      if (slot_[place] == int64(given)) return false;
    slot_[place] = given;
    value_[size_++] = given;
    return true;
  }

 private:
  static constexpr int64 kFree = -1;
  int64* slot_;
  uint32* value_;  // in the order of insertion
  int64 size_ = 0;
  int32 bits_;
};

// Inserts k different values of 0..n-1, each subset being equally likely (Floyd's algorithm, in Bentley
// and Floyd, 1987, doi:10.1145/30401.315746): of the values up to j take one at random, or j itself if
// that one is taken already, for the last k values j.
template <class Set>
DEVICE void insert_subset(const Stream& stream, int64 n, int64 k, Set& set) {
  uint32 drawn[kTile];
  for (int64 done = 0; done < k; done += kTile) {
    below_tile(stream, done / 2, tile_size(k - done), uint64(n - k + done + 1), 1, drawn);
    for (int32 i = 0; i < tile_rest(k - done); ++i)
      if (!set.insert(drawn[i])) set.insert(uint32(n - k + done + i));
  }
}

// --- rows -------------------------------------------------------------------------------------

DEVICE int64 row_length(const Request& request, int64 row, double log_miss) {
  int64 count = 0;
  walk_gaps(row_stream(request, row), candidates_of(request, row).n, request.p, log_miss,
            [&](int64) { ++count; });
  return count;
}

template <class Index>
DEVICE void draw_by_probability(const Request& request, int64 row, double log_miss, Index* target) {
  const Candidates from = candidates_of(request, row);
  walk_gaps(row_stream(request, row), from.n, request.p, log_miss,
            [&](int64 c) { *target++ = Index(from.target(c)); });
}

// k targets, with or without replacement.
template <class Index>
DEVICE void draw_by_number(const Request& request, int64 row, int64 k, const Room& room,
                           Index* target) {
  const Candidates from = candidates_of(request, row);
  const Stream stream = row_stream(request, row);
  if (request.with_replacement) {
    for (int64 done = 0; done < k; done += kTile)
      below_tile(stream, done / 2, tile_size(k - done), uint64(from.n), 0, room.value + done);
  } else if (takes_bits(from.n, k)) {
    BitSet set(room);
    // Where more than half are chosen, fewer draws choose those that are not.
    const bool others = k > from.n / 2;
    insert_subset(stream, from.n, others ? from.n - k : k, set);
    return set.take(from.n, others, [&](int64 c) { *target++ = Index(from.target(c)); });
  } else {
    HashSet set(room, k);
    insert_subset(stream, from.n, k, set);
  }
  const uint32* const sorted = sort_values(room.value, room.spare, k, from.n);
  for (int64 i = 0; i < k; ++i) target[i] = Index(from.target(sorted[i]));
}

// Calls visit(source) for the draws of a tile.
template <class Visit>
DEVICE void draw_sources(const SourceCount& work, int64 tile, Visit visit) {
  uint32 drawn[kTile];
  const int64 missing = work.n - tile * kTile;
  below_tile({work.seed, Purpose::kEnd, 0}, tile * (kTile / 2), tile_size(missing),
             uint64(work.n_source), 0, drawn);
  for (int32 i = 0; i < tile_rest(missing); ++i) visit(drawn[i]);
}

DEVICE int64 source_tiles(const SourceCount& work) { return (work.n + kTile - 1) / kTile; }

// Calls use(target) with the array of targets as one of its type.
template <class Use>
DEVICE void with_indices(void* target, int32 wide, Use use) {
  if (wide)
    use(static_cast<uint32*>(target));
  else
    use(static_cast<uint16*>(target));
}
