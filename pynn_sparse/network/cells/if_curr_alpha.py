"""IF_curr_alpha: leaky integrate-and-fire with alpha-shaped post-synaptic currents."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import propagators
from ..model import Model, Values
from ..time import TimeGrid
from . import leaky


def _receptor(p: Values, name: str, tau: Any, grid: TimeGrid) -> dict[str, Any]:
    decay = propagators.decay(tau, grid)
    return {
        f"decay_{name}": decay,
        f"step_{name}": grid.dt * decay,
        f"gain_{name}": propagators.gain(p, tau, grid),
        f"rise_gain_{name}": propagators.rise_gain(p, tau, grid),
        f"scale_{name}": np.e / np.asarray(tau, float),
    }


def _derive(p: Values, grid: TimeGrid) -> dict[str, Any]:
    return {
        **leaky.spiking(p, grid),
        **leaky.membrane(p, grid),
        **_receptor(p, "exc", p["tau_syn_E"], grid),
        **_receptor(p, "inh", p["tau_syn_I"], grid),
    }


IF_CURR_ALPHA = Model(
    name="IF_curr_alpha",
    state={
        "v": -65.0,
        "isyn_exc": 0.0,
        "isyn_inh": 0.0,
        "rise_exc": 0.0,
        "rise_inh": 0.0,
        "refractory": 0.0,
    },
    derived=(
        *leaky.SPIKING,
        "leak",
        "gain",
        "decay_exc",
        "decay_inh",
        "step_exc",
        "step_inh",
        "gain_exc",
        "gain_inh",
        "rise_gain_exc",
        "rise_gain_inh",
        "scale_exc",
        "scale_inh",
    ),
    derive=_derive,
    constraints=leaky.CONSTRAINTS,
    recordable=("v", "isyn_exc", "isyn_inh"),
)
