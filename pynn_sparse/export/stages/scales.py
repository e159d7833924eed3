"""Integer units of a mV: as many as threshold, bias and weights allow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ..capability import Capability
from ..errors import ExportError
from ..hardware import Numbers
from ..models.dynamics import Dynamics
from ..nets.floatnet import FloatNet
from ..nets.number_formats import Quantise
from .steps import Steps

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Scales = Mapping[int, Floats]


def scales_of(
    net: FloatNet,
    steps: Steps,
    rule: Quantise,
    numbers: Numbers,
    capabilities: Sequence[Capability] = (),
) -> Scales:
    """Units per mV of each neuron, float64 [size] for the index of each population of neurons.

    Raises `ExportError` where they leave nothing of a threshold.
    """
    greatest = {index: np.zeros(net.cells[index].size) for index in steps.of}
    for part, gain in zip(net.connections, steps.gains, strict=True):
        np.maximum.at(greatest[part.post], part.target, np.abs(part.weight) * gain)
    scales = {}
    for index, step in steps.of.items():
        jump, room = greatest[index], _room(step, rule, numbers)
        for capability in capabilities:
            room = np.minimum(room, capability.room(step))
        if rule.per != "neuron":
            jump, room = np.full_like(jump, jump.max()), np.full_like(room, room.min())
        scales[index] = _scale(jump, room, rule, numbers)
        small = step.threshold * scales[index] < numbers.threshold_unit / 2
        if small.any():
            raise ExportError(
                f"{net.cells[index].label}: thresholds of {int(small.sum())} cells round to 0 "
                "beside their bias, reset, initial voltage or weights; use more bits of the "
                "voltage, or less headroom"
            )
    return scales


def _room(step: Dynamics, rule: Quantise, numbers: Numbers) -> Floats:
    """Greatest units per mV at which registers hold threshold, bias, reset and initial voltage."""
    most = numbers.voltage_range[1]
    if not most >> rule.headroom:
        raise ExportError(
            f"headroom = {rule.headroom}: leaves nothing for thresholds of a voltage up to {most}; "
            f"must be less than {most.bit_length()}"
        )
    threshold = min(most >> rule.headroom, numbers.greatest_threshold * numbers.threshold_unit)
    room = threshold / step.threshold
    bias = ((1 << numbers.bias_bits) - 1) << numbers.bias_exponents
    with np.errstate(divide="ignore"):
        for limit, value in ((bias, step.bias), (most, step.reset), (most, step.initial)):
            room = np.minimum(room, np.where(value == 0, np.inf, limit / np.abs(value)))
    return np.asarray(room, float)


def _floor(x: Floats) -> Integers:
    return np.asarray(np.floor(x)).astype(np.int64)


def _scale(jump: Floats, room: Floats, rule: Quantise, numbers: Numbers) -> Floats:
    greatest, (least_shift, most_shift) = numbers.greatest_weight, numbers.shifts
    some = jump > 0
    safe = np.where(some, jump, 1.0)
    shift = np.floor(np.log2(room * safe / greatest))
    fitting = greatest * np.exp2(np.minimum(shift, most_shift)) / safe
    # Where the least exponent is too large for that, the greatest weight is a whole mantissa.
    most = room * safe / 2.0**least_shift
    whole = rule.minifloat.rounded(most, _floor) if rule.minifloat else _floor(most)
    coarse = np.where(whole >= 1, whole * 2.0**least_shift / safe, room)
    fitting = np.where(shift >= least_shift, np.minimum(fitting, room), coarse)
    scale = np.where(some, fitting, room)
    return np.exp2(np.floor(np.log2(scale))) if rule.scale == "power_of_two" else scale
