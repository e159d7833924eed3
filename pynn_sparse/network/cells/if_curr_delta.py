"""IF_curr_delta: leaky integrate-and-fire whose potential jumps by the weight (mV)."""

from __future__ import annotations

from typing import Any

from ..model import Model, Values
from ..time import TimeGrid
from . import leaky


def _derive(p: Values, grid: TimeGrid) -> dict[str, Any]:
    return {**leaky.spiking(p, grid), **leaky.membrane(p, grid)}


IF_CURR_DELTA = Model(
    name="IF_curr_delta",
    state={"v": -65.0, "refractory": 0.0},
    derived=(*leaky.SPIKING, "leak", "gain"),
    derive=_derive,
    constraints=leaky.CONSTRAINTS,
    recordable=("v",),
)
