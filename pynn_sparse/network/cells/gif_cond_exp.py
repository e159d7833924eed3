"""GIF_cond_exp: generalized integrate-and-fire neuron, which fires at random.

Parameters that PyNN has as three numbers are here three parameters, tau_eta_0 and so on.
"""

from __future__ import annotations

from typing import Any

from .. import propagators
from ..model import NOT_NEGATIVE, POSITIVE, Model, Values
from ..time import TimeGrid
from . import leaky

ETA = tuple(f"eta_{k}" for k in range(3))
GAMMA = tuple(f"gamma_{k}" for k in range(3))
SAME = ("v_rest", "v_reset", "i_offset", "v_t_star", "delta_v")


def _derive(p: Values, grid: TimeGrid) -> dict[str, Any]:
    return {
        **{name: p[name] for name in SAME},
        "n_refractory": grid.at_least(p["tau_refrac"]).astype(float),
        **leaky.conductance(p, grid),
        "expected": p["lambda0"] * (grid.dt / 1000),
        **{f"decay_{name}": propagators.decay(p[f"tau_{name}"], grid) for name in ETA + GAMMA},
        **{f"a_{name}": p[f"a_{name}"] for name in ETA + GAMMA},
    }


GIF_COND_EXP = Model(
    name="GIF_cond_exp",
    state={
        "v": -65.0,
        "gsyn_exc": 0.0,
        "gsyn_inh": 0.0,
        "i_eta": 0.0,
        "v_t": -48.0,
        **dict.fromkeys((*ETA, *GAMMA, "refractory"), 0.0),
    },
    derived=(
        *("v_rest", "v_reset", "i_offset", "n_refractory"),
        *leaky.CONDUCTANCE,
        *("v_t_star", "delta_v", "expected"),
        *(f"decay_{name}" for name in ETA + GAMMA),
        *(f"a_{name}" for name in ETA + GAMMA),
    ),
    derive=_derive,
    constraints={
        **leaky.CONSTRAINTS,
        **{f"tau_{name}": POSITIVE for name in ETA + GAMMA},
        "delta_v": POSITIVE,
        "lambda0": NOT_NEGATIVE,
    },
    recordable=("v", "gsyn_exc", "gsyn_inh", "i_eta", "v_t"),
    double_only=True,
)
