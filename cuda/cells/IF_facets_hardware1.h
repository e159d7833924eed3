// The neuron of the FACETS hardware, stage 1: IF_cond_exp with some of its parameters fixed.
#pragma once

#include "cells/IF_cond_exp.h"

template <class real>
struct IF_facets_hardware1 : IF_cond_exp<real> {};
