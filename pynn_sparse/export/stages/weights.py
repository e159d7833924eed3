"""Weights become mantissas with exponents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..capability import Capability
from ..errors import ExportError
from ..hardware import Numbers
from ..nets.floatnet import Connections, FloatNet
from ..nets.losses import Weights
from ..nets.number_formats import Quantise
from .scales import Scales
from .steps import Steps

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def limited(net: FloatNet, rule: Quantise) -> FloatNet:
    """The network with the greatest weights of each projection limited, see `Quantise.clip`."""
    parts = net.connections
    return net.with_connections([replace(part, weight=rule.clipped(part.weight)) for part in parts])


def weights_of(
    net: FloatNet,
    steps: Steps,
    scales: Scales,
    rule: Quantise,
    numbers: Numbers,
    capabilities: Sequence[Capability] = (),
) -> tuple[Weights, ...]:
    """The rounded weights of each projection.

    Raises `ExportError` where they need an exponent that the target does not have.
    """
    rng = np.random.default_rng(rule.seed)
    units = [  # integer units of a weight of 1
        gain * scales[part.post][part.target]
        for part, gain in zip(net.connections, steps.gains, strict=True)
    ]
    shifts = _shifts(net, units, rule, numbers, capabilities)
    result = []
    for part, unit, shift in zip(net.connections, units, shifts, strict=True):
        step = np.exp2(shift) / unit
        scaled = part.weight / step
        magnitude = scaled if rule.signed else np.abs(scaled)
        # With "floor", the most negative weight may lie below the range, by rounding errors.
        mantissa = np.clip(
            rule.rounded(magnitude, rng),
            -numbers.greatest_weight,
            numbers.greatest_weight,
        )
        signed = mantissa if rule.signed else np.where(scaled < 0, -mantissa, mantissa)
        result.append(Weights(signed, shift, step, signed * step))
    return tuple(result)


def _shifts(
    net: FloatNet,
    units: list[Floats],
    rule: Quantise,
    numbers: Numbers,
    capabilities: Sequence[Capability],
) -> list[Integers]:
    """Exponents: the least at which the greatest weight of a synapse's group has a mantissa."""
    groups, of_neuron = _groups(net, rule, capabilities)
    size = max(cells.size for cells in net.cells) if of_neuron else 1
    greatest = {group: np.zeros(size) for group in groups}
    for part, unit, group in zip(net.connections, units, groups, strict=True):
        charge = np.abs(part.weight * unit)
        if of_neuron:
            np.maximum.at(greatest[group], part.target, charge)
        else:
            greatest[group] = np.maximum(greatest[group], charge.max(initial=0.0))
    least, most = numbers.shifts
    shifts = []
    for part, group in zip(net.connections, groups, strict=True):
        with np.errstate(divide="ignore"):
            needed = np.ceil(np.log2(greatest[group] / numbers.greatest_weight) - 1e-9)
        of_group = np.maximum(needed, least).astype(np.int64)
        shift = of_group[part.target] if of_neuron else np.broadcast_to(of_group, len(part))
        if (shift > most).any():
            raise ExportError(
                f"{part.label}: weights need an exponent of {shift.max()}, the target has {least} "
                f"to {most}; use more weight_bits, or smaller weights"
            )
        shifts.append(shift)
    return shifts


def _groups(
    net: FloatNet, rule: Quantise, capabilities: Sequence[Capability]
) -> tuple[list[object], bool]:
    """Of each projection, a key of those that share an exponent; whether each neuron has its own.

    What a capability says comes before what users choose.
    """
    for capability in capabilities:
        groups = capability.exponent_groups(net)
        if groups is not None:
            return groups, False
    return [_group(part, rule) for part in net.connections], rule.per == "neuron"


def _group(part: Connections, rule: Quantise) -> object:
    if rule.per == "projection":
        return part.label
    if rule.per == "network":
        return "network"
    return (part.post, part.receptor) if rule.per == "receptor" else part.post
