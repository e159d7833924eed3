"""What a target does in a time step, as data: the golden model interprets it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]

STEPS = (
    "decay_current",
    "add_input",
    "decay_voltage",
    "add_current",
    "add_bias",
    "limit_voltage",
    "fire",
)
# Where there are no currents: the leak, and then one spike of a step after the other.
EVENT_STEPS = ("decay_voltage", "fire", "take_events")

# Neurons that relax towards the potential at which their input would hold them, see `relaxing`.
RELAXATION = (
    "saturate_input",
    "scale_input",
    "add_input",
    "relax_voltage",
    "fire",
    "decay_current",
)


def truncating(x: Integers, decay: Any, bits: int) -> Integers:
    """sgn(x) * ((|x| * (2^bits - decay)) >> bits): towards 0, so that what decays reaches 0."""
    return np.asarray(np.sign(x) * ((np.abs(x) * ((1 << bits) - decay)) >> bits))


def flooring(x: Integers, decay: Any, bits: int) -> Integers:
    """(x * (2^bits - decay)) >> bits: towards minus infinity."""
    return np.asarray((x * ((1 << bits) - decay)) >> bits)


def shifting(x: Integers, decay: Any, bits: int) -> Integers:
    """x - (x >> decay), but at least 1 towards 0; `decay` is a shift."""
    step = x >> decay
    return np.asarray(x - np.where((step == 0) & (x != 0), np.sign(x), step))


def linear(x: Integers, decay: Any, bits: int) -> Integers:
    """Towards 0 by `decay`."""
    return np.asarray(np.sign(x) * np.maximum(np.abs(x) - decay, 0))


DECAYS: dict[str, Callable[[Integers, Any, int], Integers]] = {
    "truncating": truncating,
    "flooring": flooring,
    "shifting": shifting,
    "linear": linear,
}


def saturated(x: Integers, least: int, most: int) -> Integers:
    """Values beyond the range become its ends."""
    return np.clip(x, least, most)


def wrapped(x: Integers, least: int, most: int) -> Integers:
    """Values beyond the range are taken modulo its length."""
    return (x - least) % (most - least + 1) + least


OVERFLOWS = {"saturate": saturated, "wrap": wrapped}
COMPARISONS: dict[str, Callable[[Integers, Integers], NDArray[np.bool_]]] = {
    "greater": np.greater,
    "greater_or_equal": np.greater_equal,
}
RESETS = ("value", "subtract")


@dataclass(frozen=True)
class Semantics:
    """The update of all neurons in a time step, in integers.

    Attributes:
        order: the operations, in this order: those of `STEPS`; of `RELAXATION`; or of
            `EVENT_STEPS`, where each spike that arrives is added to the voltages by itself, and
            neurons may fire at each. Then spikes of a step arrive in ascending order of axon, then
            hop, then weight.
        decay: rule of both decays, of `DECAYS`.
        decay_bits: fraction bits of the decay; bits of the register, with "shifting".
        current_decay_offset: what is added to a register of the current's decay.
        compare: of voltage and threshold, of `COMPARISONS`.
        reset: "value", to that of the neuron, or "subtract", by the threshold.
        current_range: of a synaptic current.
        current_overflow: of `OVERFLOWS`.
        voltage_range: of the voltage, with voltage_overflow.
        voltage_overflow: of `OVERFLOWS`.
        n_receptors: synaptic currents of a neuron.
        spikes_per_step: greatest number of spikes of a neuron in a step; with "subtract", as many
            as the threshold goes into the voltage.
        floor: whether neurons have a `floor`; a voltage below it becomes the negative of the reset,
            or, with "subtract", less by the floor.
        merges_spikes: whether several spikes of an axon in a step are one.
    """

    order: tuple[str, ...]
    decay: str
    decay_bits: int
    current_decay_offset: int
    compare: str
    reset: str
    current_range: tuple[int, int]
    current_overflow: str
    voltage_range: tuple[int, int]
    voltage_overflow: str
    n_receptors: int
    spikes_per_step: int = 1
    floor: bool = False
    merges_spikes: bool = False

    def __post_init__(self) -> None:
        for name, choices in (
            ("decay", DECAYS),
            ("compare", COMPARISONS),
            ("reset", RESETS),
            ("current_overflow", OVERFLOWS),
            ("voltage_overflow", OVERFLOWS),
        ):
            value = getattr(self, name)
            if value not in choices:
                raise ValueError(f"{name} = {value!r}: must be one of {', '.join(choices)}")
        kinds = STEPS, RELAXATION, EVENT_STEPS
        if sorted(self.order) not in [sorted(kind) for kind in kinds]:
            either = " or ".join(f"({', '.join(kind)})" for kind in kinds)
            raise ValueError(f"order = {self.order}: must hold each of {either} once")
        if self.by_event and self.reset != "value":
            raise ValueError(f"reset = {self.reset!r}: must be 'value' where spikes act by event")

    @property
    def relaxes(self) -> bool:
        """Whether neurons do the operations of `RELAXATION`."""
        return "relax_voltage" in self.order

    @property
    def by_event(self) -> bool:
        """Whether spikes act one after the other."""
        return "take_events" in self.order

    @property
    def decays_input(self) -> bool:
        """Whether input decays before it first acts."""
        if self.by_event:
            return False
        return self.order.index("add_input") < self.order.index("decay_current")

    def amount(self, registers: Any, offset: int = 0) -> NDArray[np.float64]:
        """Share that registers of a decay take away in a step."""
        values = np.asarray(registers, float)
        if self.decay == "shifting":
            return np.asarray(np.exp2(-values))
        return np.asarray((values + offset) / (1 << self.decay_bits))

    def decay_register(self, amount: Any, offset: int = 0) -> Integers:
        """The registers nearest to these amounts."""
        amount = np.asarray(amount, float)
        if self.decay == "shifting":
            with np.errstate(divide="ignore"):
                nearest = np.rint(-np.log2(amount))
            return np.asarray(np.clip(nearest, 1, (1 << self.decay_bits) - 1)).astype(np.int64)
        one = 1 << self.decay_bits
        register = np.rint(amount * one).astype(np.int64) - offset
        return np.asarray(np.clip(register, 0, one - 1))

    def to_json(self) -> dict[str, Any]:
        """For the manifest; without what is false."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
            if value is not False
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Semantics:
        """The semantics that `to_json` described."""
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in data.items()
        }
        return cls(**values)
