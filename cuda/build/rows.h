// Random connectivity in rows by source. What a row has in a chunk of targets depends on the seed, the row and the
// chunk only: threads share the rows in any way, and processes the targets, and make the same network.
#pragma once

#include "build/splits.h"
#include "build/work.h"

// The targets that a row may have. Candidate c is target c, or c + 1 from the one left out on.
struct Candidates {
  int64 n;
  int64 hole;

  DEVICE uint32 target(int64 c) const { return uint32(c + (c >= hole)); }

  // Number of candidates that stand for targets below this one.
  DEVICE int64 below(int64 target) const { return target - (hole < target); }
};

// Candidates first..end-1 stand for the targets that are made.
struct Range {
  int64 first, end;
};

DEVICE Range wanted(const Request& request, const Candidates& from) {
  return {from.below(request.first), from.below(request.end)};
}

DEVICE Candidates candidates_of(const Request& request, int64 row) {
  const int64 self = request.self ? request.self[row] : -1;
  if (self < 0) return {request.n_target, request.n_target};
  return {request.n_target - 1, self};
}

DEVICE Stream row_stream(const Request& request, int64 row) {
  return {request.seed, Purpose::kConnect, uint32(request.first_source + row)};
}

// The first call of the generator for a chunk.
DEVICE int64 first_call(int64 chunk) { return chunk << 32; }

// Calls visit(c) for each of n candidates that is connected with probability p, in ascending order. The number
// of candidates passed over before one is connected has the geometric distribution
//   P(gap >= k) = (1-p)^k,  so  gap = floor(ln u / ln(1-p)),  u uniform in (0, 1).
template <class Visit>
DEVICE void walk_gaps(const Stream& stream, int64 call, int64 n, double p, double log_miss,
                      Visit visit) {
  alignas(64) double gap[kTile];
  const double limit = double(n);
  int64 place = 0;
  while (place < n) {
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

// Where values of a chunk are drawn and sorted. Sets that have one bit for each candidate are empty in between.
struct Room {
  uint64* word;   // a bit for each candidate
  int64* slot;    // a table of the candidates taken
  uint32* value;  // those candidates, in the order of drawing
  uint32* spare;  // as many
};

// Up to so many bits per value, reading a whole set of bits is faster than sorting values.
constexpr int64 kBitsPerValue = 512;

DEVICE bool takes_bits(const Connect& work) {
  return work.request.n_target <= kBitsPerValue * work.longest;
}

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

// Room for a chunk of any row.
DEVICE RoomSize room_size(const Connect& work) {
  const int64 n = lesser(work.request.chunk, work.request.n_target);
  const int64 longest = work.longest, even = (longest + 1) / 2 * 2;
  if (work.request.with_replacement) return {0, 0, even};
  if (takes_bits(work)) return {(n + 63) / 64, 0, 0};
  return {0, int64(1) << slot_bits(longest), even};
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
DEVICE void insert_subset(const Stream& stream, int64 call, int64 n, int64 k, Set& set) {
  uint32 drawn[kTile];
  for (int64 done = 0; done < k; done += kTile) {
    below_tile(stream, call + done / 2, tile_size(k - done), uint64(n - k + done + 1), 1, drawn);
    for (int32 i = 0; i < tile_rest(k - done); ++i)
      if (!set.insert(drawn[i])) set.insert(uint32(n - k + done + i));
  }
}

// --- rows -------------------------------------------------------------------------------------

// Calls visit(target) for the targets of a row that are wanted, ascending; each has the same probability.
template <class Visit>
DEVICE void visit_by_probability(const Request& request, int64 row, double log_miss, Visit visit) {
  const Candidates from = candidates_of(request, row);
  const Range range = wanted(request, from);
  for (int64 chunk = range.first / request.chunk; chunk * request.chunk < range.end; ++chunk) {
    const int64 low = chunk * request.chunk, n = lesser(request.chunk, range.end - low);
    walk_gaps(row_stream(request, row), first_call(chunk), n, request.p, log_miss, [&](int64 c) {
      if (low + c >= range.first) visit(from.target(low + c));
    });
  }
}

// Chunks begin..end-1 of a row, and the number of targets that it has there.
struct Division {
  int64 begin, end, count;
};

constexpr int32 kMostParts =
    32;  // that wait: halves of 2^32 candidates, halves of these, and so on

// Divides the `k` targets of a row among chunks: those of a part among its halves, and so on. Calls
// leaf(chunk, low, n, count) for chunks that are wanted and have targets; candidates of a chunk are
// low..low+n-1. A part of candidates low..high-1 is not divided if take(low, high, count) says that all is done.
template <class Take, class Leaf>
DEVICE void divide(const Request& request, int64 row, int64 n, int64 k, const Range& range,
                   Take take, Leaf leaf) {
  const Stream stream = row_stream(request, row);
  Division waiting[kMostParts];
  int32 n_waiting = 0;
  waiting[n_waiting++] = {0, (n + request.chunk - 1) / request.chunk, k};
  while (n_waiting) {
    const Division part = waiting[--n_waiting];
    const int64 low = part.begin * request.chunk, high = lesser(part.end * request.chunk, n);
    if (!part.count || high <= range.first || low >= range.end) continue;
    if (take(low, high, part.count)) continue;
    if (part.end - part.begin == 1) {
      leaf(part.begin, low, high - low, part.count);
      continue;
    }
    const int64 middle = part.begin + (part.end - part.begin) / 2;
    const Split split{high - low, middle * request.chunk - low, part.count};
    const Bits bits =
        philox(stream.seed, Purpose::kSplit, stream.index, (part.begin << 32) | part.end);
    const double u = open_uniform(bits, 0);
    const int64 left = request.with_replacement ? binomial(split, u) : hypergeometric(split, u);
    waiting[n_waiting++] = {middle, part.end, part.count - left};
    waiting[n_waiting++] = {part.begin, middle, left};
  }
}

// Calls visit(c) for `count` of the n candidates of a chunk, ascending; c is from 0.
template <class Visit>
DEVICE void visit_chunk(const Connect& work, const Stream& stream, int64 chunk, int64 n,
                        int64 count, const Room& room, Visit visit) {
  const int64 call = first_call(chunk);
  if (work.request.with_replacement) {
    for (int64 done = 0; done < count; done += kTile)
      below_tile(stream, call + done / 2, tile_size(count - done), uint64(n), 0, room.value + done);
  } else if (takes_bits(work)) {
    BitSet set(room);
    // Where more than half are chosen, fewer draws choose those that are not.
    const bool others = count > n / 2;
    insert_subset(stream, call, n, others ? n - count : count, set);
    return set.take(n, others, visit);
  } else {
    HashSet set(room, count);
    insert_subset(stream, call, n, count, set);
  }
  const uint32* const sorted = sort_values(room.value, room.spare, count, n);
  for (int64 i = 0; i < count; ++i) visit(int64(sorted[i]));
}

// Calls visit(target) for the targets of a row of a given number that are wanted, ascending. A part of the row is
// not looked into if take(from, inside, count, all) says that it is done: `inside` are those of its candidates
// that are wanted, `count` is the number of its targets, 0 if they are not all inside, and `all` whether
// all candidates are targets.
template <class Take, class Visit>
DEVICE void visit_by_number(const Connect& work, int64 row, const Room& room, Take take,
                            Visit visit) {
  const Candidates from = candidates_of(work.request, row);
  const Range range = wanted(work.request, from);
  const auto take_part = [&](int64 low, int64 high, int64 count) {
    const bool all = count == high - low && !work.request.with_replacement;
    const Range inside{greater(low, range.first), lesser(high, range.end)};
    const bool whole = inside.end - inside.first == high - low;
    return take(from, inside, whole ? count : 0, all);
  };
  const auto leaf = [&](int64 chunk, int64 low, int64 n, int64 count) {
    visit_chunk(work, row_stream(work.request, row), chunk, n, count, room, [&](int64 c) {
      if (low + c >= range.first && low + c < range.end) visit(from.target(low + c));
    });
  };
  divide(work.request, row, from.n, work.number[row], range, take_part, leaf);
}

template <class Visit>
DEVICE void visit_by_number(const Connect& work, int64 row, const Room& room, Visit visit) {
  const auto take = [&](const Candidates& from, const Range& inside, int64, bool all) {
    if (all)
      for (int64 c = inside.first; c < inside.end; ++c) visit(from.target(c));
    return all;
  };
  visit_by_number(work, row, room, take, visit);
}

// Number of targets that are visited.
DEVICE int64 length_by_number(const Connect& work, int64 row, const Room& room) {
  int64 length = 0;
  const auto take = [&](const Candidates&, const Range& inside, int64 count, bool all) {
    if (count || all) length += all ? inside.end - inside.first : count;
    return count || all;
  };
  visit_by_number(work, row, room, take, [&](uint32) { ++length; });
  return length;
}

DEVICE int64 length_by_probability(const Request& request, int64 row, double log_miss) {
  int64 length = 0;
  visit_by_probability(request, row, log_miss, [&](uint32) { ++length; });
  return length;
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
