"""From floating-point to integers: scales, weights, registers, and how much that lost."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .dynamics import RECEPTORS, Dynamics, dynamics, hops
from .errors import ExportError
from .fixednet import Axons, FixedNet, Formats
from .floatnet import Connections, FloatNet
from .held import held
from .registers import RegisterError
from .rounding import check_rounding, rounded
from .targets.target import Numbers, Target

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
SCALES = ("free", "power_of_two")
GROUPS = ("projection", "receptor", "population", "neuron")


@dataclass(frozen=True)
class Quantise:
    """How numbers become integers.

    Attributes:
        weight_bits: of a weight, 1 to 16, with the sign if `signed`.
        rounding: of weights: "nearest" (halves to even), "floor", "toward_zero", "stochastic".
        scale: "free": units of a population are such that its greatest weight is the greatest
            mantissa; "power_of_two": a power of two for each mV.
        per: synapses that share an exponent: those of a "projection", "receptor" or "population";
            or "neuron": each neuron has units of its own, too.
        signed: whether weights carry their sign; else that is one of the format, and a bit is won.
        headroom: bits of the voltage's range above the threshold, 1 to 8.
        seed: of stochastic rounding.
    """

    weight_bits: int = 8
    rounding: str = "nearest"
    scale: str = "free"
    per: str = "projection"
    signed: bool = True
    headroom: int = 2
    seed: int = 0

    def __post_init__(self) -> None:
        check_rounding(self.rounding)
        least = 2 if self.signed else 1
        if not least <= self.weight_bits <= 16:
            raise ExportError(f"weight_bits = {self.weight_bits!r}: must be {least} to 16")
        for name, choices in (("scale", SCALES), ("per", GROUPS)):
            if getattr(self, name) not in choices:
                raise ExportError(
                    f"{name} = {getattr(self, name)!r}: must be one of {', '.join(choices)}"
                )
        if not 1 <= self.headroom <= 8:
            raise ExportError(f"headroom = {self.headroom!r}: must be 1 to 8 bits")


@dataclass(frozen=True)
class Loss:
    """What quantisation did to the weights of a projection.

    Attributes:
        label: of the projection.
        synapses: before.
        zeroed: those that became 0, and are left out.
        step: of the weights, in PyNN's unit; the greatest over targets.
        largest_error, rms_error: in PyNN's unit.
        sqnr: signal to quantisation noise, dB; infinite without error.
        dead: target neurons all of whose synapses became 0.
    """

    label: str
    synapses: int
    zeroed: int
    step: float
    largest_error: float
    rms_error: float
    sqnr: float
    dead: int


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

    Raises `ExportError` for numbers of bits that the target does not have.
    """
    numbers = target.numbers(rule.weight_bits, rule.signed)
    axons = _axons(net)
    steps = target_dynamics(net, target, accept)
    semantics = target.semantics(_receptors_in_use(net, steps, target))
    gains, limits, model = _gains(net, steps), target.limits(), target.model
    scales = _scales(net, steps, gains, rule, numbers)
    columns = [model.columns(steps[i], scales[i], numbers, semantics) for i in _neurons(net)]
    profiles, profile = model.profiles(np.concatenate(columns), semantics)
    weights = _weights(net, gains, scales, rule, numbers)
    weights, profiles = held(net, axons, weights, profiles, profile, target, rule)
    order = _order(net, axons, weights)
    initial = np.concatenate([np.rint(steps[i].initial * scales[i]) for i in _neurons(net)])
    neurons = profiles, profile, initial.astype(np.int64)
    delays = hops(net, limits.recurrent_hop, limits.timeless)
    fixed = _fixed(net, axons, semantics, weights, order, *neurons, delays, rule.signed)
    scale = np.concatenate([scales[i] for i in _neurons(net)])
    losses = tuple(_loss(part, weights[i]) for i, part in enumerate(net.connections))
    errors = tuple(
        model.error(net.cells[i].label, steps[i], scales[i], numbers, semantics) for i in steps
    )
    return Quantised(fixed, scale, order, losses, errors)


# --- populations -----------------------------------------------------------------------------


def _neurons(net: FloatNet) -> list[int]:
    return [index for index, cells in enumerate(net.cells) if not cells.is_source]


def _axons(net: FloatNet) -> tuple[Axons, ...]:
    """Populations of neurons, then sources, in the order of the network."""
    ordered = sorted(net.cells, key=lambda cells: cells.is_source)
    ends = np.cumsum([cells.size for cells in ordered]).tolist()
    return tuple(
        Axons(cells.label, end - cells.size, cells.size, cells.is_source)
        for cells, end in zip(ordered, ends, strict=True)
    )


def target_dynamics(net: FloatNet, target: Target, accept: Collection[str]) -> dict[int, Dynamics]:
    """Population -> its step, with the approximations that were accepted."""
    one_current = target.limits().receptors == 1 or "tau_syn" in accept
    limits, semantics, steps = target.limits(), target.semantics(2), {}
    for index in _neurons(net):
        step = dynamics(net.cells[index], net.dt, one_current, limits.reset_to_zero)
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
    return scales


def _room(step: Dynamics, rule: Quantise, numbers: Numbers) -> Floats:
    """Greatest units per mV at which registers hold threshold, bias, reset and initial voltage."""
    most = numbers.voltage_range[1]
    threshold = min(most >> rule.headroom, numbers.greatest_threshold * numbers.threshold_unit)
    room = threshold / step.threshold
    bias = ((1 << numbers.bias_bits) - 1) << numbers.bias_exponents
    with np.errstate(divide="ignore"):
        for limit, value in ((bias, step.bias), (most, step.reset), (most, step.initial)):
            room = np.minimum(room, np.where(value == 0, np.inf, limit / np.abs(value)))
    return np.asarray(room, float)


def _scale(jump: Floats, room: Floats, rule: Quantise, numbers: Numbers) -> Floats:
    greatest, (least_shift, most_shift) = numbers.greatest_weight, numbers.shifts
    some = jump > 0
    safe = np.where(some, jump, 1.0)
    shift = np.floor(np.log2(room * safe / greatest))
    fitting = greatest * np.exp2(np.minimum(shift, most_shift)) / safe
    # Where the least exponent is too large for that, the greatest weight is a whole mantissa.
    whole = np.floor(room * safe / 2.0**least_shift)
    coarse = np.where(whole >= 1, whole * 2.0**least_shift / safe, room)
    fitting = np.where(shift >= least_shift, np.minimum(fitting, room), coarse)
    scale = np.where(some, fitting, room)
    return np.exp2(np.floor(np.log2(scale))) if rule.scale == "power_of_two" else scale


# --- weights ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Weights:
    """Integers of a projection; `step` and `value` are in PyNN's unit, [n]."""

    mantissa: Integers
    shift: Integers
    step: Floats
    value: Floats


def _weights(
    net: FloatNet,
    gains: list[Floats],
    scales: dict[int, Floats],
    rule: Quantise,
    numbers: Numbers,
) -> list[_Weights]:
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
            rounded(magnitude, rule.rounding, rng),
            -numbers.greatest_weight,
            numbers.greatest_weight,
        )
        signed = mantissa if rule.signed else np.where(scaled < 0, -mantissa, mantissa)
        result.append(_Weights(signed, shift, step, signed * step))
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


def _group(part: Connections, rule: Quantise) -> object:
    if rule.per == "projection":
        return part.label
    return (part.post, part.receptor) if rule.per == "receptor" else part.post


def _loss(part: Connections, weights: _Weights) -> Loss:
    n = len(part)
    if not n:
        return Loss(part.label, 0, 0, 0.0, 0.0, 0.0, np.inf, 0)
    error = weights.value - part.weight
    noise, signal = float(np.mean(error**2)), float(np.mean(part.weight**2))
    lives = np.bincount(part.target, weights.mantissa != 0)
    connected = np.bincount(part.target)
    return Loss(
        part.label,
        n,
        int((weights.mantissa == 0).sum()),
        float(weights.step.max()),
        float(np.abs(error).max()),
        float(np.sqrt(noise)),
        float(10 * np.log10(signal / noise)) if noise and signal else np.inf,
        int(((connected > 0) & (lives == 0)).sum()),
    )


# --- all together ----------------------------------------------------------------------------


def _order(net: FloatNet, axons: tuple[Axons, ...], weights: list[_Weights]) -> Integers:
    """Numbers of the synapses that are kept, by axon, then target, delay and projection."""
    first = {each.label: each.first for each in axons}
    parts = net.connections
    kept = np.concatenate([np.zeros(0, bool), *(each.mantissa != 0 for each in weights)])
    source = _joined([part.source + first[net.cells[part.pre].label] for part in parts])
    target = _joined([part.target + first[net.cells[part.post].label] for part in parts])
    delay = _joined([part.delay for part in parts])
    order = np.lexsort((delay, target, source))
    return np.asarray(order[kept[order]])


def _joined(parts: list[Integers]) -> Integers:
    return np.concatenate([np.zeros(0, np.int64), *parts])


def _fixed(
    net: FloatNet,
    axons: tuple[Axons, ...],
    semantics: Any,
    weights: list[_Weights],
    order: Integers,
    profiles: Any,
    profile: Integers,
    initial: Integers,
    target_hops: list[Integers],
    with_sign: bool,
) -> FixedNet:
    first = {each.label: each.first for each in axons}
    parts, labels = net.connections, [cells.label for cells in net.cells]
    signed = _joined([each.mantissa for each in weights])[order]
    receptor = _joined(
        [
            np.full(len(part), min(RECEPTORS.index(part.receptor), semantics.n_receptors - 1))
            for part in parts
        ]
    )[order]
    shift = _joined([each.shift for each in weights])[order]
    source = _joined([part.source + first[labels[part.pre]] for part in parts])[order]
    hop = _joined(target_hops)[order]
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
        _joined([part.target + first[labels[part.post]] for part in parts])[order],
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
