"""Adaptive exponential integrate-and-fire neurons, see `cuda/membranes/adaptive_exponential.h`."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..model import NOT_NEGATIVE, POSITIVE, Model, Values
from ..receptors import COND_ALPHA, COND_EXP, Placed, Receptor
from ..time import TimeGrid
from . import leaky

CONSTRAINTS = {
    "cm": POSITIVE,
    "tau_m": POSITIVE,
    "tau_refrac": NOT_NEGATIVE,
    "tau_w": POSITIVE,
    "delta_T": NOT_NEGATIVE,
}
DERIVED = (
    *("v_rest", "v_reset", "v_thresh", "v_spike", "i_offset", "n_refractory", "v_fire"),
    *("g_leak", "cm", "a", "b", "tau_w", "delta_T", "h"),
)
MOST_SPIKES = 16.0  # of a step, for neurons without a refractory period


def _derive(p: Values, grid: TimeGrid) -> dict[str, Any]:
    names = ("v_rest", "v_reset", "v_thresh", "v_spike", "i_offset", "cm", "b", "tau_w", "delta_T")
    steep = np.asarray(p["delta_T"], float) == 0  # the exponential is a threshold
    return {
        **{name: p[name] for name in names},
        "n_refractory": grid.at_least(p["tau_refrac"]).astype(float),
        "v_fire": np.where(steep, p["v_thresh"], p["v_spike"]),
        "g_leak": np.asarray(p["cm"], float) / p["tau_m"],
        "a": np.asarray(p["a"], float) / 1000,  # nS -> uS
        "h": grid.dt,
    }


def _most_spikes(p: Values, grid: TimeGrid) -> Any:
    return np.where(grid.at_least(p["tau_refrac"]) > 0, 1.0, MOST_SPIKES)


def adaptive_exponential(name: str, receptors: list[Placed], source: str = "") -> Model:
    """A model with these receptors; `source` is its header unless that is a file."""

    def derive(p: Values, grid: TimeGrid) -> dict[str, Any]:
        own = _derive(p, grid)
        return {**own, **leaky.merged(each.derive(p, grid) for each in receptors)}

    return Model(
        name=name,
        state={
            "v": -70.6,
            "w": 0.0,
            "refractory": 0.0,
            "step": leaky.FIRST_STEP,
            **{state: 0.0 for each in receptors for state in each.state},
        },
        derived=(*DERIVED, *(name for each in receptors for name in each.derived)),
        derive=derive,
        receptors=tuple(each.name for each in receptors),
        constraints={**CONSTRAINTS, **leaky.merged(each.constraints for each in receptors)},
        recordable=("v", "w", *(each.state[0] for each in receptors)),
        double_only=True,
        most_spikes=_most_spikes,
        source=source,
    )


def _standard(name: str, kind: Receptor) -> Model:
    receptors = [
        Placed(kind, receptor, {"tau_syn": f"tau_syn_{x}", "e_syn": f"e_rev_{x}"}, state)
        for receptor, x, state in (
            ("excitatory", "E", ("gsyn_exc", "rise_exc")[: len(kind.state)]),
            ("inhibitory", "I", ("gsyn_inh", "rise_inh")[: len(kind.state)]),
        )
    ]
    return adaptive_exponential(name, receptors)


EIF_COND_EXP_ISFA_ISTA = _standard("EIF_cond_exp_isfa_ista", COND_EXP)
EIF_COND_ALPHA_ISFA_ISTA = _standard("EIF_cond_alpha_isfa_ista", COND_ALPHA)
