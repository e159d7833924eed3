"""All stages, one after the other: from a network to tables."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from .errors import ExportError, LimitsError
from .hardware import Memory, Placement
from .nets.fixednet import FixedNet
from .nets.floatnet import FloatNet
from .nets.layout import LayoutError
from .nets.number_formats import MOST_HEADROOM, Quantise
from .registry import find
from .spikes import BlockOrBlocks, check_duration, duration_of, spikes_of, stimulus_of
from .stages.capture import capture
from .stages.legalise import approximations, check_accept, legalise
from .stages.prune import Prune, check_prune
from .stages.prune import prune as without_pruned
from .stages.quantise import quantise as quantised
from .stages.resample import resample
from .stages.rules import check_rule, numbers_for, rule_for
from .tables import Tables
from .target import Target, returned
from .verification.ranges import SATURATION, bits_lacking, can_saturate, more_headroom


def place(fixed: FixedNet, rule: Quantise, target: Target) -> Placement:
    """The stage that maps neurons to cores, and counts what that takes.

    Args:
        fixed: the integers, from `quantise`.
        rule: by which they were made.
        target: the hardware.

    Raises `LimitsError` where the network does not fit.
    """
    placement = target.place(fixed, rule.weight_bits, rule.signed)
    return returned(target, "place", placement, Placement)


def pack(fixed: FixedNet, rule: Quantise, target: Target) -> dict[str, Memory]:
    """The stage that makes words of integers: tables by name. Arguments are those of `place`."""
    memories = target.pack(fixed, rule.weight_bits, rule.signed)
    return returned(target, "pack", memories, dict)


def _with_later(
    error: LimitsError, net: FloatNet, prune: Prune | None, rule: Quantise, target: Target
) -> LimitsError:
    """The error with the limits that later stages would find if all that may be accepted were."""
    if any(violation.stops for violation in error.violations):
        return error
    try:
        kept, _ = without_pruned(net, prune)
        made = quantised(kept, rule, target, tuple(approximations(target)))
        place(made.fixed, rule, target)
    except LimitsError as later:
        new = [each for each in later.violations if each not in error.violations]
        return LimitsError(target.name, [*error.violations, *new])
    except (ExportError, LayoutError):  # numbers that only a broken limit makes impossible
        return error
    return error


def lower(
    source: Any,
    target: str | Target,
    prune: Prune | None = None,
    quantise: Quantise | None = None,
    accept: Collection[str] = (),
    timestep: float | None = None,
    against: BlockOrBlocks | None = None,
    duration: float | None = None,
) -> Tables:
    """Make the tables of a network.

    Args:
        source: the module `pyNN.sparse`, a list of its projections, or what `capture` made.
        target: name, or a target with options.
        prune: which synapses to remove; None for none.
        quantise: number formats; None for weights of 8 bits, or those that the target has.
        accept: approximations that are allowed, see `APPROXIMATIONS`.
        timestep: of the target, ms, if it is not that of the simulation.
        against: what was recorded, see `verify`. Then the headroom of `quantise` is the least:
            where values of the integer model leave their range on this input, there is as much more
            as that takes, if the target's `chooses_headroom`.
        duration: ms, of that run; by default that of the recording.

    Raises `ExportError` for an unknown target or bits that it does not have, and `LimitsError`
    with all limits that the network breaks.
    """
    hardware = find(target)
    check_prune("prune", prune)
    check_rule("quantise", quantise)
    check_accept(accept, hardware)
    if against is not None:
        spikes_of(against, "against")
    if duration is not None:
        check_duration(duration)
    rule = quantise or rule_for(hardware)
    net = source if isinstance(source, FloatNet) else capture(source)
    numbers_for(rule, hardware)
    if timestep is not None:
        net = resample(net, timestep)
    tables = _lowered(net, hardware, prune, rule, accept)
    if against is None or not hardware.chooses_headroom:
        return tables
    length = duration_of(against) if duration is None else duration
    spikes = stimulus_of(tables.frame.axons, against, None)
    while lacking := _lacking(tables, length, spikes):
        headroom = min(tables.rule.headroom + lacking, MOST_HEADROOM)
        if headroom == tables.rule.headroom:
            break  # `verify` says what else there is
        try:
            tables = _lowered(net, hardware, prune, replace(rule, headroom=headroom), accept)
        except ExportError:  # thresholds that so much headroom leaves nothing of
            break
    return tables


def _lacking(tables: Tables, duration: float, spikes: BlockOrBlocks | None) -> int:
    """Bits of headroom that a run would have to have more."""
    steps, events = tables.steps(duration), tables.events(spikes)
    trace = tables.target.model.run(tables.fixed, steps, events)
    if SATURATION in tables.accept and can_saturate(tables, trace):
        return 0
    return more_headroom(bits_lacking(tables, trace, steps, events))


def _lowered(
    net: FloatNet, hardware: Target, prune: Prune | None, rule: Quantise, accept: Collection[str]
) -> Tables:
    try:
        legalise(net, hardware, accept)
        kept, pruned = without_pruned(net, prune)
        made = quantised(kept, rule, hardware, accept)
        placement = place(made.fixed, rule, hardware)  # what does not fit is no matter for packing
    except LimitsError as error:
        raise _with_later(error, net, prune, rule, hardware) from None
    memories = pack(made.fixed, rule, hardware)
    return Tables(
        hardware,
        kept,
        rule,
        tuple(sorted(accept)),
        prune.describe() if prune else "none",
        tuple(pruned),
        made.losses,
        made.registers,
        made.fixed.frame,
        memories,
        made.scale,
        made.origin,
        placement,
    )
