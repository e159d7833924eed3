// Post-synaptic receptors that a neuron may be composed of, any number and any mixture of them.
//
// A receptor works on its part of the neuron's state, y, and parameters, p. It offers
//   n_state, n_param   numbers of its fields; `scale[]` what turns a state into pA or nS for tolerances
//   current            nA that flow into the cell at potential v
//   slope              dy/dt while no spike arrives
//   arrive             takes up what arrived, in nA or uS
//   propagate          y after half a substep, exact, and `act`, what it does to v meanwhile: see
//                      conductance.h
//   follow             adds to `course` what it does t substeps from now: see stiff.h
//   load               of its present state, on fixed substeps: see LeakyComposed::stiff
#pragma once

#include "membranes/stiff.h"

// i decays with tau; a spike adds its weight.
struct CurrExp {
  // isyn; tau, half_decay, and of a substep: rate of decay, load
  static constexpr int32 n_state = 1, n_param = 4;

  DEVICE static double current(const double*, const double* y, double) { return y[0]; }
  DEVICE static void slope(const double* p, const double* y, double* dydt) {
    dydt[0] = -y[0] / p[0];
  }
  DEVICE static void arrive(const double*, double* y, double weight) { y[0] += weight; }
  DEVICE static void propagate(const double* p, double* y) { y[0] *= p[1]; }
  DEVICE static Pull<double> act(const double*, const double* y, Pull<double> on, double h_per_cm) {
    return {on.pull + y[0] * h_per_cm, on.rate};
  }
  DEVICE static void follow(const double* p, const double* y, double h_per_cm, double t,
                            Course& course) {
    const double now = y[0] * h_per_cm * exp_of(-p[2] * t);
    course.add(now, now, 1, 0, p[2]);
  }
  DEVICE static double load(const double* p, const double* y) { return absolute(y[0]) * p[3]; }
};

// g decays with tau; a spike adds its weight.
struct CondExp {
  // gsyn; tau, half_decay, e_rev, and of a substep: rate of decay, load
  static constexpr int32 n_state = 1, n_param = 5;

  DEVICE static double current(const double* p, const double* y, double v) {
    return y[0] * (p[2] - v);
  }
  DEVICE static void slope(const double* p, const double* y, double* dydt) {
    dydt[0] = -y[0] / p[0];
  }
  DEVICE static void arrive(const double*, double* y, double weight) { y[0] += weight; }
  DEVICE static void propagate(const double* p, double* y) { y[0] *= p[1]; }
  DEVICE static Pull<double> act(const double* p, const double* y, Pull<double> on,
                                 double h_per_cm) {
    return on.with(y[0] * h_per_cm, p[2]);
  }
  DEVICE static void follow(const double* p, const double* y, double h_per_cm, double t,
                            Course& course) {
    course.add_exponential(y[0] * h_per_cm, p[2], p[3], t);
  }
  DEVICE static double load(const double* p, const double* y) { return absolute(y[0]) * p[4]; }
};

// g follows the difference of two exponentials; a spike adds to the rise what makes g peak at its weight:
//
//   dg/dt = rise - g/tau_decay,  drise/dt = -rise/tau_rise
//
// With equal time constants that is an alpha function.
struct CondBeta {
  // gsyn, rise; tau_decay, tau_rise, e_rev, peak (of g for a rise of 1), and over half a substep
  // decay of g, decay of rise, and g that a rise of 1 leaves; of a substep rates of decay of g and of rise,
  // length (ms), load of g, and of rise
  static constexpr int32 n_state = 2, n_param = 12;

  DEVICE static double current(const double* p, const double* y, double v) {
    return y[0] * (p[2] - v);
  }
  DEVICE static void slope(const double* p, const double* y, double* dydt) {
    dydt[0] = y[1] - y[0] / p[0];
    dydt[1] = -y[1] / p[1];
  }
  DEVICE static void arrive(const double* p, double* y, double weight) { y[1] += weight * p[3]; }
  DEVICE static void propagate(const double* p, double* y) {
    y[0] = y[0] * p[4] + y[1] * p[6];
    y[1] *= p[5];
  }
  DEVICE static Pull<double> act(const double* p, const double* y, Pull<double> on,
                                 double h_per_cm) {
    return on.with(y[0] * h_per_cm, p[2]);
  }
  DEVICE static void follow(const double* p, const double* y, double h_per_cm, double t,
                            Course& course) {
    course.add_rising(y[0] * h_per_cm, y[1] * h_per_cm * p[9], p[2], p[7], p[8], t);
  }
  DEVICE static double load(const double* p, const double* y) {
    return absolute(y[0]) * p[10] + absolute(y[1]) * p[11];
  }
};

// The receptors of a neuron, whose states and parameters follow each other in arrays.
template <class... Receptor>
struct Receptors {
  static constexpr int32 count = sizeof...(Receptor);
  static constexpr int32 n_state = (Receptor::n_state + ... + 0);
  static constexpr int32 n_param = (Receptor::n_param + ... + 0);

  // Calls use(receptor, number, first state, first parameter) for each.
  template <class Use>
  DEVICE static void for_each(Use use) {
    int32 number = 0, y = 0, p = 0;
    ((use(Receptor(), number, y, p), ++number, y += Receptor::n_state, p += Receptor::n_param),
     ...);
  }

  DEVICE static double current(const double* p, const double* y, double v) {
    double sum = 0;
    for_each([&](auto receptor, int32, int32 i, int32 j) {
      sum += decltype(receptor)::current(p + j, y + i, v);
    });
    return sum;
  }
  DEVICE static void slope(const double* p, const double* y, double* dydt) {
    for_each([&](auto receptor, int32, int32 i, int32 j) {
      decltype(receptor)::slope(p + j, y + i, dydt + i);
    });
  }
  DEVICE static void follow(const double* p, const double* y, double h_per_cm, double t,
                            Course& course) {
    for_each([&](auto receptor, int32, int32 i, int32 j) {
      decltype(receptor)::follow(p + j, y + i, h_per_cm, t, course);
    });
  }
  DEVICE static double load(const double* p, const double* y) {
    double sum = 0;
    for_each([&](auto receptor, int32, int32 i, int32 j) {
      sum += decltype(receptor)::load(p + j, y + i);
    });
    return sum;
  }
  template <class real>
  DEVICE static void arrive(const double* p, double* y, const real* input) {
    for_each([&](auto receptor, int32 number, int32 i, int32 j) {
      decltype(receptor)::arrive(p + j, y + i, double(input[number]));
    });
  }
  DEVICE static void propagate(const double* p, double* y) {
    for_each([&](auto receptor, int32, int32 i, int32 j) {
      decltype(receptor)::propagate(p + j, y + i);
    });
  }
  DEVICE static Pull<double> act(const double* p, const double* y, Pull<double> on,
                                 double h_per_cm) {
    for_each([&](auto receptor, int32, int32 i, int32 j) {
      on = decltype(receptor)::act(p + j, y + i, on, h_per_cm);
    });
    return on;
  }
};
