"""The numbers of small floating-point formats, by their definition."""

from __future__ import annotations

from fractions import Fraction
from functools import cache

from pynn_sparse.export.nets.minifloat import Minifloat


@cache
def values(kind: Minifloat) -> list[int]:
    """All numbers of a format in ascending order, from their definition as fractions.

    Bias 0 and a unit of 2^(1 - M): a number is 2^e (1 + m / 2^M), a subnormal one 2 m / 2^M.
    """
    unit = Fraction(2) / 2**kind.mantissa_bits
    return [
        int((2**e * (1 + Fraction(m, 2**kind.mantissa_bits)) if e else unit * m) / unit)
        for e in range(2**kind.exponent_bits)
        for m in range(2**kind.mantissa_bits)
    ]
