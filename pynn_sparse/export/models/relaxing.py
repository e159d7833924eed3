"""Neurons in s16.15, the `accum` of ISO/IEC TR 18037, as SpiNNaker's programs compute them.

Registers are PyNN's parameters; when it starts, the chip makes factors of them. Then, in each step,
with receptors 0 (excitatory) and 1 (inhibitory), whose inputs both are sums of magnitudes::

    input_r <- min(input_r, limit_r)                the ring buffer has 16 bits
    I_r     <- I_r + floor(input_r * gain_r / 2^32)
    a       <- round((I_0 - I_1 + bias) * R / 2^15) + rest
    v       <- a - round(factor * (a - v) / 2^15)   unless refractory
    v >= threshold: spike, v <- reset, refractory
    I_r     <- floor(I_r * decay_r / 2^32)

round is half up, and saturates at 32 bits. Read in sPyNNaker's `neuron_model_lif_impl.h`,
`exp_synapse_utils.h`, `decay.h` and `synapses.c`, and spinn_common's `stdfix-full-iso.h` and
`stdfix-exp.c`. There, the exponential is a series; it may differ from the one here in the last bit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..nets.fixednet import CellParameters, FixedNet
from .stepping import Stepping

Integers = NDArray[np.int64]
BITS = 15
UNIT = 1 << BITS
RANGE = (-(1 << 31), (1 << 31) - 1)
FRACTION_BITS = 32
RING_MOST = (1 << 16) - 1


@dataclass(frozen=True)
class Relaxation:
    """Factors that the chip makes when it starts.

    Attributes:
        factor: of the distance from the potential that is approached, int64 [N], in 2^-15.
        resistance: MOhm in s16.15, int64 [N].
        rest, bias: mV and nA in s16.15, int64 [N].
        gain: of input, int64 [N, 2], in 2^-32.
        current_decay: what a current loses in a step, int64 [N, 2], in 2^-32.
        limit: greatest input, int64 [N, 2], in s16.15.
        refractory: steps, int64 [N].
    """

    factor: Integers
    resistance: Integers
    rest: Integers
    bias: Integers
    gain: Integers
    current_decay: Integers
    limit: Integers
    refractory: Integers


def divided(a: int, b: int) -> int:
    """The quotient of two numbers in s16.15 that are not negative, rounded down."""
    return (a << BITS) // b


def multiplied(a: Integers, b: Integers) -> Integers:
    """The product of numbers in s16.15, rounded to nearest, halves up."""
    return np.asarray(np.clip((a * b + (UNIT >> 1)) >> BITS, *RANGE))


def exponential(x: int, bits: int) -> int:
    """exp(-x) of a number in s16.15 that is not negative, with `bits` fraction bits, truncated."""
    return math.floor(math.exp(-x / UNIT) * (1 << bits))


def membrane_factors(time_step: int, tau_m: int, capacitance: int) -> tuple[int, int]:
    """The factor of a step and the resistance, both in s16.15."""
    return exponential(divided(time_step, tau_m), BITS), divided(tau_m, capacitance)


def synapse_factors(time_step: int, tau: int) -> tuple[int, int]:
    """The decay of a current and the gain of input, both with 32 fraction bits.

    An input spreads over its step as tau / dt (1 - exp(-dt / tau)), its mean during the step.
    """
    most = (1 << FRACTION_BITS) - 1
    decay = min(exponential(divided(time_step, tau), FRACTION_BITS), most)
    return decay, (divided(tau, time_step) * (most - decay) >> BITS) & most


def refractory_steps(time_step: int, tau_refrac: int) -> int:
    """Steps of a refractory period: the next whole number."""
    return -(-divided(tau_refrac, time_step) >> BITS)


def relaxation(net: FixedNet) -> Relaxation:
    """The factors of all neurons of a network whose registers are `CellParameters`."""
    registers, profile = net.profiles, net.profile
    assert isinstance(registers, CellParameters)
    steps = registers.time_step.tolist()
    membrane = [
        membrane_factors(*each)
        for each in zip(
            steps, registers.voltage_decay.tolist(), registers.capacitance.tolist(), strict=True
        )
    ]
    synapse = [
        [synapse_factors(step, tau) for tau in taus]
        for step, taus in zip(steps, registers.current_decay.tolist(), strict=True)
    ]
    waiting = map(refractory_steps, steps, registers.refractory.tolist())
    factor, resistance = np.array(membrane, np.int64).reshape(-1, 2)[profile].T
    decay, gain = np.moveaxis(np.array(synapse, np.int64).reshape(-1, 2, 2)[profile], 2, 0)
    return Relaxation(
        factor,
        resistance,
        registers.rest[profile],
        registers.bias[profile],
        gain,
        (1 << FRACTION_BITS) - decay,
        _limit(net),
        np.array(list(waiting), np.int64)[profile],
    )


def _limit(net: FixedNet) -> Integers:
    """The fullest ring buffer, shifted as the synapses of a receptor are."""
    shift = np.zeros((net.n_neurons, 2), np.int64)
    receiver = net.target, net.formats.receptor[net.format]
    np.maximum.at(shift, receiver, net.formats.shift[net.format])
    return np.asarray(RING_MOST << shift)


@dataclass
class Relaxing(Stepping):
    """Neurons that relax, with the operations of `RELAXATION`."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.relaxation = relaxation(self.net)
        self.current_decay = self.relaxation.current_decay
        self.refractory = self.relaxation.refractory

    def _saturate_input(self) -> None:
        magnitude = np.abs(self.input)
        self.input = np.minimum(magnitude, self.relaxation.limit)
        out = self.input != magnitude
        if out.any():
            self._left("input", magnitude / self.relaxation.limit, out)

    def _scale_input(self) -> None:
        self.input = (self.input * self.relaxation.gain) >> FRACTION_BITS

    def _relax_voltage(self) -> None:
        by = self.relaxation
        current = self._limited("current", self.current[:, 0] - self.current[:, 1] + by.bias)
        goal = multiplied(current, by.resistance) + by.rest
        relaxed = goal - multiplied(by.factor, goal - self.voltage)
        self.next = self._limited("voltage", np.where(self.free, relaxed, self.voltage))
