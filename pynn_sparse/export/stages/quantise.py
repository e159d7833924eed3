"""From floating-point to integers: scales, weights, registers, and how much that lost."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ExportError
from ..hardware import Numbers
from ..models.dynamics import RECEPTORS, Dynamics, dynamics
from ..models.registers import RegisterError
from ..nets.fixednet import Axons, FixedNet, Formats
from ..nets.floatnet import Connections, FloatNet
from ..nets.losses import Loss, Weights, loss_of
from ..nets.number_formats import Quantise
from ..target import Target
from .held import held
from .share import check_unshared, shared

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Quantised:
    """Integers with what they stand for.

    Attributes:
        fixed: the integers.
        scale: integer units of a mV, float64 [N].
        origin: for each synapse of `fixed`, its number in the concatenated projections.
        losses: of each projection.
        registers: of each population of neurons.
    """

    fixed: FixedNet
    scale: Floats
    origin: Integers
    losses: tuple[Loss, ...]
    registers: tuple[RegisterError, ...]


def quantise(
    net: FloatNet, rule: Quantise, target: Target, accept: Collection[str] = ()
) -> Quantised:
    """Integers of a network that `legalise` has let pass.

    Raises `ExportError` for numbers of bits that the target does not have, and `LimitsError` where
    rounding makes more different weights than a neuron can have, and sharing was not accepted.
    """
    own: Quantised | None = target.quantise(net, rule)
    return _quantised(net, rule, target, accept) if own is None else own


def rule_for(target: Target, **given: Any) -> Quantise:
    """The rule of a target's defaults, and of what is given and not None."""
    chosen = {name: value for name, value in given.items() if value is not None}
    return Quantise(**{**target.defaults, **chosen})


def _quantised(net: FloatNet, rule: Quantise, target: Target, accept: Collection[str]) -> Quantised:
    numbers = rule.numbers(target)
    given = net.connections
    limited = [replace(part, weight=rule.clipped(part.weight)) for part in given]
    net = net.with_connections(limited)
    axons = axons_of(net)
    steps = target_dynamics(net, target)
    semantics = target.semantics(_receptors_in_use(net, steps, target))
    gains, limits, model = _gains(net, steps), target.limits(), target.model
    scales = _scales(net, steps, gains, rule, numbers)
    columns = [model.columns(steps[i], scales[i], numbers, semantics) for i in _neurons(net)]
    profiles, profile = model.profiles(np.concatenate(columns), semantics)
    weights = _weights(net, gains, scales, rule, numbers)
    weights, profiles = held(net, axons, weights, profiles, profile, target, rule)
    unshared = weights
    if limits.weights_per_neuron is not None:
        weights = _shared(net, weights, limits.weights_per_neuron)
        if "weights" not in accept:
            check_unshared(net, unshared, weights, limits.weights_per_neuron, target.name)
    order = order_of(net, axons, weights, by_weight=numbers.told_by_weight)
    initial = np.concatenate([np.rint(steps[i].initial * scales[i]) for i in _neurons(net)])
    neurons = profiles, profile, initial.astype(np.int64)
    fixed = _fixed(net, axons, semantics, weights, order, *neurons, limits.hops(net), rule.signed)
    fixed = replace(fixed, minifloat=rule.minifloat)
    scale = np.concatenate([scales[i] for i in _neurons(net)])
    losses = tuple(loss_of(part, weights[i], limited[i]) for i, part in enumerate(given))
    errors = tuple(
        model.error(net.cells[i].label, steps[i], scales[i], numbers, semantics) for i in steps
    )
    return Quantised(fixed, scale, order, losses, errors)


# --- populations -----------------------------------------------------------------------------


def _neurons(net: FloatNet) -> list[int]:
    return [index for index, cells in enumerate(net.cells) if not cells.is_source]


def axons_of(net: FloatNet) -> tuple[Axons, ...]:
    """Populations of neurons, then sources, in the order of the network."""
    ordered = sorted(net.cells, key=lambda cells: cells.is_source)
    ends = np.cumsum([cells.size for cells in ordered]).tolist()
    return tuple(
        Axons(cells.label, end - cells.size, cells.size, cells.is_source)
        for cells, end in zip(ordered, ends, strict=True)
    )


def target_dynamics(net: FloatNet, target: Target) -> dict[int, Dynamics]:
    """Population -> its step, with the approximations that the target needs.

    That an approximation was accepted is no reason to make it where the target can do without.
    """
    limits, semantics, steps = target.limits(), target.semantics(2), {}
    one_current = limits.receptors == 1
    for index in _neurons(net):
        own = target.dynamics(net.cells[index], net.dt)
        if own is not None:
            steps[index] = own
            continue
        step = dynamics(net.cells[index], net.dt, one_current, limits.reset_to_zero)
        if limits.jumps:
            step = step.with_jumps()
        if limits.leak != "share":
            step = step.with_constant_leak(towards_origin=limits.leak == "towards")
        refractory = np.minimum(step.refractory, limits.refractory)
        initial = np.zeros_like(step.initial) if limits.starts_at_zero else step.initial
        gain = target.model.gain(step, semantics)
        steps[index] = replace(step, refractory=refractory, gain=gain, initial=initial)
    return steps


def _receptors_in_use(net: FloatNet, steps: dict[int, Dynamics], target: Target) -> int:
    """One current is enough where both receptors' decay alike, or one has no synapses."""
    used = {part.receptor for part in net.connections if len(part)}
    alike = all((s.current_factor[:, 0] == s.current_factor[:, 1]).all() for s in steps.values())
    return 1 if alike or used <= {"excitatory"} else 2


def _gains(net: FloatNet, steps: dict[int, Dynamics]) -> list[Floats]:
    """mV per step that a weight of 1 adds, for each synapse of each projection."""
    return [
        steps[part.post].gain[part.target, RECEPTORS.index(part.receptor)]
        for part in net.connections
    ]


# --- scales ----------------------------------------------------------------------------------


def _scales(
    net: FloatNet,
    steps: dict[int, Dynamics],
    gains: list[Floats],
    rule: Quantise,
    numbers: Numbers,
) -> dict[int, Floats]:
    """Units per mV of each neuron, as large as threshold, bias and weights allow."""
    greatest = {index: np.zeros(net.cells[index].size) for index in steps}
    for part, gain in zip(net.connections, gains, strict=True):
        np.maximum.at(greatest[part.post], part.target, np.abs(part.weight) * gain)
    scales = {}
    for index, step in steps.items():
        jump = greatest[index]
        room = _room(step, rule, numbers)
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
        limits = [(bias, step.bias), (most, step.reset), (most, step.initial)]
        if numbers.greatest_leak is not None:
            limits.append((numbers.greatest_leak, step.leak))
        for limit, value in limits:
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


# --- weights ---------------------------------------------------------------------------------


def _weights(
    net: FloatNet,
    gains: list[Floats],
    scales: dict[int, Floats],
    rule: Quantise,
    numbers: Numbers,
) -> list[Weights]:
    rng = np.random.default_rng(rule.seed)
    units = [  # integer units of a weight of 1
        gain * scales[part.post][part.target]
        for part, gain in zip(net.connections, gains, strict=True)
    ]
    shifts = _shifts(net, units, rule, numbers)
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
    return result


def _shifts(net: FloatNet, units: list[Floats], rule: Quantise, numbers: Numbers) -> list[Integers]:
    """Exponents: the least at which the greatest weight of a synapse's group has a mantissa."""
    if numbers.one_exponent_for_inputs:
        groups: list[object] = [net.cells[part.pre].is_source for part in net.connections]
    else:
        groups = [_group(part, rule) for part in net.connections]
    each_neuron = rule.per == "neuron" and not numbers.one_exponent_for_inputs
    size = max(cells.size for cells in net.cells)
    greatest = {group: np.zeros(size) for group in groups}
    places = [
        part.target if each_neuron else np.zeros_like(part.target) for part in net.connections
    ]
    for part, unit, group, place in zip(net.connections, units, groups, places, strict=True):
        np.maximum.at(greatest[group], place, np.abs(part.weight * unit))
    least, most = numbers.shifts
    shifts = []
    for part, group, place in zip(net.connections, groups, places, strict=True):
        with np.errstate(divide="ignore"):
            needed = np.ceil(np.log2(greatest[group] / numbers.greatest_weight) - 1e-9)
        shift = np.maximum(needed, least)[place].astype(np.int64)
        if (shift > most).any():
            raise ExportError(
                f"{part.label}: weights need an exponent of {shift.max()}, the target has {least} "
                f"to {most}; use more weight_bits, or smaller weights"
            )
        shifts.append(shift)
    return shifts


def _shared(net: FloatNet, weights: list[Weights], most: int) -> list[Weights]:
    """Weights of which each neuron has no more than `most` different ones."""
    ends = np.cumsum([len(part) for part in net.connections])[:-1]
    offset = np.concatenate([[0], np.cumsum([cells.size for cells in net.cells])])
    neuron = joined([part.target + offset[part.post] for part in net.connections])
    values = shared(neuron, joined([each.mantissa for each in weights]), most)
    return [
        replace(each, mantissa=mantissa, value=mantissa * each.step)
        for each, mantissa in zip(weights, np.split(values, ends), strict=True)
    ]


def _group(part: Connections, rule: Quantise) -> object:
    if rule.per == "projection":
        return part.label
    if rule.per == "network":
        return "network"
    return (part.post, part.receptor) if rule.per == "receptor" else part.post


# --- all together ----------------------------------------------------------------------------


def order_of(
    net: FloatNet,
    axons: tuple[Axons, ...],
    weights: list[Weights],
    zeros: bool = False,
    by_weight: bool = False,
) -> Integers:
    """Numbers of the synapses that are kept, by axon, then target, delay and projection.

    Those whose mantissa is 0 are, too, with `zeros`; with `by_weight`, the mantissa comes before
    the projection.
    """
    first = {each.label: each.first for each in axons}
    parts = net.connections
    nonzero = [(each.mantissa != 0) | zeros for each in weights]
    kept = np.concatenate([np.zeros(0, bool), *nonzero])
    source = joined([part.source + first[net.cells[part.pre].label] for part in parts])
    target = joined([part.target + first[net.cells[part.post].label] for part in parts])
    delay = joined([part.delay for part in parts])
    mantissa = joined([each.mantissa for each in weights])
    order = np.lexsort((mantissa if by_weight else np.zeros_like(delay), delay, target, source))
    return np.asarray(order[kept[order]])


def joined(parts: list[Integers]) -> Integers:
    """All parts, one after the other."""
    return np.concatenate([np.zeros(0, np.int64), *parts])


def _fixed(
    net: FloatNet,
    axons: tuple[Axons, ...],
    semantics: Any,
    weights: list[Weights],
    order: Integers,
    profiles: Any,
    profile: Integers,
    initial: Integers,
    target_hops: list[Integers],
    with_sign: bool,
) -> FixedNet:
    first = {each.label: each.first for each in axons}
    parts, labels = net.connections, [cells.label for cells in net.cells]
    signed = joined([each.mantissa for each in weights])[order]
    receptor = joined(
        [
            np.full(len(part), min(RECEPTORS.index(part.receptor), semantics.n_receptors - 1))
            for part in parts
        ]
    )[order]
    shift = joined([each.shift for each in weights])[order]
    source = joined([part.source + first[labels[part.pre]] for part in parts])[order]
    hop = joined(target_hops)[order]
    formats, which, mantissa = _formats(receptor, shift, signed, with_sign)
    counts = np.bincount(source, minlength=sum(each.size for each in axons))
    return FixedNet(
        semantics,
        axons,
        profiles,
        profile,
        initial,
        formats,
        np.concatenate([np.zeros(1, np.int64), np.cumsum(counts, dtype=np.int64)]),
        joined([part.target + first[labels[part.post]] for part in parts])[order],
        mantissa,
        hop,
        which,
    )


def _formats(
    receptor: Integers, shift: Integers, signed: Integers, with_sign: bool
) -> tuple[Formats, Integers, Integers]:
    """The formats that occur, that of each synapse, and the mantissas."""
    negative = np.zeros_like(shift) if with_sign else (signed < 0).astype(np.int64)
    key, which = np.unique((shift * 2 + receptor) * 2 + negative, return_inverse=True)
    if not len(key):
        key = np.zeros(1, np.int64)
    formats = Formats(key // 2 % 2, key // 4, key % 2)
    return formats, which.astype(np.int64), signed if with_sign else np.abs(signed)
