"""What the leaky integrate-and-fire models share: limits of parameters, fields of their steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ..model import NOT_NEGATIVE, POSITIVE, Values
from ..propagators import GREATEST_LOAD, decay, load, substep
from ..time import TimeGrid

CONSTRAINTS = {
    "cm": POSITIVE,
    "tau_m": POSITIVE,
    "tau_refrac": NOT_NEGATIVE,
    "tau_syn_E": POSITIVE,
    "tau_syn_I": POSITIVE,
}

FIRST_STEP = 1e3  # ms: adaptive integration first tries a whole time step

SPIKING = ("v_rest", "v_thresh", "v_reset", "i_offset", "n_refractory")


def spiking(p: Values, grid: TimeGrid) -> dict[str, Any]:
    """The parameters named in `SPIKING`; the refractory period in steps, rounded up."""
    names = ("v_rest", "v_thresh", "v_reset", "i_offset")
    return {
        **{name: p[name] for name in names},
        "n_refractory": grid.at_least(p["tau_refrac"]).astype(float),
    }


def membrane(p: Values, grid: TimeGrid) -> dict[str, Any]:
    """Over a step: factor of v - v_rest, and mV per nA of a constant current."""
    h, tau, cm = grid.dt, np.asarray(p["tau_m"], float), np.asarray(p["cm"], float)
    return {"leak": np.exp(-h / tau), "gain": -tau / cm * np.expm1(-h / tau)}


def conductance(p: Values, grid: TimeGrid) -> dict[str, Any]:
    """The parameters named in `CONDUCTANCE`: uS, and ms/nF for a substep of integration."""
    h = substep(grid)
    cm = np.asarray(p["cm"], float)
    return {
        "e_rev_E": p["e_rev_E"],
        "e_rev_I": p["e_rev_I"],
        "g_leak": cm / p["tau_m"],
        "h_per_cm": h / cm,
        **half_decays(p, grid),
        "decay_exc": decay(p["tau_syn_E"], grid),
        "decay_inh": decay(p["tau_syn_I"], grid),
        "rate_exc": h / np.asarray(p["tau_syn_E"], float),
        "rate_inh": h / np.asarray(p["tau_syn_I"], float),
        "load_exc": load(p["tau_syn_E"], cm, grid),
        "load_inh": load(p["tau_syn_I"], cm, grid),
        "room": room(p, grid),
    }


def half_decays(p: Values, grid: TimeGrid) -> dict[str, Any]:
    """Factors of the conductances over half a substep."""
    h = substep(grid)
    return {
        "half_decay_exc": np.exp(-h / 2 / np.asarray(p["tau_syn_E"], float)),
        "half_decay_inh": np.exp(-h / 2 / np.asarray(p["tau_syn_I"], float)),
    }


CONDUCTANCE = (
    *("e_rev_E", "e_rev_I", "g_leak", "h_per_cm", "half_decay_exc", "half_decay_inh"),
    *("decay_exc", "decay_inh", "rate_exc", "rate_inh", "load_exc", "load_inh", "room"),
)


def room(p: Values, grid: TimeGrid) -> Any:
    """What the leak leaves of `GREATEST_LOAD`."""
    return GREATEST_LOAD - substep(grid) / np.asarray(p["tau_m"], float)


def merged(parts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """All items of several mappings."""
    return {name: value for part in parts for name, value in part.items()}
