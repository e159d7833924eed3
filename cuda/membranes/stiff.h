// Potentials where conductances are so strong, or change so fast, that fixed steps of Runge and Kutta's method
// (conductance.h) are inaccurate or unstable; accurate for any.
//
// With u(t) the integral of rate, and e = pull / rate the potential that v is drawn to,
//
//   v(h) = e^-u(h) v(0) + integral from 0 to u(h) of e^-(u(h) - u) e(u) du
//
// e is a mean of reversal potentials, and changes slowly whatever the conductances are. It is taken for the
// parabola through its values at the beginning, middle and end of a part of the step, and the integral is
// exact: v is stable, and the more accurate the stronger the conductances. The parts are halved until what the
// parabola's curvature brings is small. In double precision always; time in substeps.
#pragma once

#include "core/functions.h"
#include "membranes/conductance.h"

// What acts on v at one point in time, and the fastest rate at which that changes.
struct Course {
  double pull, rate, fastest;

  // A conductance (or, with e_rev = 1 and `conducts` = 0, a current) of `now`, which goes on to change at the
  // rate `decay`, and is at most `size` from now on. What could not move v any more is not waited for.
  DEVICE void add(double now, double size, double e_rev, double conducts, double decay) {
    pull += now * e_rev;
    rate += now * conducts;
    if (!(absolute(size) * (absolute(e_rev) + 100) < 1e-9 * decay))
      fastest = greatest_of(fastest, decay);
  }
  DEVICE_RARE void add_exponential(double g, double e_rev, double decay, double t) {
    const double now = g * exp_of(-decay * t);
    add(now, now, e_rev, 1, decay);
  }
  // A conductance that follows dg/dt = rise - decay_g g, drise/dt = -decay_rise rise.
  DEVICE_RARE void add_rising(double g, double rise, double e_rev, double decay_g,
                              double decay_rise, double t) {
    const double faded = exp_of(-decay_g * t), left = exp_of(-decay_rise * t);
    const double x = (decay_g - decay_rise) * t;
    // (e^-at - e^-bt) / (b - a), also where a and b are equal or nearly so
    const double gain = absolute(x) > 0.5 ? (left - faded) / (decay_g - decay_rise)
                        : x == 0          ? t * faded
                                          : t * faded * (expm1_of(x) / x);
    const double slower = least_of(decay_g, decay_rise), now = g * faded + rise * gain;
    const double to_come = absolute(rise) * left / greatest_of(decay_g, decay_rise);
    add(now, absolute(now) + to_come, e_rev, 1, slower);
    add(0, to_come, e_rev, 1, greatest_of(decay_g, decay_rise));
  }
};

// v at the end of a part of a step; `failed` where the part is to be halved.
struct Part {
  double v;
  bool failed, easy;
};

constexpr double kSmallRate = 0.05;  // over a part, at which Runge and Kutta's method is accurate
constexpr double kCurvature = 3e-4;  // mV that the curvature of e may bring: the error is far less
constexpr double kResolution = 0.125;  // of the fastest rate: changes over a part

// e^-z v + what the course of e brings over a part with u(h) = z, of which `half` passes in its first half.
DEVICE double relax(double v, double z, double half, double e0, double em, double e1,
                    double& curvature) {
  // e = e1 + a y + b y^2 with y = 1 - u/z
  const double left = exp_of(-z), middle = 1 - half / z;
  const double bend = ((e0 - e1) - (em - e1) / middle) * z / half;
  const double slope = (e0 - e1) - bend;
  const double first = (1 - left) / z - left;  // z times the integral of y e^-zy, and of y^2 e^-zy
  const double second = 2 * first / z - left;
  curvature = absolute(bend * (second - first));
  return left * v + (e1 * (1 - left) + slope * first + bend * second);
}

DEVICE Part advance_part(double v, double v_thresh, bool shortest, double h, const Course& begin,
                         const Course& middle, const Course& end) {
  const Pull<double> from{h * begin.pull, h * begin.rate}, at{h * middle.pull, h * middle.rate},
      to{h * end.pull, h * end.rate};
  const double most =
      greatest_of(greatest_of(absolute(from.rate), absolute(at.rate)), absolute(to.rate));
  if (most <= kSmallRate) return {runge_kutta(v, v_thresh, from, at, to), false, true};
  const double z = (from.rate + 4 * at.rate + to.rate) / 6;
  if (v >= v_thresh) {  // the derivative sees the threshold
    const double pull = (from.pull + 4 * at.pull + to.pull) / 6;
    const double after = v + (pull - z * v_thresh);
    if (after >= v_thresh || !shortest) return {after, after < v_thresh, true};
    const double e = pull / z, rest = (v_thresh - after) / (v - after);
    return {e + (v_thresh - e) * exp_of(-rest * z), false, false};
  }
  const double half = (5 * from.rate + 8 * at.rate - to.rate) / 24;
  const bool one_sign = from.rate > 0 ? at.rate > 0 && to.rate > 0 : at.rate < 0 && to.rate < 0;
  if (!one_sign || !(half / z > 0 && half / z < 1)) return {with_bits(kBitsOfNan), true, false};
  const double e0 = from.pull / from.rate, em = at.pull / at.rate, e1 = to.pull / to.rate;
  double curvature;
  const double after = relax(v, z, half, e0, em, e1, curvature);
  const bool crosses = after >= v_thresh;
  const bool may_graze = greatest_of(e0, em) >= v_thresh && least_of(em, e1) < v_thresh;
  const bool failed = !(curvature <= kCurvature) || ((crosses || may_graze) && !shortest);
  if (!crosses || failed) return {after, failed, curvature < kCurvature / 8};
  // It crosses the threshold where e - v has become e - v_thresh, and goes on at that speed.
  const double e = (from.pull + 4 * at.pull + to.pull) / (6 * z);
  const double passed = e > v_thresh ? log_of((e - v) / (e - v_thresh)) : z;
  return {v_thresh + (passed < z ? z - passed : 0.0) * (e - v_thresh), false, false};
}

// v after `duration`, where at(t) is the course at t. Infinite or not a number where v leaves its range.
template <class At>
DEVICE_RARE double integrate_stiff(double v, double v_thresh, double duration, const At& at) {
  const double least = duration * 0x1p-40, brief = duration / 64;
  double t = 0, h = duration;
  for (Course begin = at(t); t < duration && absolute(v) < 1e300;) {
    if (h * begin.fastest > kResolution) h = kResolution / begin.fastest;
    const bool last = h >= duration - t;
    if (last) h = duration - t;
    const Course middle = at(t + h / 2), end = at(last ? duration : t + h);
    const Part part = advance_part(v, v_thresh, h <= brief, h, begin, middle, end);
    if (part.failed && h > least) {
      h /= 2;
      continue;
    }
    v = part.v;
    t = last ? duration : t + h;
    begin = end;
    if (part.easy) h *= 2;
  }
  return v;
}
