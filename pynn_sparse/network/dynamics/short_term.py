"""Synapses that transmit a part of their weight: by their recent use, by chance, or both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..model import NOT_NEGATIVE, POSITIVE, Check, Constraint, Values
from ..time import TimeGrid
from .dynamics import Dynamics, in_steps

FRACTION = Constraint(lambda x: (x >= 0) & (x <= 1), "from 0 to 1")
MAX_SITES = 1000
SITES = Constraint(
    lambda x: (x >= 1) & (x <= MAX_SITES) & (x == np.floor(x)), f"an integer from 1 to {MAX_SITES}"
)
SITES_NOW = Constraint(
    lambda x: (x >= 0) & (x <= MAX_SITES) & (x == np.floor(x)), f"an integer from 0 to {MAX_SITES}"
)
FLAG = Constraint(lambda x: (x == 0) | (x == 1), "0 or 1")
USE = {"U": FRACTION, "tau_rec": POSITIVE, "tau_facil": NOT_NEGATIVE, "tau_psc": NOT_NEGATIVE}


def _derive(values: Values, grid: TimeGrid) -> dict[str, Any]:
    """Parameters as they are, but for times."""
    return {
        name: in_steps(value, grid) if name.startswith("tau_") else value
        for name, value in values.items()
    }


def _dynamics(
    name: str,
    kind: str,
    parameters: tuple[str, ...],
    constraints: Mapping[str, Check],
    **more: Any,
) -> Dynamics:
    return Dynamics(
        name=name,
        parameters=parameters,
        columns=parameters,
        constraints={each: constraints[each] for each in parameters if each in constraints},
        derive=_derive,
        kinds=(kind,),
        **more,
    )


# tau_psc is that of the target's receptor, which the backend looks up.
TSODYKS_MARKRAM = _dynamics(
    "TsodyksMarkramSynapse",
    "TsodyksMarkram",
    ("U", "tau_rec", "tau_facil", "tau_psc"),
    state={"u": 0.0, "x": 1.0, "y": 0.0},
    state_constraints=dict.fromkeys(("u", "x", "y"), FRACTION),
    constraints=USE,
)
SIMPLE_STOCHASTIC = _dynamics(
    "SimpleStochasticSynapse", "SimpleStochastic", ("p",), constraints={"p": FRACTION}
)
STOCHASTIC_TSODYKS_MARKRAM = _dynamics(
    "StochasticTsodyksMarkramSynapse",
    "StochasticTsodyksMarkram",
    ("U", "tau_rec", "tau_facil"),
    state={"u": 0.0, "depleted": 0.0},
    state_constraints={"u": FRACTION, "depleted": FLAG},
    constraints=USE,
)
MULTI_QUANTAL = _dynamics(
    "MultiQuantalSynapse",
    "MultiQuantal",
    ("U", "n", "tau_rec", "tau_facil"),
    state={"u": -1.0, "a": -1.0},  # until the first spike, or until set
    state_constraints={"u": FRACTION, "a": SITES_NOW},
    state_limits={"a": "n"},
    constraints=USE | {"n": SITES},
    most=lambda values: float(np.max(values["n"])),
)
