"""Izhikevich's model (2003), doi:10.1109/TNN.2003.820440."""

from __future__ import annotations

from typing import Any

from ..model import Model, Values
from ..time import TimeGrid


def _derive(p: Values, grid: TimeGrid) -> dict[str, Any]:
    return {**{name: p[name] for name in ("a", "b", "c", "d", "i_offset")}, "h": grid.dt}


IZHIKEVICH = Model(
    name="Izhikevich",
    state={"v": -70.0, "u": -14.0},
    derived=("a", "b", "c", "d", "i_offset", "h"),
    derive=_derive,
    recordable=("v", "u"),
)
