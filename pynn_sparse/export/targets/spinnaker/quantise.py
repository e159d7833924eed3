"""From a network in floats to the integers that sPyNNaker makes of it.

Nothing is chosen here: weights have 16 bits without a sign, which is their receptor's, in units of
2^shift of s16.15, with the shift of their receptor's ring buffer; registers are the parameters in
s16.15. Weights that round to 0 are kept, as sPyNNaker keeps them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import ExportError, LimitsError, Violation
from ...models.registers import RegisterError
from ...models.relaxing import BITS, UNIT
from ...models.semantics import Semantics
from ...nets.fixednet import Axons, FixedNet, Formats
from ...nets.floatnet import RECEPTORS, Cells, Connections, FloatNet
from ...nets.losses import Weights, loss_of
from ...nets.number_formats import Quantise
from ...stages.assemble import Ends, axons_of, ends_of, joined, order_of
from ...stages.quantise import Quantised
from .cells import cell_parameters, exact_parameters
from .shifts import RingBuffers, shifts_of

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

WEIGHT_BITS = 16
MOST_SHIFT = BITS  # an input of 16 bits, shifted, has 31
POISSON_PER_CORE = 500


def check_rule(rule: Quantise, target: str, choices: Mapping[str, Any]) -> None:
    """Raise `ExportError` for a choice that a target does not leave."""
    for name, has in choices.items():
        if getattr(rule, name) != has:
            raise ExportError(f"{name} = {getattr(rule, name)!r}: {target} has {has!r} only")


def quantised(
    net: FloatNet,
    rule: Quantise,
    target: str,
    choices: Mapping[str, Any],
    ring_buffers: RingBuffers,
    semantics: Semantics,
) -> Quantised:
    """The integers of a network.

    Args:
        net: the network.
        rule: what users chose of number formats.
        target: name of the chip.
        choices: fields of `Quantise` with the value that the chip has.
        ring_buffers: what the shifts of ring buffers follow from.
        semantics: the update rule.

    Raises `ExportError` for a rule that is not sPyNNaker's, and `LimitsError` for weights that do
    not fit.
    """
    check_rule(rule, target, choices)
    axons = tuple(_with_cores(each, net) for each in axons_of(net))
    shifts = shifts_of(net, ring_buffers)
    weights = [
        _weights(part, shifts.get((part.post, part.receptor), 0)) for part in net.connections
    ]
    over = [
        each
        for part, made in zip(net.connections, weights, strict=True)
        for each in _overflows(part, made)
    ]
    if over:
        raise LimitsError(target, over)
    ends = ends_of(net, axons)
    order = order_of(net, ends, weights, zeros=True)
    neurons = [cells for cells in net.cells if not cells.is_source]
    exact = [exact_parameters(cells, net.dt) for cells in neurons]
    return Quantised(
        _fixed(net, ends, semantics, axons, weights, order, exact),
        np.full(sum(cells.size for cells in neurons), float(UNIT)),
        order,
        tuple(loss_of(part, made) for part, made in zip(net.connections, weights, strict=True)),
        tuple(_error(cells, each) for cells, each in zip(neurons, exact, strict=True)),
    )


def _with_cores(axons: Axons, net: FloatNet) -> Axons:
    """Poisson sources share a core by 500, all cells of a SpikeSourceArray are on one."""
    models = {cells.label: cells.model for cells in net.cells}
    poisson = models[axons.label] == "SpikeSourcePoisson"
    return replace(axons, per_core=POISSON_PER_CORE) if poisson else axons


def _weights(part: Connections, shift: int) -> Weights:
    step = math.ldexp(1.0, shift - BITS)
    magnitude = np.rint(np.abs(part.weight) / step).astype(np.int64)
    n = len(part)
    value = np.where(part.receptor == RECEPTORS[1], -magnitude, magnitude) * step
    return Weights(magnitude, np.full(n, shift), np.full(n, step), value)


def _overflows(part: Connections, made: Weights) -> list[Violation]:
    limit = (1 << WEIGHT_BITS) - 1
    many = int((made.mantissa > limit).sum())
    found = []
    if many:
        what = f"{many} weights up to {np.abs(part.weight).max():g} nA"
        most = f"{limit * float(made.step[0]):g} nA with the given max_expected_summed_weight"
        found.append(Violation(part.label, what, most, "raise max_expected_summed_weight"))
    if len(part) and made.shift[0] > MOST_SHIFT:
        what = f"a shift of {made.shift[0]} of the ring buffer"
        remedy = "make weights smaller, and cm with them"
        found.append(Violation(part.label, what, f"{MOST_SHIFT}", remedy))
    return found


def _fixed(
    net: FloatNet,
    ends: Ends,
    semantics: Semantics,
    axons: tuple[Axons, ...],
    weights: list[Weights],
    order: Integers,
    exact: list[dict[str, Floats]],
) -> FixedNet:
    parts = net.connections
    some = [index for index, part in enumerate(parts) if len(part)]
    number = {index: position for position, index in enumerate(some)}
    receptor = np.array([RECEPTORS.index(parts[index].receptor) for index in some], np.int64)
    shift = np.array([weights[index].shift[0] for index in some], np.int64)
    counts = np.bincount(ends.source, minlength=sum(each.size for each in axons))
    profiles, profile, initial = cell_parameters(
        {
            name: np.rint(np.concatenate([each[name] for each in exact])).astype(np.int64)
            for name in exact[0]
        }
    )
    return FixedNet(
        semantics,
        axons,
        profiles,
        profile,
        initial,
        Formats(receptor, shift, (receptor == 1).astype(np.int64)),
        np.concatenate([np.zeros(1, np.int64), np.cumsum(counts, dtype=np.int64)]),
        ends.target[order],
        joined([each.mantissa for each in weights])[order],
        joined([part.delay for part in parts])[order],
        joined([np.full(len(parts[index]), number[index]) for index in some])[order],
    )


def _error(cells: Cells, exact: Mapping[str, Floats]) -> RegisterError:
    def relative(name: str) -> float:
        some = exact[name][exact[name] != 0]
        return float(np.abs(np.rint(some) / some - 1).max(initial=0.0))

    names = ("voltage_decay", "current_decay", "threshold", "bias")
    return RegisterError(cells.label, *map(relative, names))
