"""IF_cond_exp: leaky integrate-and-fire with exponentially decaying conductances."""

from __future__ import annotations

from typing import Any

from ..model import Model, Values
from ..time import TimeGrid
from . import leaky


def _derive(p: Values, grid: TimeGrid) -> dict[str, Any]:
    return {**leaky.spiking(p, grid), **leaky.conductance(p, grid)}


IF_COND_EXP = Model(
    name="IF_cond_exp",
    state={"v": -65.0, "gsyn_exc": 0.0, "gsyn_inh": 0.0, "refractory": 0.0},
    derived=(*leaky.SPIKING, *leaky.CONDUCTANCE),
    derive=_derive,
    constraints=leaky.CONSTRAINTS,
    recordable=("v", "gsyn_exc", "gsyn_inh"),
)
