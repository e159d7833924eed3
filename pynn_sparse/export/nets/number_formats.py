"""What users choose of number formats."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ...door import is_integer
from ..arguments import door
from .minifloat import MOST_EXPONENT_BITS, Minifloat, weight_format
from .rounding import check_rounding, rounded

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
SCALES = ("free", "power_of_two")
MOST_HEADROOM = 8
GROUPS = ("projection", "receptor", "population", "network", "neuron")


@dataclass(frozen=True)
class Quantise:
    """How numbers become integers.

    Attributes:
        weight_bits: of a weight, 1 to 16, with the sign if `signed`.
        rounding: of weights: "nearest" (halves to even), "floor", "toward_zero", "stochastic".
        scale: "free": units of a population are such that its greatest weight is the greatest
            mantissa; "power_of_two": a power of two for each mV.
        per: synapses that share an exponent: those of a "projection", of a "receptor" of a
            population, onto a "population", or all of the "network", as on a core with one format;
            or "neuron": each neuron has units of its own, too.
        signed: whether weights carry their sign; else that is one of the format, and a bit is won.
        headroom: bits of the voltage's range above the threshold, 1 to 8.
        seed: of stochastic rounding, 0 or greater.
        exponent_bits: of the bits of a weight, those that are an exponent: weights are small
            floating-point numbers, see `Minifloat`, where the target can hold them. 0: integers.
        clip: share of each projection's synapses, 0 to less than 1, whose weights may be limited:
            those with the greatest become the next one below, and the others get more of the range.
    """

    weight_bits: int = 8
    rounding: str = "nearest"
    scale: str = "free"
    per: str = "projection"
    signed: bool = True
    headroom: int = 2
    seed: int = 0
    exponent_bits: int = 0
    clip: float = 0.0

    def __post_init__(self) -> None:
        check_rounding(self.rounding)
        truth = isinstance(self.signed, (bool, np.bool_))
        if not truth and not (is_integer(self.signed) and self.signed in (0, 1)):
            raise door.refused("signed", self.signed, "True or False")
        door.integer("seed", self.seed, 0)
        door.integer("weight_bits", self.weight_bits, 2 if self.signed else 1, 16)
        most = min(MOST_EXPONENT_BITS, self.weight_bits - self.signed)
        if not (is_integer(self.exponent_bits) and 0 <= self.exponent_bits <= most):
            bits = f"{self.weight_bits} bits of a weight{' with its sign' if self.signed else ''}"
            must = f"0 to {most}, an integer, of {bits}"
            raise door.refused("exponent_bits", self.exponent_bits, must)
        door.one_of("scale", self.scale, SCALES)
        door.one_of("per", self.per, GROUPS)
        door.integer("headroom", self.headroom, 1, MOST_HEADROOM)
        door.number("clip", self.clip, "a number, 0 to less than 1", lambda x: 0 <= x < 1)
        self._make_plain()

    def _make_plain(self) -> None:
        """Numbers as Python's: NumPy's print otherwise, and are none for JSON."""
        kinds = {"weight_bits": int, "headroom": int, "seed": int, "exponent_bits": int}
        for name, kind in (kinds | {"signed": bool, "clip": float}).items():
            object.__setattr__(self, name, kind(getattr(self, name)))

    @property
    def minifloat(self) -> Minifloat | None:
        """The format of weights, None for integers."""
        if not self.exponent_bits:
            return None
        return Minifloat(
            self.exponent_bits, self.weight_bits - bool(self.signed) - self.exponent_bits
        )

    def with_bits(self, text: int | str) -> Quantise:
        """The same with other weights: of a number of bits, or of a format such as "e4m3"."""
        bits, exponent = weight_format(text, self.signed)
        kept = self.exponent_bits if exponent is None else exponent
        return replace(self, weight_bits=bits, exponent_bits=kept)

    def clipped(self, weights: Floats) -> Floats:
        """Weights of a projection, of which the greatest are limited."""
        some = int(self.clip * len(weights))
        if not some:
            return weights
        limit = np.sort(np.abs(weights))[-some - 1]
        return np.clip(weights, -limit, limit)

    def rounded(self, x: Floats, rng: np.random.Generator) -> Integers:
        """Weights in integer units."""

        def to_integers(values: Floats) -> Integers:
            return rounded(values, self.rounding, rng)

        return self.minifloat.rounded(x, to_integers) if self.minifloat else to_integers(x)
