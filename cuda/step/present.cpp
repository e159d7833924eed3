// Weights as they are now, for users who look between spikes of the source. Host code.
#include "synapses/kinds.h"

#include <cmath>

namespace {

template <class Kind, class Real>
void present(const Table& table, const int64* row_start, int64 step, Real* weights) {
  const Rule& rule = *table.rule;
  with_targets(table, [&](auto target) {
    with_delays(table, [&](auto delay) {
      for (int32 row = 0; row < table.n_source; ++row) {
        const Past past(*rule.source, row);
        for (int64 j = row_start[row]; j < row_start[row + 1]; ++j) {
          const Before before = last_before(past, step + 1 - lag_of(rule, delay(j)));
          const Event event{rule, before, step, j, target(j), delay(j), 1};
          const typename Kind::Meeting meeting(rule, before, step, event.delay);
          const double start = rule.sign * double(weights[j]);
          weights[j] = Real(rule.sign * Kind::present(event, meeting, start, step));
        }
      }
    });
  });
}

}  // namespace

// Brings the weights of a table, whose rule has the arrays of one thread, from the last spike of their
// sources to the time `step`.
EXPORT void present_weights(const Table& table, const int64* row_start, int64 step) {
  with_kind(table.rule->kind, [&](auto kind) {
    using Kind = decltype(kind);
    if constexpr (Kind::learns) {
      if (table.single)
        present<Kind>(table, row_start, step, static_cast<float*>(table.weight));
      else
        present<Kind>(table, row_start, step, static_cast<double*>(table.weight));
    }
  });
}
