"""SpikeSourceInhGamma: a gamma process whose shape and scale change with time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import ParameterError
from ..model import Model, Values
from ..time import TimeGrid
from .spike_source_poisson import TIME, active_span

BINS = ("tbins", "a", "b")


class _Each:
    """A condition on each number of a sequence."""

    def __init__(self, least: float, text: str) -> None:
        self._least, self._text = least, text

    def check(self, name: str, value: Any) -> None:
        for index, numbers in enumerate(value):
            good = np.isfinite(numbers) & (numbers > self._least)
            if len(numbers) == 0 or not good.all():
                found = f"{numbers[~good][0]:g}" if len(numbers) else "nothing"
                raise ParameterError(
                    f"{name} of the neuron with index {index} contain {found}: must be one or "
                    f"more {self._text}"
                )


def _bins(p: Values, grid: TimeGrid) -> list[NDArray[np.int64]]:
    """For each neuron: first step, and the bits of a, b (steps) and ln Gamma(a), of each bin."""
    return [
        _of_neuron(index, each, grid)
        for index, each in enumerate(zip(*(p[name] for name in BINS), strict=True))
    ]


def _of_neuron(index: int, values: tuple[Any, ...], grid: TimeGrid) -> NDArray[np.int64]:
    tbins, a, b = values
    if not len(tbins) == len(a) == len(b):
        raise ParameterError(
            f"a, b and tbins of the neuron with index {index} have {len(a)}, {len(b)} and "
            f"{len(tbins)} values: must be as many"
        )
    if np.any(np.diff(tbins) <= 0):
        raise ParameterError(f"tbins of the neuron with index {index}: must be in ascending order")
    real = np.array([a, b * 1000 / grid.dt, [math.lgamma(each) for each in a]], np.float64)
    return np.column_stack([grid.nearest(tbins), real.view(np.int64).T]).ravel()


def _derive(p: Values, grid: TimeGrid) -> dict[str, Any]:
    _bins(p, grid)  # for what it raises
    return active_span(p, grid)


SPIKE_SOURCE_INH_GAMMA = Model(
    name="SpikeSourceInhGamma",
    state={"age": 0.0, "bin": 0.0},
    derived=("start", "stop"),
    derive=_derive,
    receptors=(),
    constraints={
        "a": _Each(0.0, "numbers greater than 0"),
        "b": _Each(0.0, "numbers greater than 0, in seconds"),
        "tbins": _Each(-np.inf, "finite times in ms"),
        **TIME,
    },
    is_source=True,
    double_only=True,
    sequences=BINS,
    events=_bins,
)
