// Generalized integrate-and-fire neuron (Mensi et al., 2012, doi:10.1152/jn.00408.2011; Pozzorini et al., 2015,
// doi:10.1371/journal.pcbi.1004275) with exponentially decaying conductances:
//
//   cm dv/dt = -g_leak (v - v_rest) + gsyn_exc (e_rev_E - v) + gsyn_inh (e_rev_I - v) - i_eta + i_offset + current
//   probability of a spike in a step: 1 - exp(-lambda0 exp((v - v_t) / delta_v) dt)
//
// i_eta and v_t - v_t_star are sums of three exponentials, to each of which a spike adds its amount. Order of
// events as in NEST's gif_cond_exp: v goes to v_reset in the step after the spike, and stays there for
// tau_refrac; v_t and i_eta are those at the beginning of the step.
#pragma once

#include "core/philox.h"
#include "membranes/stiff.h"

template <class real>
struct GIF_cond_exp {
  using scalar = double;
  static constexpr int32 n_receptor = 2;
  static constexpr bool substepped = true;

  struct State {
    double v, gsyn_exc, gsyn_inh, i_eta, v_t;
    double eta_0, eta_1, eta_2, gamma_0, gamma_1, gamma_2, refractory;
  };

  struct Params {
    double v_rest, v_reset, i_offset, n_refractory;
    double e_rev_E, e_rev_I, g_leak;
    double h_per_cm;                        // of a substep
    double half_decay_exc, half_decay_inh;  // of gsyn, over half a substep
    double decay_exc, decay_inh;            // over a step
    double rate_exc, rate_inh;              // of decay, per substep
    double load_exc, load_inh, room;        // see `stiff`
    double v_t_star, delta_v;
    double expected;  // spikes in a step at v = v_t: lambda0 dt
    double decay_eta_0, decay_eta_1, decay_eta_2, decay_gamma_0, decay_gamma_1, decay_gamma_2;
    double a_eta_0, a_eta_1, a_eta_2, a_gamma_0, a_gamma_1, a_gamma_2;
  };

  static constexpr double kUnbounded = 1e300;

  DEVICE static bool stiff(const Params& p, const State& s) {
    const double load = absolute(s.gsyn_exc) * p.load_exc + absolute(s.gsyn_inh) * p.load_inh;
    return s.refractory == 0 && !(load <= p.room);
  }

  DEVICE static double integrate(const Now& now, const Params& p, const State& s,
                                 const Pull<double>& leak) {
    double v = s.v, exc = s.gsyn_exc * p.h_per_cm, inh = s.gsyn_inh * p.h_per_cm;
    const auto pull = [&] { return leak.with(exc, p.e_rev_E).with(inh, p.e_rev_I); };
    const auto later = [&] {
      exc *= p.half_decay_exc, inh *= p.half_decay_inh;
      return pull();
    };
    Pull<double> begin = pull();
    for (int32 k = 0; k < now.substeps; ++k) {
      const Pull<double> middle = later();
      const Pull<double> end = later();
      v = runge_kutta(v, kUnbounded, begin, middle, end);
      begin = end;
    }
    return v;
  }

  DEVICE static double integrate_any(const Now& now, const Params& p, const State& s,
                                     const Pull<double>& leak) {
    const double exc = s.gsyn_exc * p.h_per_cm, inh = s.gsyn_inh * p.h_per_cm;
    return integrate_stiff(s.v, kUnbounded, now.substeps, [=](double t) {
      Course course{leak.pull, leak.rate, 0};
      course.add_exponential(exc, p.e_rev_E, p.rate_exc, t);
      course.add_exponential(inh, p.e_rev_I, p.rate_inh, t);
      return course;
    });
  }

  DEVICE static bool draws_spike(const Now& now, const Params& p, double v, double v_t) {
    const double mean = p.expected * exp_of((v - v_t) / p.delta_v);
    const Bits bits = philox(now.seed, Purpose::kNeuron, uint32(now.stream + now.index), now.step);
    return uniform(bits) < -expm1_of(-mean);
  }

  template <bool careful>
  DEVICE static int32 step(const Now& now, const Params& p, State& s, const double* input,
                           double current) {
    const bool needs_care = !careful && stiff(p, s);
    s.i_eta = s.eta_0 + s.eta_1 + s.eta_2;
    s.v_t = p.v_t_star + s.gamma_0 + s.gamma_1 + s.gamma_2;
    const bool active = s.refractory == 0;
    const double drive = p.g_leak * p.v_rest + (p.i_offset + current - s.i_eta);
    const Pull<double> leak{drive * p.h_per_cm, p.g_leak * p.h_per_cm};
    double v;
    if constexpr (careful)
      v = double(integrate_any(now, p, s, leak));
    else
      v = integrate(now, p, s, leak);
    const bool fires = active && draws_spike(now, p, v, s.v_t);
    const double spike = fires ? 1 : 0;
    s.v = active ? v : p.v_reset;
    s.refractory = fires ? p.n_refractory : active ? 0.0 : s.refractory - 1;
    s.gsyn_exc = s.gsyn_exc * p.decay_exc + input[0];
    s.gsyn_inh = s.gsyn_inh * p.decay_inh + input[1];
    s.eta_0 = s.eta_0 * p.decay_eta_0 + spike * p.a_eta_0;
    s.eta_1 = s.eta_1 * p.decay_eta_1 + spike * p.a_eta_1;
    s.eta_2 = s.eta_2 * p.decay_eta_2 + spike * p.a_eta_2;
    s.gamma_0 = s.gamma_0 * p.decay_gamma_0 + spike * p.a_gamma_0;
    s.gamma_1 = s.gamma_1 * p.decay_gamma_1 + spike * p.a_gamma_1;
    s.gamma_2 = s.gamma_2 * p.decay_gamma_2 + spike * p.a_gamma_2;
    return spikes_unless(needs_care, fires);
  }
};
