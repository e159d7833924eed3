"""What the leaky integrate-and-fire models share: limits of parameters, exact propagators.

The propagators are those of Rotter and Diesmann (1999), doi:10.1007/s004220050570, in the form
that stays accurate when two time constants are close or equal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ..model import NOT_NEGATIVE, POSITIVE, Values
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


def decay(tau: Any, grid: TimeGrid) -> Any:
    """Factor of an exponentially decaying quantity over a step."""
    return np.exp(-grid.dt / np.asarray(tau, float))


def _rate_difference(tau_m: Any, tau_syn: Any) -> Any:
    return 1 / np.asarray(tau_syn, float) - 1 / np.asarray(tau_m, float)


def gain(p: Values, tau_syn: Any, grid: TimeGrid) -> Any:
    """mV that a current of 1 nA, decaying with `tau_syn` from there, adds to v over a step.

    exp(-h/tau_syn) (exp(x) - 1)/x h/cm with x = h (1/tau_syn - 1/tau_m); for x = 0 the factor is 1.
    """
    x = grid.dt * _rate_difference(p["tau_m"], tau_syn)
    return decay(tau_syn, grid) * expm1_over(x) * grid.dt / p["cm"]


def rise_gain(p: Values, tau_syn: Any, grid: TimeGrid) -> Any:
    """mV that a rise of 1 nA/ms, decaying with `tau_syn` from there, adds to v over a step.

    exp(-h/tau_syn) ((exp(x) - 1 - x)/x^2) h^2/cm; for x = 0 the factor is 1/2.
    """
    x = grid.dt * _rate_difference(p["tau_m"], tau_syn)
    return decay(tau_syn, grid) * _expm1_minus_over(x) * grid.dt**2 / p["cm"]


def expm1_over(x: Any) -> Any:
    """(exp(x) - 1) / x, 1 for x = 0."""
    small = np.abs(x) < 1e-300
    safe = np.where(small, 1.0, x)
    return np.where(small, 1.0, np.expm1(safe) / safe)


def _expm1_minus_over(x: Any) -> Any:
    """(exp(x) - 1 - x) / x^2; by its series where the difference would cancel."""
    small = np.abs(x) < 0.1
    safe = np.where(small, 1.0, x)
    series: Any = 0.0
    for k in range(11, 1, -1):  # 1/2 + x/6 + x^2/24 + ..., to 1e-16 for |x| < 0.1
        series = (1.0 + series * x) / k
    return np.where(small, series, (np.expm1(safe) - safe) / safe**2)


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

# Up to this change of v - e_rev over a substep, a Runge-Kutta step errs by less than 1e-5 mV.
GREATEST_LOAD = 0.1


def substeps(grid: TimeGrid) -> int:
    """Runge-Kutta steps in a time step: one for each 0.05 ms or part of it.

    So v is within 1e-6 mV of NEST's adaptive integration, but where v crosses the threshold inside
    a time step and is below it again at its end: there the derivative has a kink.
    """
    return max(1, int(np.ceil(grid.dt / 0.05 - 1e-9)))


def substep(grid: TimeGrid) -> float:
    """Length of a Runge-Kutta step, in ms."""
    return grid.dt / substeps(grid)


def load(tau: Any, cm: Any, grid: TimeGrid) -> Any:
    """What a conductance of 1 uS takes of `GREATEST_LOAD`: its change of v over a substep.

    More if it decays fast: with x the substep divided by `tau`, Simpson's rule, which is what
    Runge-Kutta steps make of it, errs by the part x^4/2880.
    """
    h = substep(grid)
    return h / np.asarray(cm, float) * np.clip(350 * (h / np.asarray(tau, float)) ** 4, 1, 1e6)


def load_of_current(tau: Any, cm: Any, grid: TimeGrid) -> Any:
    """The same for a current of 1 nA, which counts only if it decays fast."""
    h = substep(grid)
    return h / np.asarray(cm, float) * np.minimum(7 * (h / np.asarray(tau, float)) ** 4, 2e4)


def room(p: Values, grid: TimeGrid) -> Any:
    """What the leak leaves of `GREATEST_LOAD`."""
    return GREATEST_LOAD - substep(grid) / np.asarray(p["tau_m"], float)


def merged(parts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """All items of several mappings."""
    return {name: value for part in parts for name, value in part.items()}
