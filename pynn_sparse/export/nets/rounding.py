"""Rounding of weights to integers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ..arguments import door

Floats = NDArray[np.float64]


def _stochastic(x: Floats, rng: np.random.Generator) -> Floats:
    """Up with the probability of the fraction."""
    return np.floor(x + rng.random(x.shape))


# Rounding and the largest error that it makes, in steps; the stochastic one stays below 1.
ROUNDINGS: dict[str, tuple[Callable[[Floats, np.random.Generator], Floats], float]] = {
    "nearest": (lambda x, rng: np.rint(x), 0.5),
    "floor": (lambda x, rng: np.floor(x), 1.0),
    "toward_zero": (lambda x, rng: np.trunc(x), 1.0),
    "stochastic": (_stochastic, 1.0),
}


def rounded(x: Floats, rounding: str, rng: np.random.Generator) -> NDArray[np.int64]:
    """Integers of values in steps."""
    return np.asarray(ROUNDINGS[rounding][0](x, rng)).astype(np.int64)


def possible(x: Floats, rounding: str) -> tuple[Floats, Floats]:
    """Least and greatest of what rounding makes of values that are known to 9 digits."""
    margin = 1e-9 * np.maximum(np.abs(x), 1.0)
    if rounding == "stochastic":
        return np.floor(x - margin), np.ceil(x + margin)
    function, rng = ROUNDINGS[rounding][0], np.random.default_rng(0)
    return function(x - margin, rng), function(x + margin, rng)


def check_rounding(rounding: str) -> None:
    """Raise `ExportError` for an unknown rule."""
    door.one_of("rounding", rounding, ROUNDINGS)
