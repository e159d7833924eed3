// What the engine wants to know of synapses before it runs; the sums are the same in any order.
#pragma once

#include "build/work.h"
#include "core/functions.h"
#include "synapses/delivery.h"

// Counts of the bound on input that a weight of 1 brings, from a source that emits so many spikes in a step.
DEVICE double counts_per_weight(const Survey& work, double most) {
  return work.factor * most * work.scale;
}

// An upper bound of what a synapse of a weight of this size brings in a step, as a whole number of counts.
// `scale` is such that the counts of all synapses of a table stay below 2^62.
DEVICE int64 input_counts(const Survey& work, double size, double per_weight) {
  return int64(ceiling(greatest_of(size, work.least) * per_weight));
}

// Whether a weight is not 0 but comes to fewer counts of an accumulator than this, and so has lost digits that
// a user may miss.
DEVICE bool is_coarse(double weight, double scale) {
  constexpr double kFine = 1 << 20;
  return weight != 0 && absolute(weight) * scale < kFine;
}

// Calls use(size) with a function of a synapse's number, the size of its weight.
template <class Use>
DEVICE void with_sizes(const Table& table, double common, Use use) {
  if (!table.weight)
    use(Common<double>{common});
  else if (table.single)
    use([w = static_cast<const float*>(table.weight)](int64 j) { return absolute(double(w[j])); });
  else
    use([w = static_cast<const double*>(table.weight)](int64 j) { return absolute(w[j]); });
}
