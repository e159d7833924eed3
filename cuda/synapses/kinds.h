// All kinds of synapses that do more than add their weight.
#pragma once

#include "synapses/multi_quantal.h"
#include "synapses/pairs.h"
#include "synapses/stochastic.h"
#include "synapses/stochastic_tsodyks_markram.h"
#include "synapses/tsodyks_markram.h"

// In the order of `KINDS` in pynn_sparse/network/dynamics.
template <class Use>
DEVICE void with_kind(int32 kind, Use use) {
  switch (kind) {
    case 0:
      return use(SharedPairs());
    case 1:
      return use(OwnPairs());
    case 2:
      return use(TsodyksMarkram());
    case 3:
      return use(SimpleStochastic());
    case 4:
      return use(StochasticTsodyksMarkram());
    case 5:
      return use(MultiQuantal());
  }
}
