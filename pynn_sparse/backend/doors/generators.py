"""Generators of random numbers that values draw from: an error leaves them as they were."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from copy import deepcopy
from functools import partial
from typing import Any

import numpy as np
from lazyarray import larray

from pynn_sparse.engine.building.stream_places import way_back

from ...random import RandomDistribution
from .plain import PLAIN


def copied(values: Mapping[str, Any]) -> dict[str, Any]:
    """The same values, but with generators of random numbers of their own, in the same state."""
    return {name: deepcopy(value) if _draws(value) else value for name, value in values.items()}


def _draws(value: Any) -> bool:
    """Whether a value may draw random numbers."""
    if isinstance(value, larray):
        return bool(value.operations) or type(value.base_value) not in PLAIN
    return isinstance(value, RandomDistribution)


def restoring_generators(values: Iterable[Any], rng: Any = None) -> AbstractContextManager[None]:
    """Put `rng`, and generators that the values draw from, back as they were after an error."""
    generators = list(_generators(values))
    if rng is not None:
        generators.append(rng)
    return _restoring(generators) if generators else NOTHING


NOTHING = contextlib.nullcontext()


def _generators(values: Iterable[Any]) -> Iterator[Any]:
    for value in values:
        if isinstance(value, RandomDistribution):
            yield value.rng
        elif isinstance(value, larray):
            yield from _generators([value.base_value, *(each for _, each in value.operations)])


@contextlib.contextmanager
def _restoring(generators: list[Any]) -> Iterator[None]:
    ways_back: list[Callable[[], Any]] = []
    for each in generators:
        rng = getattr(each, "rng", None)
        if isinstance(rng, np.random.Generator):
            bits = rng.bit_generator
            ways_back.append(partial(setattr, bits, "state", bits.state))
        elif isinstance(rng, np.random.RandomState):
            ways_back.append(way_back(rng))
    try:
        yield
    except BaseException:
        for go_back in ways_back:
            go_back()
        raise
