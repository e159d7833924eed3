"""HH_cond_exp: Hodgkin-Huxley neuron of Traub and Miles."""

from __future__ import annotations

from typing import Any

from ..model import NOT_NEGATIVE, POSITIVE, Model, Values
from ..time import TimeGrid
from . import leaky

NAMES = (
    *("gbar_Na", "gbar_K", "g_leak", "cm", "v_offset", "e_rev_Na", "e_rev_K", "e_rev_leak"),
    *("e_rev_E", "e_rev_I", "tau_syn_E", "tau_syn_I", "i_offset"),
)
DEAD_TIME = 2.0  # ms between spikes, as in NEST


def _derive(p: Values, grid: TimeGrid) -> dict[str, Any]:
    return {
        **{name: p[name] for name in NAMES},
        "n_refractory": float(grid.at_least(DEAD_TIME)),
        "time_step": grid.dt,
    }


HH_COND_EXP = Model(
    name="HH_cond_exp",
    state={
        "v": -65.0,
        "m": 0.0,
        "h": 1.0,
        "n": 0.0,
        "gsyn_exc": 0.0,
        "gsyn_inh": 0.0,
        "refractory": 0.0,
        "step": leaky.FIRST_STEP,
    },
    derived=(*NAMES, "n_refractory", "time_step"),
    derive=_derive,
    constraints={
        **dict.fromkeys(("cm", "tau_syn_E", "tau_syn_I"), POSITIVE),
        **dict.fromkeys(("gbar_Na", "gbar_K", "g_leak"), NOT_NEGATIVE),
    },
    recordable=("v", "gsyn_exc", "gsyn_inh", "m", "h", "n"),
    double_only=True,
)
