"""SpikeSourceArray: spikes at given times, each moved to the next time step."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import ParameterError
from ..model import Model, Values
from ..time import TimeGrid


class _SpikeTimes:
    """Each neuron's times must be finite, not negative and in ascending order."""

    def check(self, name: str, value: Any) -> None:
        every = np.concatenate([np.zeros(0), *value])
        if not len(every) or (every[0] >= 0 and every[-1] < np.inf and _ascending(every)):
            return  # those of one neuron, mostly
        owner = np.repeat(np.arange(len(value)), [len(times) for times in value])
        earlier = (np.diff(every) < 0) & (owner[1:] == owner[:-1])
        if np.isfinite(every).all() and (every >= 0).all() and not earlier.any():
            return
        for index, times in enumerate(value):
            if len(times) == 0:
                continue
            if not np.isfinite(times).all() or times.min() < 0:
                bad = times[~(np.isfinite(times) & (times >= 0))][0]
                raise ParameterError(
                    f"{name} of the neuron with index {index} contain {bad:g}: "
                    "times must be finite and 0 ms or greater"
                )
            if np.any(np.diff(times) < 0):
                at = int(np.argmax(np.diff(times) < 0))
                raise ParameterError(
                    f"{name} of the neuron with index {index} are not in ascending order: "
                    f"{times[at + 1]:g} ms comes after {times[at]:g} ms"
                )


def _ascending(times: NDArray[np.float64]) -> bool:
    return bool((times[1:] >= times[:-1]).all())  # false for NaN


def _events(p: Values, grid: TimeGrid) -> list[NDArray[np.int64]]:
    return [grid.next(times) for times in p["spike_times"]]


def _most_spikes(p: Values, grid: TimeGrid) -> Any:
    return np.array([_most_in_a_step(steps) for steps in _events(p, grid)], float)


def _most_in_a_step(steps: Any) -> int:
    return int(np.unique(steps, return_counts=True)[1].max()) if len(steps) else 1


SPIKE_SOURCE_ARRAY = Model(
    name="SpikeSourceArray",
    state={"next": 0.0},
    derived=("unused",),
    derive=lambda p, grid: {"unused": 0.0},
    receptors=(),
    constraints={"spike_times": _SpikeTimes()},
    is_source=True,
    double_only=True,
    sequences=("spike_times",),
    events=_events,
    given_times="spike_times",
    most_spikes=_most_spikes,
)
