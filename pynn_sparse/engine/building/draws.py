"""Pairs of cells drawn in bulk on the host."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import ParameterError
from ..toolchain.libraries import cpu_library
from .stream_places import looking_ahead

WORDS_AT_ONCE = 1 << 22


def uniform_pairs(
    state: np.random.RandomState, n: int, n_source: int, n_target: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """n pairs (source, target), uniform in 0..n_source-1 and 0..n_target-1.

    The same as n times ``state.randint(0, n_source, 1)`` followed by
    ``state.randint(0, n_target, 1)``, and it leaves `state` where those would.
    """
    source, target = np.empty(n, np.int64), np.empty(n, np.int64)
    made, pending = ctypes.c_int64(0), ctypes.c_int64(-1)
    done = 0
    while done < n:
        with looking_ahead(state):
            words = state._bit_generator.random_raw(min(WORDS_AT_ONCE, 4 * (n - done) + 64))
        words = words.astype(np.uint32)
        used = cpu_library().draw_pairs(
            words.ctypes.data_as(ctypes.c_void_p),
            ctypes.c_int64(len(words)),
            ctypes.c_uint32(n_source - 1),
            ctypes.c_uint32(n_target - 1),
            ctypes.c_int64(n - done),
            source[done:].ctypes.data_as(ctypes.c_void_p),
            target[done:].ctypes.data_as(ctypes.c_void_p),
            ctypes.byref(made),
            ctypes.byref(pending),
        )
        state._bit_generator.random_raw(used, output=False)
        done += made.value
    return source, target


def possible_pairs(
    rng: Any,
    n: int,
    n_source: int,
    n_target: int,
    skip_self: NDArray[np.int64] | None,
    *,
    with_replacement: bool,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """n of the pairs (source, target) that may be connected, each equally likely.

    Without replacement they are different, and each set of n pairs is equally likely. `skip_self`
    as in `connect.fixed_probability`; `rng` is one of PyNN's. Raises ParameterError if there are
    not so many pairs.
    """
    skip = np.full(n_source, -1) if skip_self is None else skip_self
    starts = np.concatenate([[0], np.cumsum(n_target - (skip >= 0))])
    total = int(starts[-1])
    if n > total and not (with_replacement and total):
        apart = " of different cells" if (skip >= 0).any() else ""
        raise ParameterError(
            f"n = {n}: must be at most {total}, the number of possible pairs{apart}"
            f"{'' if with_replacement else ', since with_replacement is False'}"
        )
    place = _below(rng, n, total) if with_replacement else _different_below(rng, n, total)
    source = np.searchsorted(starts, place, side="right") - 1
    column = place - starts[source]
    return source, column + ((skip[source] >= 0) & (column >= skip[source]))


def _below(rng: Any, n: int, limit: int) -> NDArray[np.int64]:
    drawn = rng.next(n, "uniform_int", {"low": 0, "high": limit}, mask=None) if n else []
    return np.asarray(drawn, np.int64)


def _different_below(rng: Any, n: int, limit: int) -> NDArray[np.int64]:
    """n different numbers: those drawn first, or of more than half of all, part of a shuffle."""
    if 2 * n > limit:
        return np.asarray(rng.permutation(limit)[:n], np.int64)
    drawn = np.unique(_below(rng, n, limit))
    while len(drawn) < n:  # less than half are taken, so that about half of the rest are new
        drawn = np.union1d(drawn, _below(rng, n - len(drawn), limit))
    return drawn
