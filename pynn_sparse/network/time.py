"""The grid of time steps, with the rounding rules of NEST."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

TICS_PER_MS = 1000  # NEST's finest unit of time is 1 us
LATEST = 2.0**62  # steps, or ms; what lies beyond, such as a stop of 1e30 ms, means never
NOISE = 1e-6  # ms; a time that is so little after a step was meant to be that step
DECIMALS = 1e12
LAST_STEP = 2**31 - 1  # where no simulation gets
TIMESTEPS = (1e-4, 1e4)  # least and greatest length of a step, in ms


@dataclass(frozen=True)
class TimeGrid:
    """Time in steps of `dt` milliseconds.

    Where `dt` is a multiple of 1 us, numbers of steps are found in whole microseconds, as NEST
    does, so that a decimal value such as 0.15 ms counts as exactly that.
    """

    dt: float

    @cached_property
    def steps_per_ms(self) -> float:
        """Steps in a millisecond, free of the error of dividing by an inexact dt where possible."""
        tics = round(self.dt * TICS_PER_MS)
        if tics > 0 and abs(self.dt * TICS_PER_MS - tics) < 1e-9:
            return TICS_PER_MS / tics
        return 1.0 / self.dt

    @cached_property
    def end(self) -> float:
        """The latest time (ms) that a simulation can reach."""
        return float(self.time(LAST_STEP))

    def nearest(self, time: Any) -> NDArray[np.int64]:
        """Steps nearest to `time` (ms), halves up: delays."""
        return _whole(np.floor(_bounded(time) * self.steps_per_ms + 0.5))

    def nearest_below(self, time: Any) -> NDArray[np.int64]:
        """Steps nearest to `time` (ms), halves down: onsets and ends of currents."""
        return _whole(np.ceil((_bounded(time) - NOISE) * self.steps_per_ms - 0.5))

    def next(self, time: Any) -> NDArray[np.int64]:
        """The first steps that are not before `time` (ms): spikes of given times.

        NEST compares the floating-point numbers as they are, which moves a time such as 0.1 * 3,
        4e-17 ms after its step, to the step after that. Here a time less than a nanosecond after
        a step counts as that step.
        """
        return _whole(np.ceil((_bounded(time) - NOISE) * self.steps_per_ms))

    def at_least(self, time: Any) -> NDArray[np.int64]:
        """The least number of steps that last `time` (ms) or longer: refractory periods.

        Where a step is a whole number of microseconds, the time is first rounded to these, as in
        NEST.
        """
        times = np.asarray(time, float)
        tics = self.dt * TICS_PER_MS
        if abs(tics - round(tics)) < 1e-9:
            times = np.floor(times * TICS_PER_MS + 0.5) / TICS_PER_MS
        return np.ceil(times * self.steps_per_ms - 1e-9).astype(np.int64)

    def time(self, step: Any) -> Any:
        """Time (ms) of a step, rounded to 12 decimals so that step 3 of 0.1 ms is 0.3 ms."""
        if type(step) is int:  # which NumPy takes long for; it rounds in the same way
            return round(step * self.dt * DECIMALS) / DECIMALS
        return np.around(np.asarray(step) * self.dt, 12)


def _bounded(time: Any) -> NDArray[np.float64]:
    bounded: NDArray[np.float64] = np.minimum(np.asarray(time, float), LATEST)
    return bounded


def _whole(steps: Any) -> NDArray[np.int64]:
    whole: NDArray[np.int64] = np.minimum(steps, LATEST).astype(np.int64)
    return whole
