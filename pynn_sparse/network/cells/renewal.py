"""Spike sources with independent intervals: a Poisson process with dead time, a gamma process."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import ParameterError
from ..model import NOT_NEGATIVE, POSITIVE, Model, Values
from ..time import TimeGrid
from .spike_source_poisson import MAX_MEAN, TIME, active_span

STATE = {"remaining": 0.0, "dead": 0.0, "drawn": 0.0}


def _hazard(p: Values, grid: TimeGrid) -> Any:
    """Spikes per step outside the dead time."""
    _check_mean("rate", p["rate"], 1.0, grid)
    rate, dead = np.broadcast_arrays(np.asarray(p["rate"], float) / 1000, p["tau_refrac"])
    busy = rate * dead
    if np.any(busy >= 1):
        worst = int(np.argmax(busy))
        raise ParameterError(
            f"rate = {1000 * rate.flat[worst]:g} Hz with tau_refrac = {dead.flat[worst]:g} ms: the "
            "mean interval, 1000 / rate, must be greater than tau_refrac"
        )
    return rate / (1 - busy) * grid.dt


def _check_mean(name: str, rate: Any, intervals: Any, grid: TimeGrid) -> None:
    """Raise `ParameterError` for more spikes in a step than can be drawn one by one.

    `rate` is that of a process, in Hz, of which every so many `intervals` bring a spike.
    """
    mean = np.asarray(rate, float) / intervals * (grid.dt / 1000)
    if np.any(mean > MAX_MEAN):
        rates, counts = np.broadcast_arrays(np.asarray(rate, float), intervals)
        worst = int(np.argmax(mean))
        limit = MAX_MEAN * 1000 / grid.dt * counts.flat[worst]
        raise ParameterError(
            f"{name} = {rates.flat[worst]:g} Hz: must be at most {limit:g} Hz with a time step of "
            f"{grid.dt:g} ms, for {MAX_MEAN:g} spikes in each"
        )


def _derive_poisson(p: Values, grid: TimeGrid) -> dict[str, Any]:
    return {
        **active_span(p, grid),
        "hazard": _hazard(p, grid),
        "dead": np.asarray(p["tau_refrac"], float) / grid.dt,
    }


def _derive_gamma(p: Values, grid: TimeGrid) -> dict[str, Any]:
    _check_mean("beta", p["beta"], p["alpha"], grid)
    beta = np.asarray(p["beta"], float) * (grid.dt / 1000)
    return {**active_span(p, grid), "alpha": p["alpha"], "beta": beta}


def _most(mean: Any, shape: Any) -> Any:
    """A number of spikes that a step hardly ever exceeds."""
    irregular = 1 / np.minimum(shape, 1.0)
    return np.ceil(mean + 10 * np.sqrt(mean * irregular) + 20 * irregular)


def _most_poisson(p: Values, grid: TimeGrid) -> Any:
    return _most(_hazard(p, grid), 1.0)


def _most_gamma(p: Values, grid: TimeGrid) -> Any:
    alpha = np.asarray(p["alpha"], float)
    return _most(p["beta"] * (grid.dt / 1000) / alpha, alpha)


SPIKE_SOURCE_POISSON_REFRACTORY = Model(
    name="SpikeSourcePoissonRefractory",
    state=STATE,
    derived=("start", "stop", "hazard", "dead"),
    derive=_derive_poisson,
    receptors=(),
    constraints={"rate": NOT_NEGATIVE, "tau_refrac": NOT_NEGATIVE, **TIME},
    is_source=True,
    double_only=True,
    most_spikes=_most_poisson,
)

SPIKE_SOURCE_GAMMA = Model(
    name="SpikeSourceGamma",
    state=STATE,
    derived=("start", "stop", "alpha", "beta"),
    derive=_derive_gamma,
    receptors=(),
    constraints={"alpha": POSITIVE, "beta": NOT_NEGATIVE, **TIME},
    is_source=True,
    double_only=True,
    most_spikes=_most_gamma,
)
