"""SpikeSourcePoisson: a Poisson process of constant rate; several spikes may fall into a step."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import ParameterError
from ..model import FINITE, NOT_NEGATIVE, Constraint, Model, Values
from ..time import TimeGrid

MAX_MEAN = 500.0  # spikes per step; exp(-mean), where counting begins, must not vanish
FOREVER = 2.0**62

TIME_SPAN = Constraint(lambda x: x >= 0, "0 or greater")  # infinite too
TIME = {"start": FINITE, "duration": TIME_SPAN}


def _mean(p: Values, grid: TimeGrid) -> Any:
    mean = np.asarray(p["rate"], float) * grid.dt / 1000
    if np.any(mean > MAX_MEAN):
        limit = MAX_MEAN * 1000 / grid.dt
        raise ParameterError(
            f"rate = {np.max(p['rate']):g} Hz: must be at most {limit:g} Hz "
            f"with a time step of {grid.dt:g} ms"
        )
    return mean


def _step(time: Any, grid: TimeGrid) -> Any:
    """Nearest step; times beyond any simulation (PyNN's default duration is 1e10 ms) stay so."""
    return np.minimum(np.floor(np.asarray(time, float) * grid.steps_per_ms + 0.5), FOREVER)


def _most(p: Values, grid: TimeGrid) -> Any:
    """A number of spikes that a step exceeds with a probability below 1e-15."""
    mean = _mean(p, grid)
    return np.ceil(mean + 10 * np.sqrt(mean) + 20)


def active_span(p: Values, grid: TimeGrid) -> dict[str, Any]:
    """The first step of a source that begins to be active, and the first after that."""
    stop = np.asarray(p["start"], float) + p["duration"]
    return {"start": _step(p["start"], grid), "stop": _step(stop, grid)}


def _derive(p: Values, grid: TimeGrid) -> dict[str, Any]:
    mean = _mean(p, grid)
    return {
        **active_span(p, grid),
        "mean": mean,
        "none": np.exp(-mean),
        "most": _most(p, grid),
    }


SPIKE_SOURCE_POISSON = Model(
    name="SpikeSourcePoisson",
    state={"unused": 0.0},
    derived=("start", "stop", "mean", "none", "most"),
    derive=_derive,
    receptors=(),
    constraints={"rate": NOT_NEGATIVE, **TIME},
    is_source=True,
    double_only=True,
    most_spikes=_most,
)
