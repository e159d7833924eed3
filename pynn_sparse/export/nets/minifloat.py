"""Weights as small floating-point numbers: a sign, an exponent of a few bits, a mantissa.

A code with exponent e and mantissa m of M bits stands, in integer units, for::

    m                        e = 0: subnormal numbers, and zero
    (2^M + m) << (e - 1)     e >= 1

so that all values are integers, and the unit is the least of them. There are no infinities and no
NaN: every code is a number. The sign is a bit above. In a convention with a bias, a number is that
many times 2^(1 - bias - M); so e2m1, e2m3 and e3m2 hold the numbers of the Open Compute Project's
FP4 and FP6 (Microscaling Formats, version 1.0, 2023), whose bias is 2^(E - 1) - 1. e4m3 and e5m2 go
on where those of FP8 have NaN and infinity. Without mantissa bits, weights are powers of two.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...door import is_integer
from ..arguments import door
from ..errors import ExportError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
MOST_EXPONENT_BITS = 5


@dataclass(frozen=True)
class Minifloat:
    """A format of weights.

    Attributes:
        exponent_bits: 1 to 5.
        mantissa_bits: 0 or more; those that are stored.
    """

    exponent_bits: int
    mantissa_bits: int

    def __post_init__(self) -> None:
        door.integer("exponent_bits", self.exponent_bits, 1, MOST_EXPONENT_BITS)
        door.integer("mantissa_bits", self.mantissa_bits, 0, 15)

    def __str__(self) -> str:
        return f"e{self.exponent_bits}m{self.mantissa_bits}"

    @property
    def greatest(self) -> int:
        """The greatest value, in integer units."""
        return self.decode((1 << self.exponent_bits) - 1, (1 << self.mantissa_bits) - 1).item()

    def ulp(self, x: Floats) -> Floats:
        """Distance of the numbers between which x lies, in integer units; at least 1."""
        exponent = np.frexp(np.maximum(np.abs(x), 1.0))[1] - 1  # floor of the binary logarithm
        return np.asarray(np.exp2(np.maximum(exponent - self.mantissa_bits, 0)))

    def rounded(self, x: Floats, to_integers: Callable[[Floats], Integers]) -> Integers:
        """Numbers beside x, by a rule that rounds to integers; not limited to `greatest`.

        With the nearest, of two that are equally near the one with the even mantissa is taken; the
        greater one where there are no mantissa bits. So has it IEEE 754 (2019), section 4.3.1.
        """
        ulp = self.ulp(x)
        return np.asarray(to_integers(x / ulp) * ulp.astype(np.int64))

    def encode(self, magnitude: Integers) -> tuple[Integers, Integers]:
        """Exponents and mantissas of numbers of this format, 0 or greater.

        Raises `ExportError` where one is not of the format.
        """
        magnitude = np.asarray(magnitude, np.int64)
        shift = self.ulp(magnitude.astype(float)).astype(np.int64)
        significand = magnitude // shift
        normal = significand >> self.mantissa_bits
        exponent = np.where(normal == 1, np.rint(np.log2(shift)).astype(np.int64) + 1, 0)
        mantissa = significand & ((1 << self.mantissa_bits) - 1)
        bad = (self.decode(exponent, mantissa) != magnitude) | (magnitude > self.greatest)
        if bad.any():
            raise ExportError(f"{magnitude[bad][0]} is not a number of {self}")
        return exponent, mantissa

    def decode(self, exponent: Integers | int, mantissa: Integers | int) -> Integers:
        """The numbers that exponents and mantissas stand for."""
        exponent, mantissa = np.asarray(exponent, np.int64), np.asarray(mantissa, np.int64)
        normal = (exponent > 0).astype(np.int64)
        return np.asarray((mantissa + (normal << self.mantissa_bits)) << (exponent - normal))


def weight_format(text: int | str, signed: bool = True) -> tuple[int, int | None]:
    """Weight bits, and bits of their exponent, of "8" or of a name such as "e4m3".

    Names leave the sign out, which `signed` adds. The exponent is None where none is named.
    Raises `ExportError` for other texts.
    """
    plain = isinstance(text, str) or is_integer(text)
    found = re.fullmatch(r"(\d{1,3})|e(\d)m(\d{1,2})", str(text)) if plain else None
    if found is None:
        raise door.refused("weight_bits", text, "a number, or a format such as e4m3")
    bits, exponent, mantissa = found.groups()
    if bits is not None:
        return int(bits), None
    kind = Minifloat(int(exponent), int(mantissa))
    return kind.exponent_bits + kind.mantissa_bits + bool(signed), kind.exponent_bits
