"""IF_cond_exp_gsfa_grr: IF_cond_exp with conductances that the neuron's own spikes add to."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import propagators
from ..model import POSITIVE, Model, Values
from ..time import TimeGrid
from . import leaky

SAME = ("e_rev_sfa", "e_rev_rr", "q_sfa", "q_rr")


def _derive(p: Values, grid: TimeGrid) -> dict[str, Any]:
    h, own = propagators.substep(grid), ("sfa", "rr")
    half = TimeGrid(h / 2)
    return {
        **leaky.spiking(p, grid),
        **leaky.conductance(p, grid),
        **{name: p[name] for name in SAME},
        **{f"half_decay_{name}": propagators.decay(p[f"tau_{name}"], half) for name in own},
        **{f"decay_{name}": propagators.decay(p[f"tau_{name}"], grid) for name in own},
        **{f"rate_{name}": h / np.asarray(p[f"tau_{name}"], float) for name in own},
        **{
            f"load_{name}": propagators.load(p[f"tau_{name}"], p["cm"], grid) / 1000 for name in own
        },
    }


IF_COND_EXP_GSFA_GRR = Model(
    name="IF_cond_exp_gsfa_grr",
    state={
        "v": -65.0,
        "gsyn_exc": 0.0,
        "gsyn_inh": 0.0,
        "g_s": 0.0,
        "g_r": 0.0,
        "refractory": 0.0,
    },
    derived=(
        *leaky.SPIKING,
        *leaky.CONDUCTANCE,
        *("e_rev_sfa", "e_rev_rr", "half_decay_sfa", "half_decay_rr", "decay_sfa", "decay_rr"),
        *("rate_sfa", "rate_rr", "load_sfa", "load_rr", "q_sfa", "q_rr"),
    ),
    derive=_derive,
    constraints={**leaky.CONSTRAINTS, "tau_sfa": POSITIVE, "tau_rr": POSITIVE},
    recordable=("v", "g_r", "g_s", "gsyn_exc", "gsyn_inh"),
)
