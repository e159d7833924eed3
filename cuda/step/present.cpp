// Weights as they are now, for users who look between spikes of the source. Host code.
#include "synapses/present.h"
#include "synapses/kinds.h"

// As synapses/present.h says, for a table of any kind of `with_kind`.
EXPORT void present_weights(const Table& table, const int64* row_start, int64 step) {
  with_kind(table.rule->kind, [&](auto kind) {
    using Kind = decltype(kind);
    if constexpr (Kind::learns)
      table.single ? present<Kind, float>(table, row_start, step)
                   : present<Kind, double>(table, row_start, step);
  });
}
