"""The backend's own random number generator."""

from __future__ import annotations

from typing import Any

import numpy as np

from pynn_sparse.door import Door

from ..random import NativeRNG as BaseNativeRNG
from ..random import NumpyRNG, WrappedRNG

DEFAULT_SEED = 42


class NativeRNG(NumpyRNG, BaseNativeRNG):
    """Random numbers from Philox 4x64, a counter-based generator that is faster than `NumpyRNG`.

    Connections of a connector that has one, and weights and delays that are drawn from one, are
    made in the engine, by all threads, many times as fast as with `NumpyRNG`; they are the same for
    any number of threads. It takes the distributions and parameters of `NumpyRNG`. Like the rest of
    this backend it gives the same numbers in each run: `seed` None means 42.
    """

    def __init__(self, seed: int | None = None, parallel_safe: bool = True) -> None:
        given = DEFAULT_SEED if seed is None else seed
        WrappedRNG.__init__(self, Door(ValueError).integer("seed", given, 0), parallel_safe)
        self.rng = np.random.Generator(np.random.Philox(self.seed))

    def seed_of_bulk(self) -> int:
        """A seed of 64 bits for what the engine draws in bulk; another one each time."""
        return int(self.rng.integers(2**64, dtype=np.uint64))

    def _next(self, distribution: str, n: int, parameters: dict[str, Any]) -> Any:
        if distribution == "uniform_int":
            return self.rng.integers(parameters["low"], parameters["high"], n)
        return super()._next(distribution, n, parameters)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """For pickle, which upstream's `__getattr__` would lead around in circles."""
        self.__dict__.update(state)

    def __deepcopy__(self, memo: dict[int, Any]) -> NativeRNG:
        other = NativeRNG(self.seed, self.parallel_safe)
        other.rng.bit_generator.state = self.rng.bit_generator.state
        return other
