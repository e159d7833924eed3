"""Leaky integrate-and-fire neurons with any receptors, see `cuda/membranes/leaky_composed.h`."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import propagators
from ..model import Model, Values
from ..receptors import CURR_EXP, Placed
from ..time import TimeGrid
from . import leaky

CONSTRAINTS = {name: leaky.CONSTRAINTS[name] for name in ("cm", "tau_m", "tau_refrac")}


def leaky_composed(name: str, receptors: list[Placed], source: str) -> Model:
    """A model with these receptors; `source` is its header."""
    exact = has_exact_solution(receptors)
    derived = _names_of_currents(receptors) if exact else _names(receptors)

    def derive(p: Values, grid: TimeGrid) -> dict[str, Any]:
        own = _derive_currents(receptors, p, grid) if exact else _derive(receptors, p, grid)
        return {**leaky.spiking(p, grid), **own}

    return Model(
        name=name,
        state={
            "v": -65.0,
            "refractory": 0.0,
            **{state: 0.0 for each in receptors for state in each.state},
        },
        derived=(*leaky.SPIKING, *derived),
        derive=derive,
        receptors=tuple(each.name for each in receptors),
        constraints={**CONSTRAINTS, **leaky.merged(each.constraints for each in receptors)},
        recordable=("v", *(each.state[0] for each in receptors)),
        double_only=True,
        source=source,
    )


def has_exact_solution(receptors: list[Placed]) -> bool:
    """Whether all receptors are exponentially decaying currents."""
    return all(each.kind is CURR_EXP for each in receptors)


def _names_of_currents(receptors: list[Placed]) -> tuple[str, ...]:
    decays = (f"{each.name}.decay" for each in receptors)
    return ("leak", "gain", *decays, *(f"{each.name}.gain" for each in receptors))


def _derive_currents(receptors: list[Placed], p: Values, grid: TimeGrid) -> dict[str, Any]:
    tau = {each.name: p[each.parameters["tau_syn"]] for each in receptors}
    return {
        **leaky.membrane(p, grid),
        **{f"{name}.decay": propagators.decay(value, grid) for name, value in tau.items()},
        **{f"{name}.gain": propagators.gain(p, value, grid) for name, value in tau.items()},
    }


def _names(receptors: list[Placed]) -> tuple[str, ...]:
    return (
        *("g_leak", "h_per_cm", "per_cm", "room"),
        *(name for each in receptors for name in each.derived),
    )


def _derive(receptors: list[Placed], p: Values, grid: TimeGrid) -> dict[str, Any]:
    cm = np.asarray(p["cm"], float)
    return {
        "g_leak": cm / p["tau_m"],
        "h_per_cm": propagators.substep(grid) / cm,
        "per_cm": 1 / cm,
        "room": leaky.room(p, grid),
        **leaky.merged(each.derive(p, grid) for each in receptors),
    }
