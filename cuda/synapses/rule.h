// A rule of the user's as functions of a library of its own, for the CPU. A unit defines the structure and its name:
//
//   RULE      the structure, as formulas.h wants it
//   REAL      of the weights: double or float
#include "synapses/formulas.h"
#include "synapses/present.h"
#include "synapses/serve.h"

EXPORT void serve_rule(const Plan& plan, Team team, const Table& table, int32 row,
                       const Segment& segment, int64 stamp) {
  serve<ByFormulas<RULE>, REAL>(plan, team, table, row, segment, stamp);
}

EXPORT void present_rule(const Table& table, const int64* row_start, int64 step) {
  present<ByFormulas<RULE>, REAL>(table, row_start, step);
}
