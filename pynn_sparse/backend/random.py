"""The backend's own random number generator."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..random import NativeRNG as BaseNativeRNG
from ..random import NumpyRNG, WrappedRNG

DEFAULT_SEED = 42


class NativeRNG(NumpyRNG, BaseNativeRNG):
    """Random numbers from Philox 4x64, a counter-based generator that is faster than `NumpyRNG`.

    It takes the distributions and parameters of `NumpyRNG`. Like the rest of this backend it gives
    the same numbers in each run: `seed` None means 42.
    """

    def __init__(self, seed: int | None = None, parallel_safe: bool = True) -> None:
        WrappedRNG.__init__(self, DEFAULT_SEED if seed is None else seed, parallel_safe)
        self.rng = np.random.Generator(np.random.Philox(self.seed))

    def _next(self, distribution: str, n: int, parameters: dict[str, Any]) -> Any:
        if distribution == "uniform_int":
            return self.rng.integers(parameters["low"], parameters["high"], n)
        return super()._next(distribution, n, parameters)

    def __deepcopy__(self, memo: dict[int, Any]) -> NativeRNG:
        other = NativeRNG(self.seed, self.parallel_safe)
        other.rng.bit_generator.state = self.rng.bit_generator.state
        return other
