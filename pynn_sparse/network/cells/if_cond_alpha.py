"""IF_cond_alpha: leaky integrate-and-fire with alpha-shaped conductances."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import propagators
from ..model import Model, Values
from ..time import TimeGrid
from . import leaky


def _derive(p: Values, grid: TimeGrid) -> dict[str, Any]:
    return {
        **leaky.spiking(p, grid),
        **leaky.conductance(p, grid),
        "half_step": grid.dt / propagators.substeps(grid) / 2,
        "step_exc": grid.dt * propagators.decay(p["tau_syn_E"], grid),
        "step_inh": grid.dt * propagators.decay(p["tau_syn_I"], grid),
        "scale_exc": np.e / np.asarray(p["tau_syn_E"], float),
        "scale_inh": np.e / np.asarray(p["tau_syn_I"], float),
        "reach_exc": np.minimum(p["tau_syn_E"], grid.dt),
        "reach_inh": np.minimum(p["tau_syn_I"], grid.dt),
    }


IF_COND_ALPHA = Model(
    name="IF_cond_alpha",
    state={
        "v": -65.0,
        "gsyn_exc": 0.0,
        "gsyn_inh": 0.0,
        "rise_exc": 0.0,
        "rise_inh": 0.0,
        "refractory": 0.0,
    },
    derived=(
        *leaky.SPIKING,
        *leaky.CONDUCTANCE,
        *("half_step", "step_exc", "step_inh", "scale_exc", "scale_inh"),
        *("reach_exc", "reach_inh"),
    ),
    derive=_derive,
    constraints=leaky.CONSTRAINTS,
    recordable=("v", "gsyn_exc", "gsyn_inh"),
)
