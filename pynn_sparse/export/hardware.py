"""What hardware has, as plain data: limits, number formats, memories, and what a network takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .models.dynamics import MODELS, hops
from .nets.floatnet import FloatNet
from .nets.layout import Layout, Limbs


@dataclass(frozen=True)
class Limits:
    """What `legalise` asks for.

    Attributes:
        receptors: synaptic currents of a neuron, 1 or 2.
        hop: greatest number of steps from a spike to the one whose input it is, or None where the
            target's own `violations` say it.
        refractory: greatest number of steps.
        reset_to_zero: whether a reset is to 0, which then has to be v_reset.
        neurons, synapses, sources: greatest numbers, or None.
        models: cell types.
        recurrent_hop: where there are no delays: the number of steps for all synapses between
            neurons; those of sources have a common one. Else None.
        powers_of_two: whether time constants are powers of two of the time step.
        subtracts: whether resets subtract the threshold, and a neuron may fire again.
        latency: steps from the arrival of a spike to the one whose input it is, where that is not
            the model's, see `dynamics.latency`.
        jumps: whether there are no currents, and input is added to the voltage.
        leak: "share" of the voltage; or a constant, "down" or "towards" the voltage's origin.
        bias: whether there is a constant input.
        weights_per_neuron: greatest number of different weights of a neuron's synapses, or None.
        by_event: whether neurons may fire at each of the spikes that arrive in a step.
        starts_at_zero: whether voltages cannot be set, and begin at 0, which is v_reset.
        timeless: whether spikes are only counted, so that delays have no meaning.
    """

    receptors: int
    hop: int | None
    refractory: int
    reset_to_zero: bool
    neurons: int | None = None
    synapses: int | None = None
    sources: int | None = None
    models: tuple[str, ...] = MODELS
    recurrent_hop: int | None = None
    powers_of_two: bool = False
    subtracts: bool = False
    latency: int | None = None
    jumps: bool = False
    leak: str = "share"
    bias: bool = True
    weights_per_neuron: int | None = None
    by_event: bool = False
    timeless: bool = False
    starts_at_zero: bool = False

    def hops(self, net: FloatNet) -> list[NDArray[np.int64]]:
        """Steps from a spike to the one whose input it is, see `dynamics.hops`."""
        return hops(net, self.recurrent_hop, self.latency, self.timeless)


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
        one_exponent_for_inputs: whether all synapses from sources have one exponent, and all
            others, too, whatever `Quantise.per` says.
        told_by_weight: whether synapses of one source, target and delay are kept in the order of
            their weights, which is all that tables tell of them.
        greatest_leak: register of a leak towards the origin, or None.
    """

    greatest_weight: int
    shifts: tuple[int, int]
    voltage_range: tuple[int, int]
    threshold_unit: int
    greatest_threshold: int
    bias_bits: int
    bias_exponents: int
    one_exponent_for_inputs: bool = False
    told_by_weight: bool = False
    greatest_leak: int | None = None


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
