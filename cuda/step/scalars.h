// Values of floating-point arrays whose precision is known only at run time.
#pragma once

#include "core/portable.h"

DEVICE double read_scalar(const void* x, int32 single, int32 i) {
  return single ? double(static_cast<const float*>(x)[i]) : static_cast<const double*>(x)[i];
}

DEVICE void write_scalar(void* x, int32 single, int32 i, double value) {
  if (single)
    static_cast<float*>(x)[i] = float(value);
  else
    static_cast<double*>(x)[i] = value;
}
