// Hodgkin-Huxley neuron of Traub and Miles (1991) as modified by Brette et al. (2007,
// doi:10.1007/s10827-007-0038-6), with exponentially decaying conductances:
//
//   cm dv/dt = -g_leak (v - e_rev_leak) - gbar_Na m^3 h (v - e_rev_Na) - gbar_K n^4 (v - e_rev_K)
//              + gsyn_exc (e_rev_E - v) + gsyn_inh (e_rev_I - v) + i_offset + current
//   dx/dt = alpha_x (1 - x) - beta_x x,  x = m, h, n
//
// A spike is a maximum of v at least 30 mV above v_offset; 2 ms have to pass before the next one counts.
// Integration and order of events as in NEST's hh_cond_exp_traub.
#pragma once

#include "core/cell.h"
#include "membranes/rkf45.h"

template <class real>
struct HH_cond_exp {
  using scalar = double;
  static constexpr int32 n_receptor = 2;
  static constexpr bool substepped = false;

  struct State {
    double v, m, h, n, gsyn_exc, gsyn_inh, refractory, step;  // step: of the integration, in ms
  };

  struct Params {
    double gbar_Na, gbar_K, g_leak, cm, v_offset, e_rev_Na, e_rev_K, e_rev_leak;
    double e_rev_E, e_rev_I, tau_syn_E, tau_syn_I, i_offset;
    double n_refractory, time_step;
  };

  static constexpr double kExp8 = 2980.9579870417283, kExp3 = 20.085536923187668;
  static constexpr double kExp13Over4 = 25.790339917193062, kExpQuarter = 1.2840254166877414;

  // y: v, m, h, n, gsyn_exc, gsyn_inh.
  DEVICE static void slope(const Params& p, double drive, const double* y, double* dydt) {
    const double v = y[0], m = y[1], h = y[2], n = y[3];
    const double sodium = p.gbar_Na * m * m * m * h * (v - p.e_rev_Na);
    const double potassium = p.gbar_K * n * n * n * n * (v - p.e_rev_K);
    const double synaptic = y[4] * (v - p.e_rev_E) + y[5] * (v - p.e_rev_I);
    dydt[0] = (drive - sodium - potassium - p.g_leak * (v - p.e_rev_leak) - synaptic) / p.cm;
    // Exponentials are what takes time: those of -u / 5 and -u / 4 are powers of that of -u / 40.
    const double u = v - p.v_offset, power = exp_of(-u / 40), square = power * power;
    const double fifth = square * square * (square * square), quarter = fifth * square;
    const double left = kExp8 * fifth;  // e^((40 - u) / 5)
    gate(m, 0.32 * 4 * linoid((13 - u) / 4, kExp13Over4 * quarter),
         0.28 * 5 * linoid((u - 40) / 5, 1 / left), dydt[1]);
    gate(h, 0.128 * exp_of((17 - u) / 18), 4 / (1 + left), dydt[2]);
    gate(n, 0.032 * 5 * linoid((15 - u) / 5, kExp3 * fifth), 0.5 * kExpQuarter * power, dydt[3]);
    dydt[4] = -y[4] / p.tau_syn_E;
    dydt[5] = -y[5] / p.tau_syn_I;
  }

  DEVICE static void gate(double x, double alpha, double beta, double& dxdt) {
    dxdt = alpha - (alpha + beta) * x;
  }

  template <bool careful>
  DEVICE static int32 step(const Now&, const Params& p, State& s, const double* input,
                           double current) {
    constexpr double scale[] = {1, 1, 1, 1, 1000, 1000};  // mV, gates, nS
    double y[] = {s.v, s.m, s.h, s.n, s.gsyn_exc, s.gsyn_inh};
    const auto slopes = [&](const double* at, double* dydt) {
      slope(p, p.i_offset + current, at, dydt);
    };
    constexpr Tolerance tolerance{1e-3, 0};
    bool done = true;
    if constexpr (careful) {
      int32 left = kMostSteps;
      for (double t = 0; t < p.time_step;)
        advance_adaptively<6>(slopes, scale, tolerance, p.time_step, t, s.step, left, y);
    } else {
      done = advance_at_once<6>(slopes, scale, tolerance, p.time_step, s.step, y);
    }
    const bool fires = (s.refractory == 0) & (y[0] >= p.v_offset + 30) & (y[0] < s.v);
    const double rest = s.refractory > 0 ? s.refractory - 1 : 0.0;
    s.refractory = chosen(fires, p.n_refractory, rest);
    s.v = y[0], s.m = y[1], s.h = y[2], s.n = y[3];
    s.gsyn_exc = y[4] + input[0];
    s.gsyn_inh = y[5] + input[1];
    return spikes_unless(!done, fires);
  }
};
