// All kinds of synapses that do more than add their weight.
#pragma once

#include "synapses/multi_quantal.h"
#include "synapses/pairs.h"
#include "synapses/stochastic.h"
#include "synapses/stochastic_tsodyks_markram.h"
#include "synapses/tsodyks_markram.h"

// KINDS(kind)   kind(number, structure) for each kind that a unit knows: those of this folder, numbered in the order of
//               `KINDS` in pynn_sparse/network/dynamics, unless it has defined others
#ifndef KINDS
#define KINDS(kind)                                                                        \
  kind(0, SharedPairs) kind(1, OwnPairs) kind(2, TsodyksMarkram) kind(3, SimpleStochastic) \
      kind(4, StochasticTsodyksMarkram) kind(5, MultiQuantal)
#endif

#define CASE_OF_KIND(number, structure) \
  case number:                          \
    return use(structure());

template <class Use>
DEVICE void with_kind(int32 kind, Use use) {
  switch (kind) { KINDS(CASE_OF_KIND) }
}
