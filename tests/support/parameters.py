"""Parameters and weights with which each neuron model is active, for the comparisons."""

from __future__ import annotations

from typing import Any

LEAKY = {"cm": 0.25, "tau_m": 15.0, "tau_refrac": 2.04, "i_offset": 0.1}
SYNAPTIC = {"tau_syn_E": 1.7, "tau_syn_I": 4.3}
PARAMETERS: dict[str, dict[str, Any]] = {
    "IF_curr_exp": LEAKY | SYNAPTIC,
    "IF_curr_alpha": LEAKY | SYNAPTIC,
    "IF_curr_delta": LEAKY,
    "IF_cond_exp": LEAKY | SYNAPTIC,
    "IF_cond_alpha": LEAKY | SYNAPTIC,
    "Izhikevich": {"a": 0.02, "b": 0.2, "c": -65.0, "d": 6.0, "i_offset": 0.002},
}
MODELS = tuple(PARAMETERS)
# Of a spike from outside, of an excitatory and of an inhibitory neuron.
WEIGHTS = {
    "IF_curr_exp": (0.35, 0.05, -0.3),
    "IF_curr_alpha": (0.35, 0.05, -0.3),
    "IF_curr_delta": (1.5, 0.3, -1.5),
    "IF_cond_exp": (0.01, 0.002, 0.02),
    "IF_cond_alpha": (0.01, 0.002, 0.02),
    "Izhikevich": (2.0, 0.3, -1.0),
}
# Largest difference of v from NEST's, in mV. Current-based models are solved exactly by both. NEST
# integrates conductance-based ones with steps of its own choice; where v crosses the threshold
# within a time step and comes back, the derivative has a kink (v is cut off at the threshold), and
# two methods differ by more than elsewhere. Izhikevich's forward Euler step is NEST's, but it is
# unstable enough during a spike to amplify rounding.
BOUNDS = {
    "IF_curr_exp": 1e-11,
    "IF_curr_alpha": 1e-11,
    "IF_curr_delta": 1e-11,
    "IF_cond_exp": 1e-6,
    "IF_cond_alpha": 1e-6,
    "Izhikevich": 1e-7,
}
KINK_BOUND = 1e-4  # for networks whose conductance-based neurons graze the threshold
