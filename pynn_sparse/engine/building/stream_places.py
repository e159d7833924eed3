"""Where NumPy's `RandomState` is in its stream of random numbers: kept, and gone back to.

`get_state` and `set_state` go through 624 words one by one, which takes as long as half of a small
projection. NumPy lends compiled code the address of these words (`BitGenerator.ctypes`), so that
they are copied here as one block.
"""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Callable, Iterator

import numpy as np

BYTES = 4 * (624 + 1)  # the words, and how many of them have been used


def way_back(state: np.random.RandomState) -> Callable[[], None]:
    """What brings a generator back to where it is now, whatever has been drawn from it by then."""
    bits = state._bit_generator
    if type(bits) is not np.random.MT19937:
        return _slow_way_back(state)
    # A RandomState draws normal numbers in pairs, and keeps the second outside of the stream; that
    # it has one shows in that the next normal number takes nothing from the stream.
    here = _words(bits)
    pending = state.standard_normal()
    if _words(bits) == here:
        state.set_state(state.get_state(legacy=False) | {"has_gauss": 1, "gauss": pending})
        return _slow_way_back(state)
    state.standard_normal()  # the second of the pair
    _move(bits, here)

    def go() -> None:
        state.set_state(state.get_state(legacy=False) | {"has_gauss": 0, "gauss": 0.0})
        _move(bits, here)

    return go


def _slow_way_back(state: np.random.RandomState) -> Callable[[], None]:
    before = state.get_state(legacy=False)
    return lambda: state.set_state(before)


@contextlib.contextmanager
def looking_ahead(state: np.random.RandomState) -> Iterator[None]:
    """Bring a generator back afterwards, from which no normal numbers have been drawn."""
    bits = state._bit_generator
    if type(bits) is not np.random.MT19937:
        before = bits.state
        try:
            yield
        finally:
            bits.state = before
        return
    here = _words(bits)
    try:
        yield
    finally:
        _move(bits, here)


def _words(bits: np.random.MT19937) -> bytes:
    return ctypes.string_at(bits.ctypes.state_address, BYTES)


def _move(bits: np.random.MT19937, words: bytes) -> None:
    ctypes.memmove(bits.ctypes.state_address, words, BYTES)
