"""Populations as SpiNNaker holds them: parameters in s16.15, in PyNN's units."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...models.dynamics import Dynamics
from ...models.relaxing import RANGE, UNIT
from ...nets.fixednet import CellParameters
from ...nets.floatnet import Cells

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

NAMES = (
    *("voltage_decay", "threshold", "reset", "bias", "refractory"),
    *("rest", "capacitance", "time_step"),
)


def exact_parameters(cells: Cells, dt: float) -> dict[str, Floats]:
    """Registers of `CellParameters`, and the initial voltage, before they are rounded."""
    p = cells.parameters
    values = {
        "current_decay": np.stack([p["tau_syn_E"], p["tau_syn_I"]], axis=1),
        "voltage_decay": p["tau_m"],
        "threshold": p["v_thresh"],
        "reset": p["v_reset"],
        "bias": p["i_offset"],
        "refractory": p["tau_refrac"],
        "rest": p["v_rest"],
        "capacitance": p["cm"],
        "time_step": np.full(cells.size, dt),
        "initial": cells.initial["v"],
    }
    return {name: np.asarray(value * UNIT, float) for name, value in values.items()}


def exact_dynamics(cells: Cells, dt: float) -> Dynamics:
    """The step of a population with its own potentials, and currents in nA."""
    p, n = cells.parameters, cells.size
    taus = np.stack([p["tau_syn_E"], p["tau_syn_I"]], axis=1)
    return Dynamics(
        np.exp(-dt / taus),
        np.exp(-dt / p["tau_m"]),
        np.ones((n, 2)),
        p["v_thresh"],
        p["v_reset"],
        cells.initial["v"],
        p["i_offset"],
        np.ceil(p["tau_refrac"] / dt).astype(np.int64),
        0,
        np.zeros(n),
    )


def cell_parameters(words: Mapping[str, Integers]) -> tuple[CellParameters, Integers, Integers]:
    """The registers that occur among those of all neurons, which each has, initial voltages."""
    columns = np.column_stack([words["current_decay"], *(words[name] for name in NAMES)])
    unique, which = np.unique(columns, axis=0, return_inverse=True)
    named: dict[str, Any] = {name: unique[:, 2 + i].copy() for i, name in enumerate(NAMES)}
    profile = which.reshape(-1).astype(np.int64)
    return CellParameters(unique[:, :2].copy(), **named), profile, words["initial"]


def beyond_range(cells: Cells, dt: float) -> list[str]:
    """Names of registers whose values do not fit s16.15."""
    return [
        name
        for name, value in exact_parameters(cells, dt).items()
        if (np.rint(value) < RANGE[0]).any() or (np.rint(value) > RANGE[1]).any()
    ]
