// Adaptive exponential integrate-and-fire neuron with alpha-shaped conductances, as NEST's aeif_cond_alpha.
#pragma once

#include "membranes/adaptive_exponential.h"

template <class real>
struct EIF_cond_alpha_isfa_ista : AdaptiveExponential<CondBeta, CondBeta> {};
