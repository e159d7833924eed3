// What the kinds of synapses in this folder have in common.
//
// A kind offers `learns` and, if it learns, `alike`, whether all synapses may have the same parameters; `Meeting`,
// which is the same for all of a source's synapses of one delay; `expect`, which has fetched what it reads of a target;
// `after_spike`, which gives the weight after a spike of the source; `sent`, what that spike transmits; and `present`,
// which gives the weight at a time between spikes of the source. Else it offers `amplitude`, which gives the sum of
// what the spikes of a step transmit.
#pragma once

#include "core/functions.h"
#include "core/philox.h"
#include "synapses/plasticity.h"

// Spikes of a source at one of its synapses, whose parameters are `alike` if those of all synapses are.
template <bool alike>
struct EventOf {
  const Rule& rule;
  Before before;
  int64 stamp;
  int64 synapse;
  int32 target;
  int32 delay;
  int32 multiplicity;
  int32 list;  // of the owner of the target, see list_of

  DEVICE double parameter(int32 k) const {
    const Column& column = rule.column[k];
    return !alike && column.each ? column.each[synapse] : column.common;
  }
  DEVICE double& state(int32 k) const { return rule.state[k][synapse]; }
  // What a variable of the target is now.
  DEVICE double variable(int32 k) const {
    const void* const every = rule.variable[k];
    return rule.single_variables ? double(static_cast<const float*>(every)[target])
                                 : static_cast<const double*>(every)[target];
  }
  DEVICE bool first() const { return before.none(); }
  DEVICE double interval() const { return double(stamp - before.stamp); }  // steps

  // Uniform random number `number` of this synapse and step.
  DEVICE double random(int32 number) const {
    const Purpose purpose = Purpose(uint32(Purpose::kSynapse) | (uint32(number) << 8));
    const int64 counter = stamp | (int64(rule.number) << 40);
    return uniform(philox(rule.seed, purpose, rule.identity[synapse], counter));
  }
};
using Event = EventOf<false>;

DEVICE bool all_alike(const Rule& rule) {
  for (const Column& column : rule.column)
    if (column.each) return false;
  return true;
}

// e^(-steps / tau) for tau in steps; 0 for tau = 0.
DEVICE double left_after(double steps, double tau) { return tau > 0 ? exp_of(-steps / tau) : 0.0; }
