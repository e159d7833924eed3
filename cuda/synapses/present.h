// Weights as they are now, for users who look between spikes of the source. Host code.
#pragma once

#include "synapses/delivery.h"
#include "synapses/synapse.h"

// Brings the weights, and states of the user's, of a table, whose rule has the arrays of one thread, from the last
// spike of their sources to the time `step`.
template <class Kind, class Real>
void present(const Table& table, const int64* row_start, int64 step) {
  Real* const weights = static_cast<Real*>(table.weight);
  const Rule& rule = *table.rule;
  for (int32 row = 0; row < table.n_source; ++row) {
    const Past past(*rule.source, row);
    for (int64 j = row_start[row]; j < row_start[row + 1]; ++j) {
      const int32 delay = read_delay(table, j);
      const Before before = last_before(past, step + 1 - lag_of(rule, delay));
      const Event event{rule, before, step, j, read_target(table, j), delay, 1, 0};
      const typename Kind::Meeting meeting(rule, before, step, delay);
      const double start = rule.sign * double(weights[j]);
      weights[j] = Real(rule.sign * Kind::present(event, meeting, start, step));
    }
  }
}
