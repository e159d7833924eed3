"""The structure through which the loop of steps in C++ calls Python to exchange spikes."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import structures
from .processes import WORDS

Gather = Callable[[NDArray[np.uint32], NDArray[np.uint32]], None]
_FUNCTION = ctypes.CFUNCTYPE(
    ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64
)


class Callback:
    """Has a function of Python called, which may raise an error.

    Args:
        rank, size: of this process, and of all.
        gather: receives this process's words, [n], and puts those of all into an array, [size, n].

    Attributes:
        record: the structure `Exchange`, for as long as this lives.
        error: what the function has raised, if the exchange has failed.
    """

    def __init__(self, rank: int, size: int, gather: Gather) -> None:
        self.error: BaseException | None = None
        self._size, self._gather = size, gather
        self._function = _FUNCTION(self._call)
        self.record = structures.filled(
            structures.EXCHANGE,
            all_gather=ctypes.cast(self._function, ctypes.c_void_p).value or 0,
            words=WORDS,
            rank=rank,
            n_rank=size,
        )

    def _call(self, _: Any, mine: int, everyones: int, n: int) -> int:
        try:
            self._gather(_words(mine, n), _words(everyones, n * self._size).reshape(-1, n))
        except BaseException as error:  # which C++ cannot pass on
            self.error = error
            return -1
        return 0


def _words(address: int, n: int) -> NDArray[np.uint32]:
    return np.ctypeslib.as_array((ctypes.c_uint32 * n).from_address(address))
