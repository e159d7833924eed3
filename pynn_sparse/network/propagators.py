"""Factors over a time step: exact propagators, and what Runge-Kutta steps are good for.

The propagators are those of Rotter and Diesmann (1999), doi:10.1007/s004220050570, in the form
that stays accurate when two time constants are close or equal.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .model import Values
from .time import TimeGrid

# Up to this change of v - e_rev over a substep, a Runge-Kutta step errs by less than 1e-5 mV.
GREATEST_LOAD = 0.1


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
