"""IF_curr_exp: leaky integrate-and-fire with exponential post-synaptic currents."""

from __future__ import annotations

from typing import Any

from .. import propagators
from ..model import Model, Values
from ..time import TimeGrid
from . import leaky


def _derive(p: Values, grid: TimeGrid) -> dict[str, Any]:
    return {
        **leaky.spiking(p, grid),
        **leaky.membrane(p, grid),
        "decay_exc": propagators.decay(p["tau_syn_E"], grid),
        "decay_inh": propagators.decay(p["tau_syn_I"], grid),
        "gain_exc": propagators.gain(p, p["tau_syn_E"], grid),
        "gain_inh": propagators.gain(p, p["tau_syn_I"], grid),
    }


IF_CURR_EXP = Model(
    name="IF_curr_exp",
    state={"v": -65.0, "isyn_exc": 0.0, "isyn_inh": 0.0, "refractory": 0.0},
    derived=(
        *leaky.SPIKING,
        "leak",
        "gain",
        "decay_exc",
        "decay_inh",
        "gain_exc",
        "gain_inh",
    ),
    derive=_derive,
    constraints=leaky.CONSTRAINTS,
    recordable=("v", "isyn_exc", "isyn_inh"),
)
