"""Text files of hexadecimal words, as Verilog's `$readmemh` reads them.

One word on each line, with as many digits as its bits need, lower case, and a newline after the
last: without that, Verilator 5.006 drops the last word.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..nets.layout import Limbs

DIGITS = np.frombuffer(b"0123456789abcdef", np.uint8)
NOT_A_DIGIT = 255
VALUES = np.full(256, NOT_A_DIGIT, np.uint8)
VALUES[DIGITS] = np.arange(16, dtype=np.uint8)
NEWLINE = ord("\n")


class MemoryFileError(ValueError):
    """A file is not what a table of this width and length looks like."""


def to_memh(limbs: Limbs, width: int) -> bytes:
    """The text of words of `width` bits."""
    digits = -(-width // 4)
    big_endian = np.ascontiguousarray(limbs[:, ::-1]).astype(">u8").view(np.uint8)
    nibbles = np.empty((len(limbs), 2 * big_endian.shape[1]), np.uint8)
    nibbles[:, 0::2], nibbles[:, 1::2] = big_endian >> 4, big_endian & 15
    text = np.full((len(limbs), digits + 1), NEWLINE, np.uint8)
    text[:, :-1] = DIGITS[nibbles[:, nibbles.shape[1] - digits :]]
    return text.tobytes()


def from_memh(text: bytes, width: int, n: int, name: str) -> Limbs:
    """The words of a text; strict, so that nothing is read that was not written.

    Raises `MemoryFileError` naming the file and what is wrong.
    """
    digits = -(-width // 4)
    if len(text) != n * (digits + 1):
        raise MemoryFileError(
            f"{name} has {len(text)} bytes: {n} words of {digits} digits take {n * (digits + 1)}"
        )
    lines = np.frombuffer(text, np.uint8).reshape(n, digits + 1)
    nibbles = VALUES[lines[:, :-1]]
    bad = (nibbles == NOT_A_DIGIT).any(axis=1) | (lines[:, -1] != NEWLINE)
    if bad.any():
        where = int(np.argmax(bad))
        raise MemoryFileError(f"{name}, line {where + 1}: {lines[where].tobytes()!r} is not a word")
    limbs = _limbs(nibbles, width)
    spare = 4 * digits - width
    if spare and n and (nibbles[:, 0] >> np.uint8(4 - spare)).any():
        where = int(np.argmax(nibbles[:, 0] >> np.uint8(4 - spare)))
        raise MemoryFileError(f"{name}, line {where + 1}: more than {width} bits")
    return limbs


def _limbs(nibbles: NDArray[np.uint8], width: int) -> Limbs:
    n, digits = nibbles.shape
    count = -(-width // 64)
    padded = np.zeros((n, 16 * count), np.uint8)
    padded[:, 16 * count - digits :] = nibbles
    octets = padded[:, 0::2] << 4 | padded[:, 1::2]
    return np.ascontiguousarray(octets).view(">u8").astype(np.uint64)[:, ::-1]
