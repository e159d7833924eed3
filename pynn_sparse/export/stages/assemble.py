"""Integers in the order of tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..nets.draft import Draft
from ..nets.fixednet import Axons, FixedNet, Formats
from ..nets.floatnet import RECEPTORS, FloatNet
from ..nets.losses import Weights
from ..nets.number_formats import Quantise

Integers = NDArray[np.int64]


def axons_of(net: FloatNet) -> tuple[Axons, ...]:
    """Populations of neurons, then sources, in the order of the network."""
    ordered = sorted(net.cells, key=lambda cells: cells.is_source)
    ends = np.cumsum([cells.size for cells in ordered]).tolist()
    return tuple(
        Axons(cells.label, end - cells.size, cells.size, cells.is_source)
        for cells, end in zip(ordered, ends, strict=True)
    )


def order_of(
    net: FloatNet,
    axons: tuple[Axons, ...],
    weights: Sequence[Weights],
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


def joined(parts: Sequence[Integers]) -> Integers:
    """All parts, one after the other."""
    return np.concatenate([np.zeros(0, np.int64), *parts])


def assembled(
    draft: Draft,
    semantics: Any,
    initial: Integers,
    hops: Sequence[Integers],
    order: Integers,
    rule: Quantise,
) -> FixedNet:
    """The network in integers.

    Args:
        draft: weights and registers.
        semantics: what they mean.
        initial: voltages at the beginning, int64 [N].
        hops: of each projection's synapses.
        order: numbers of the synapses that are kept, see `order_of`.
        rule: how weights were rounded.
    """
    net, axons = draft.net, draft.axons
    first = {each.label: each.first for each in axons}
    parts = net.connections
    signed = joined([each.mantissa for each in draft.weights])[order]
    receptor = joined(
        [
            np.full(len(part), min(RECEPTORS.index(part.receptor), semantics.n_receptors - 1))
            for part in parts
        ]
    )[order]
    shift = joined([each.shift for each in draft.weights])[order]
    source = joined([part.source + first[net.cells[part.pre].label] for part in parts])[order]
    formats, which, mantissa = _formats(receptor, shift, signed, rule.signed)
    counts = np.bincount(source, minlength=sum(each.size for each in axons))
    return FixedNet(
        semantics,
        axons,
        draft.profiles,
        draft.profile,
        initial,
        formats,
        np.concatenate([np.zeros(1, np.int64), np.cumsum(counts, dtype=np.int64)]),
        draft.neuron[order],
        mantissa,
        joined(hops)[order],
        which,
        rule.minifloat,
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
