"""Bulk drawing that gives exactly the numbers of single calls to NumPy's RandomState."""

from __future__ import annotations

import ctypes

import numpy as np
from numpy.typing import NDArray

from .compile import cpu_library

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
        before = state.get_state(legacy=False)
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
        state.set_state(before)
        state._bit_generator.random_raw(used)  # on by what was consumed, no more
        done += made.value
    return source, target
