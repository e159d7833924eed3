// Integration with steps of adapted size: the method of Runge, Kutta and Fehlberg of orders 4 and 5 (Fehlberg,
// 1969, NASA TR R-315), and the control of steps of the GNU Scientific Library, through which NEST
// integrates its nonlinear models; so both take the same steps.
//
// Each step of size h is accepted if for every variable y_k
//
//   |error_k| <= 1.1 (absolute + relative |h dy_k/dt|) / scale_k
//
// where scale_k turns the variable into the unit that the tolerances are meant for. In double precision
// always: rounding errors of single precision are larger than useful tolerances.
#pragma once

#include "core/functions.h"

struct Tolerance {
  double absolute;
  double relative;  // of the change over the step
};

constexpr double kLeastStep = 1e-12;  // of a time step
// Of one time step: of a membrane, that is for conductances of about 10^4 times cm / time step.
constexpr int32 kMostSteps = 10000;

// One step. slope(y, dydt) computes the derivatives; y becomes the result of order 5.
template <int32 n, class Slope>
DEVICE void fehlberg_step(const Slope& slope, double h, const double* k1, double* y,
                          double* error) {
  double k2[n], k3[n], k4[n], k5[n], k6[n], at[n];
  for (int32 i = 0; i < n; ++i) at[i] = y[i] + h / 4 * k1[i];
  slope(at, k2);
  for (int32 i = 0; i < n; ++i) at[i] = y[i] + h * (3.0 / 32 * k1[i] + 9.0 / 32 * k2[i]);
  slope(at, k3);
  for (int32 i = 0; i < n; ++i)
    at[i] = y[i] + h * (1932.0 / 2197 * k1[i] - 7200.0 / 2197 * k2[i] + 7296.0 / 2197 * k3[i]);
  slope(at, k4);
  for (int32 i = 0; i < n; ++i)
    at[i] =
        y[i] + h * (439.0 / 216 * k1[i] - 8 * k2[i] + 3680.0 / 513 * k3[i] - 845.0 / 4104 * k4[i]);
  slope(at, k5);
  for (int32 i = 0; i < n; ++i)
    at[i] = y[i] + h * (-8.0 / 27 * k1[i] + 2 * k2[i] - 3544.0 / 2565 * k3[i] +
                        1859.0 / 4104 * k4[i] - 11.0 / 40 * k5[i]);
  slope(at, k6);
  for (int32 i = 0; i < n; ++i)
    y[i] += h * (16.0 / 135 * k1[i] + 6656.0 / 12825 * k3[i] + 28561.0 / 56430 * k4[i] -
                 9.0 / 50 * k5[i] + 2.0 / 55 * k6[i]);
  for (int32 i = 0; i < n; ++i)
    error[i] = h * (1.0 / 360 * k1[i] - 128.0 / 4275 * k3[i] - 2197.0 / 75240 * k4[i] +
                    1.0 / 50 * k5[i] + 2.0 / 55 * k6[i]);
}

// Advances y from 0 to `end` by one step if that is the step to try and accurate enough, so that
// advance_adaptively would do the same; returns whether it was. Without branches.
template <int32 n, class Slope>
DEVICE bool advance_at_once(const Slope& slope, const double* scale, Tolerance tolerance,
                            double end, double& h, double* y) {
  double slope_before[n], error[n];
  slope(y, slope_before);
  fehlberg_step<n>(slope, end, slope_before, y, error);
  bool accurate = h >= end;
  for (int32 i = 0; i < n; ++i)
    accurate = accurate & (absolute(error[i]) <= 1.1 * (tolerance.absolute / scale[i]));
  h = end;  // as good as a longer one: steps end with the time step
  return accurate;
}

// Advances y from `t` by one accepted step, at most to `end`; `h` is the step to try, and afterwards the
// one to try next; `left`, of kMostSteps, the steps that may still be tried. Where these run out, or no step is
// short enough, as at a singularity, y becomes what is not a number.
template <int32 n, class Slope>
DEVICE void advance_adaptively(const Slope& slope, const double* scale, Tolerance tolerance,
                               double end, double& t, double& h, int32& left, double* y) {
  double before[n], slope_before[n], slope_after[n], error[n];
  for (int32 i = 0; i < n; ++i) before[i] = y[i];
  slope(before, slope_before);
  for (double step = h;;) {
    const bool last = step >= end - t;
    if (last) step = end - t;
    fehlberg_step<n>(slope, step, slope_before, y, error);
    slope(y, slope_after);
    double most = 0;
    for (int32 i = 0; i < n; ++i) {
      const double change = absolute(step * slope_after[i]);
      const double allowed = tolerance.relative * change + tolerance.absolute / scale[i];
      const double ratio = absolute(error[i]) / allowed;
      if (most == most && !(ratio <= most)) most = ratio;  // what is not a number stays
    }
    --left;
    if (!(most <= 1.1) || left < 0) {
      const double factor = most < 1e10 ? 0.9 / power_of(most, 1.0 / 5) : 0.0;
      const double smaller = step * (factor < 0.2 ? 0.2 : factor);
      if (smaller > kLeastStep * end && left > 0) {
        for (int32 i = 0; i < n; ++i) y[i] = before[i];
        step = smaller;
        continue;
      }
      for (int32 i = 0; i < n; ++i) y[i] = with_bits(kBitsOfNan);
      t = end;
      return;
    }
    t = last ? end : t + step;
    h = step;
    if (most < 0.5) {
      const double factor = most > 0 ? 0.9 / power_of(most, 1.0 / 6) : 5.0;
      h *= factor > 5 ? 5.0 : factor < 1 ? 1.0 : factor;
    }
    return;
  }
}
