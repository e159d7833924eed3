// Adaptive exponential integrate-and-fire neuron (Brette and Gerstner, 2005, doi:10.1152/jn.00686.2005) with
// any receptors:
//
//   cm dv/dt = -g_leak (v - v_rest) + g_leak delta_T exp((v - v_thresh) / delta_T) - w + i_syn + i_offset + current
//   tau_w dw/dt = a (v - v_rest) - w
//   v >= v_spike: spike, v = v_reset, w += b
//
// Integration and order of events as in NEST's aeif_cond_exp and its relatives, whose steps end where v
// passes v_spike; so a spike takes effect within the time step. While refractory, v stays at v_reset.
#pragma once

#include "membranes/receptors.h"
#include "membranes/rkf45.h"

template <class... Receptor>
struct AdaptiveExponential {
  using scalar = double;
  using Synaptic = Receptors<Receptor...>;
  static constexpr int32 n_receptor = Synaptic::count;
  static constexpr bool substepped = false;

  struct State {
    double v, w, refractory, step;  // step: of the integration, in ms
    double synaptic[Synaptic::n_state];
  };

  struct Params {
    double v_rest, v_reset, v_thresh, v_spike, i_offset, n_refractory;
    double v_fire;  // v_spike, or v_thresh if delta_T is 0
    double g_leak, cm, a, b, tau_w;
    double delta_T, h;
    double synaptic[Synaptic::n_param];
  };

  // y: v, w, then the receptors' states.
  static constexpr int32 n = 2 + Synaptic::n_state;

  DEVICE static void slope(const Params& p, bool refractory, double drive, const double* y,
                           double* dydt) {
    const double bounded = y[0] < p.v_spike ? y[0] : p.v_spike;
    const double v = refractory ? p.v_reset : bounded;
    const double grown = p.g_leak * p.delta_T * exp_of((v - p.v_thresh) / p.delta_T);
    const double spike = p.delta_T == 0 ? 0.0 : grown;
    const double synaptic = Synaptic::current(p.synaptic, y + 2, v);
    const double sum = spike - p.g_leak * (v - p.v_rest) + synaptic - y[1] + drive;
    dydt[0] = refractory ? 0.0 : sum / p.cm;
    dydt[1] = (p.a * (v - p.v_rest) - y[1]) / p.tau_w;
    Synaptic::slope(p.synaptic, y + 2, dydt + 2);
  }

  // What comes after each step of the integration; returns whether it is a spike.
  DEVICE static bool settle(const Params& p, double& refractory, double* y) {
    const bool held = refractory > 0, fires = !held & (y[0] >= p.v_fire);
    const double begun = p.n_refractory > 0 ? p.n_refractory + 1 : 0.0;
    y[0] = chosen(held | fires, p.v_reset, y[0]);
    y[1] = chosen(fires, y[1] + p.b, y[1]);
    refractory = chosen(fires, begun, refractory);
    return fires;
  }

  template <bool careful>
  DEVICE static int32 step(const Now&, const Params& p, State& s, const double* input,
                           double current) {
    constexpr Tolerance tolerance{1e-6, 1e-6};
    double y[n], scale[n];
    y[0] = s.v, y[1] = s.w;
    for (int32 k = 2; k < n; ++k) y[k] = s.synaptic[k - 2];
    for (int32 k = 0; k < n; ++k) scale[k] = k == 0 ? 1 : 1000;  // mV, pA, nS
    const double drive = p.i_offset + current;
    const auto slopes = [&](const double* at, double* dydt) {
      slope(p, s.refractory > 0, drive, at, dydt);
    };
    int32 spikes = 0;
    bool done = true;
    if constexpr (careful) {
      int32 left = kMostSteps;
      for (double t = 0; t < p.h;) {
        advance_adaptively<n>(slopes, scale, tolerance, p.h, t, s.step, left, y);
        spikes += settle(p, s.refractory, y);
      }
    } else {
      done = advance_at_once<n>(slopes, scale, tolerance, p.h, s.step, y);
      spikes = settle(p, s.refractory, y);
    }
    s.refractory = s.refractory > 0 ? s.refractory - 1 : s.refractory;
    Synaptic::arrive(p.synaptic, y + 2, input);
    s.v = y[0], s.w = y[1];
    for (int32 k = 2; k < n; ++k) s.synaptic[k - 2] = y[k];
    return spikes_unless(!done, spikes);
  }
};
