// Synapses that are stored as a matrix: rows are added as they lie in memory, and say nothing of targets.
#pragma once

#include "synapses/delivery.h"

// A number of this size has no digits after the point, so that adding it rounds to whole numbers.
constexpr double kWhole = 1.5 * k2To52;

// As round_to_integer, for numbers of less than 2^51.
DEVICE int64 round_small(double x) { return int64(bits_of(x + kWhole)) - int64(bits_of(kWhole)); }

// Adds n rows of items, each times a factor unless all are 1, to accumulators. Items are whole counts, of which `Sum`
// holds the sum of n without rounding: so that is what the counts of each row would add up to.
template <int32 n, bool times, class Sum, class Item>
DEVICE_ONCE void add_rows(int64* counts, const Item* const* rows, const int32* factors,
                          int64 n_column, double scale) {
  const Item* row[n];
  Sum factor[n];
  for (int32 i = 0; i < n; ++i) {
    row[i] = rows[i];
    factor[i] = Sum(factors[i]);
  }
  const auto part = [&](int32 i, int64 k) {
    return times ? Sum(row[i][k]) * factor[i] : Sum(row[i][k]);
  };
  for (int64 k = 0; k < n_column; ++k) {
    Sum sum = part(0, k);
    for (int32 i = 1; i < n; ++i) sum += part(i, k);
    counts[k] += round_small(double(sum) * scale);
  }
}

// The same for any number of rows: most of them n at a time, and what is left in fewer.
template <int32 n, bool times, class Sum, class Item>
DEVICE void add_all_rows(int64* counts, const Item* const* rows, const int32* factors, int32 n_row,
                         int64 n_column, double scale) {
  if (n_row >= n) {
    add_rows<n, times, Sum>(counts, rows, factors, n_column, scale);
    rows += n;
    factors += n;
    n_row -= n;
  }
  if constexpr (n > 1)
    if (n_row) add_all_rows<n / 2, times, Sum>(counts, rows, factors, n_row, n_column, scale);
}

DEVICE bool all_single(const Bunch& bunch) {
  for (int32 i = 0; i < bunch.n; ++i)
    if (bunch.multiplicity[i] != 1) return false;
  return true;
}

// What single items are summed up in.
template <class Item>
struct SumOf {
  using type = double;
};
template <>
struct SumOf<int8> {
  using type = int32;
};
template <>
struct SumOf<int16> {
  using type = int32;
};

template <class Item>
DEVICE void add_sums(const Bunch& bunch, int64* counts, const Item* const* rows, double scale) {
  using Sum = typename SumOf<Item>::type;
  const int64 n_column = bunch.end - bunch.begin;
  if (all_single(bunch))
    add_all_rows<kBunch, false, Sum>(counts, rows, bunch.multiplicity, bunch.n, n_column, scale);
  else
    add_all_rows<kBunch, true, double>(counts, rows, bunch.multiplicity, bunch.n, n_column, scale);
}

// Notes input to columns begin .. end - 1, where targets are watched.
DEVICE void note_columns(const Plan& plan, int64 port, int64 begin, int64 end) {
  for (int64 k = begin; k < end; k += kGranule) note_input(plan, port + k);
  note_input(plan, port + end - 1);
}

template <class Item>
DEVICE void add_bunch(const Plan& plan, const Dense& dense, const Bunch& bunch) {
  int32 slot = bunch.first_slot + dense.delay;
  if (slot >= plan.n_slot) slot -= plan.n_slot;
  int64* const counts = plan.ring + slot * plan.n_port + dense.first_port;
  const Item* row[kBunch];
  for (int32 i = 0; i < bunch.n; ++i)
    row[i] = static_cast<const Item*>(dense.item) + int64(bunch.row[i]) * dense.n_target;
  if constexpr (kSpecialises)
    if (dense.in_sums) {
      for (int32 i = 0; i < bunch.n; ++i) row[i] += bunch.begin;
      return add_sums(bunch, counts + bunch.begin, row, dense.scale);
    }
  for (int32 i = 0; i < bunch.n; ++i)
    for (int64 k = bunch.begin; k < bunch.end; k += bunch.stride)
      add(counts + k, round_to_integer(double(row[i][k]) * dense.scale) * bunch.multiplicity[i]);
}

DEVICE void add_bunch_of_type(const Plan& plan, const Dense& dense, const Bunch& bunch) {
  switch (dense.type) {
    case kInt8:
      return add_bunch<int8>(plan, dense, bunch);
    case kInt16:
      return add_bunch<int16>(plan, dense, bunch);
    case kFloat:
      return add_bunch<float>(plan, dense, bunch);
    case kDouble:
      return add_bunch<double>(plan, dense, bunch);
  }
}
