// Adaptive exponential integrate-and-fire neuron with exponentially decaying conductances, as NEST's
// aeif_cond_exp.
#pragma once

#include "membranes/adaptive_exponential.h"

template <class real>
struct EIF_cond_exp_isfa_ista : AdaptiveExponential<CondExp, CondExp> {};
