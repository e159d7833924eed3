"""What hardware has, as plain data: limits, number formats, memories, and what a network takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .nets.floatnet import MODELS
from .nets.layout import Layout, Limbs


@dataclass(frozen=True)
class Limits:
    """How much there is of what every target has; what only some have is a `Capability`.

    Attributes:
        hop: greatest number of steps from a spike to the one whose input it is, or None where a
            capability says it.
        reset_to_zero: whether a reset is to 0, which then has to be v_reset.
        neurons, synapses, sources: greatest numbers, or None.
        models: cell types.
    """

    hop: int | None
    reset_to_zero: bool
    neurons: int | None = None
    synapses: int | None = None
    sources: int | None = None
    models: tuple[str, ...] = MODELS


@dataclass(frozen=True)
class Numbers:
    """Number formats, for `quantise`.

    Attributes:
        greatest_weight: by magnitude, of a mantissa.
        shifts: least and greatest of a weight's left shift; a weight is mantissa << shift.
        voltage_range: of voltages and currents.
        threshold_unit: thresholds are multiples of it.
        greatest_threshold: register.
        bias_bits: of a bias' mantissa without its sign.
        bias_exponents: greatest exponent of a bias; it is mantissa << exponent.
    """

    greatest_weight: int
    shifts: tuple[int, int]
    voltage_range: tuple[int, int]
    threshold_unit: int
    greatest_threshold: int
    bias_bits: int
    bias_exponents: int


@dataclass(frozen=True)
class Memory:
    """A table of words, as it is loaded."""

    layout: Layout
    words: Limbs

    @property
    def bits(self) -> int:
        """Size."""
        return len(self.words) * self.layout.width


@dataclass(frozen=True)
class Resource:
    """Use of something that a target has a limited number of."""

    name: str
    used: int
    available: int | None


@dataclass(frozen=True)
class Placement:
    """Where neurons are, and what that takes.

    Attributes:
        cores: number of cores in use.
        core: of each neuron, a sequence of length N.
        resources: what the fullest core, or the chip, uses.
    """

    cores: int
    core: Any
    resources: tuple[Resource, ...] = field(default=())
