"""Waveforms of current sources, sampled on the grid of time steps.

The current of step k flows from k*dt to (k+1)*dt, so that it first shows in the state at
(k+1)*dt. It flows in steps with start <= k*dt < stop, both rounded to the nearest step, halves
down.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .model import NOT_NEGATIVE, Check, Constraint
from .time import TimeGrid

SPAN: dict[str, Check] = {
    "start": NOT_NEGATIVE,
    "stop": Constraint(lambda x: x >= 0, "0 or greater"),  # infinite too
}
ALTERNATING: dict[str, Check] = {**SPAN, "frequency": NOT_NEGATIVE}
NOISY: dict[str, Check] = {**SPAN, "stdev": NOT_NEGATIVE}


class CurrentSource(Protocol):
    """Anything that can say its current (nA) in steps first .. first + n - 1, as float64 [n]."""

    def sample(self, first: int, n: int, grid: TimeGrid) -> NDArray[np.float64]: ...


class CurrentsOfEach(Protocol):
    """Anything that has a current (nA) for each of the m neurons of an injection.

    Attributes:
        share: of steps in which currents change, at most, in the long run.
    """

    @property
    def share(self) -> float: ...

    def changes(self, steps: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether currents are others than in the step before, for steps [n]."""

    def at(self, steps: NDArray[np.int64]) -> NDArray[np.float64]:
        """Currents in some steps, [n, m]."""


def _pulse(
    steps: NDArray[np.int64], start: float, stop: float, grid: TimeGrid
) -> NDArray[np.bool_]:
    return (steps >= grid.nearest_below(start)) & (steps < grid.nearest_below(stop))


def direct(
    first: int, n: int, grid: TimeGrid, *, amplitude: float, start: float, stop: float
) -> NDArray[np.float64]:
    """`amplitude` (nA) from `start` to `stop` (ms)."""
    steps = np.arange(first, first + n)
    return np.where(_pulse(steps, start, stop, grid), amplitude, 0.0)


def alternating(
    first: int,
    n: int,
    grid: TimeGrid,
    *,
    amplitude: float,
    offset: float,
    frequency: float,
    phase: float,
    start: float,
    stop: float,
) -> NDArray[np.float64]:
    """offset + amplitude sin(2 pi frequency (t - start) + phase), in Hz and degrees."""
    steps = np.arange(first, first + n)
    cycle = 2 * np.pi * frequency / 1000 * (steps * grid.dt - start)
    wave = offset + amplitude * np.sin(cycle + np.deg2rad(phase))
    return np.where(_pulse(steps, start, stop, grid), wave, 0.0)


def stepwise(
    first: int,
    n: int,
    grid: TimeGrid,
    *,
    times: NDArray[np.float64],
    amplitudes: NDArray[np.float64],
) -> NDArray[np.float64]:
    """amplitudes[i] from times[i] to times[i + 1]; the last of several changes in a step counts."""
    current = np.concatenate([[0.0], amplitudes])
    begin = grid.nearest_below(times)
    return current[np.searchsorted(begin, np.arange(first, first + n), side="right")]


def noisy(
    first: int,
    n: int,
    grid: TimeGrid,
    *,
    mean: float,
    stdev: float,
    start: float,
    stop: float,
    dt: float,
    key: tuple[int, int],
) -> NDArray[np.float64]:
    """Gaussian white noise, a new value every `dt` (ms) from `start` on.

    `key` is (key of random numbers, number of the source); a value depends on that and on its
    position in time alone, so that how a run is divided makes no difference.
    """
    steps = np.arange(first, first + n)
    hold = max(1, int(grid.nearest(dt)))
    interval = (steps - int(grid.nearest_below(start))) // hold
    active = _pulse(steps, start, stop, grid)
    current = np.zeros(n)
    if active.any():
        current[active] = mean + stdev * _normal(interval[active], key)
    return current


def _normal(position: NDArray[np.int64], key: tuple[int, int]) -> NDArray[np.float64]:
    """Standard normal numbers at ascending positions of the stream that `key` names."""
    wanted, inverse = np.unique(position, return_inverse=True)
    generator = np.random.Philox(key=list(key))
    generator.advance(int(wanted[0]))  # a position takes one counter, that is four words
    words = generator.random_raw(4 * int(wanted[-1] - wanted[0] + 1)).reshape(-1, 4)
    uniform = (words[wanted - wanted[0], :2] >> np.uint64(11)) * 2.0**-53
    radius = np.sqrt(-2 * np.log1p(-uniform[:, 0]))
    normal: NDArray[np.float64] = radius * np.cos(2 * np.pi * uniform[:, 1])
    return normal[inverse]
