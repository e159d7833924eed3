// What is to be done when a network is built: arguments of the functions of connect.cpp and draw.cpp, and of
// the kernels in build/. The NumPy dtypes of engine/structures.py mirror them field by field.
#pragma once

#include "core/plan.h"

// Which connections to draw.
struct Request {
  uint64 seed;
  int64 n_source;
  int64 first_source;  // number of the one that row 0 belongs to
  int64 n_target;      // at most 2^32
  int64 first, end;    // targets that are made, of those: first .. end - 1
  int64 chunk;         // targets that are drawn by numbers of their own, at most 2^32
  const int64* self;  // [n_source] target that is the same cell and is left out, or -1; may be null
  double p;           // probability of a connection, 0 < p < 1, where that is the rule
  int32 with_replacement;
  int32 padding;
};

// Rows of connections.
struct Connect {
  Request request;
  const int64* number;     // [n_source] connections of the whole row, where that is the rule
  int64* length;           // [n_source] those that are made, to be found
  const int64* row_start;  // [n_source + 1], given
  void* target;            // uint32 or uint16 [row_start[n_source]], to be drawn
  char* room;              // GPU: [n_room][bytes of a Room], all 0
  int64 longest;           // of the numbers
  int32 n_room;            // GPU: rows that are drawn at a time
  int32 wide;              // target is uint32
};

// How often each source is drawn in n draws.
struct SourceCount {
  uint64 seed;
  int64 n;
  int64 n_source;
  int64* count;  // [n_source], 0 before
};

// Columns, of which each holds the sources of one target, and the rows that they are to become.
struct Columns {
  const uint32* source;  // [n_column][per_column]
  int64 first_column;    // number of the target of column 0
  int64 n_column;
  int64 per_column;
  int64 n_source;
  int64* row_start;  // [n_source + 1], to be found
  void* target;      // uint32 or uint16 [n_column * per_column], to be found
  int64* next;       // GPU: [n_source] the first place in each row
  uint32* column;    // GPU: [n_column * per_column] rows in any order
  char* room;        // GPU: [n_room][2 * longest rounded up to an even number] of uint32
  int64 longest;     // GPU: row
  int32 n_room;
  int32 wide;  // target is uint32
};

// A distribution; engine/laws.py fills it in. Parameters that a kind does not have are unused.
struct Law {
  int64 kind;
  double location, scale;  // uniform: low, high - low; uniform_int: low, number of values
  double low, high;        // of clipped distributions
};

// Times (ms) that may be drawn: from `least` to `most` steps.
struct StepRange {
  double per_ms, least, most;
};

// Values of a distribution to draw: numbered ones, or those of synapses in rows.
struct Draw {
  Law law;
  StepRange range;  // of times
  uint64 seed;
  int64 n;
  int64 n_source;
  const int64* row_start;  // [n_source + 1]
  const void* target;      // uint32 or uint16 [n], ascending in a row
  void* value;             // [n] values: double or float; times: uint16 or uint8
  int64* first_outside;    // index of the first time outside the range; n before
  int32 wide;              // value is double, or uint16
  int32 wide_target;
};

// What the engine wants to know of the synapses of a table before it runs.
struct Survey {
  Table table;
  const int64* row_start;  // [n_source + 1]; null where synapses share weights
  const double* most;      // [n_source] spikes that a source emits in a step, at most
  int64* bound;            // [n of the target population], 0 before; see input_counts
  int64* coarse;           // number of weights that lose digits, 0 before
  int64 n_target;
  int64 n;        // weights, or synapses that share them
  double least;   // a size that every weight may come to have
  double factor;  // of all weights
  double scale;   // counts per weight in `bound`
};

// Synapses of a table to be sorted within their rows by groups of delays.
struct Arrange {
  Table table;
  const int64* row_start;  // [n_source + 1]
  int64* begin;            // [n_source * n_group + 1], to be found
  uint32* place;           // [n] to which place in its row each synapse goes, to be found
  const void* from;        // [n] items as they are
  void* to;                // [n] and as they are to be
  int32 delay_group;
  int32 item_size;  // bytes: 1, 2, 4 or 8
};
