"""Integers in the order of tables."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Ends:
    """Axon and neuron of each synapse of the concatenated projections, int64 [n] each."""

    source: Integers
    target: Integers


def ends_of(net: FloatNet, axons: tuple[Axons, ...]) -> Ends:
    """Where the synapses of a network lead from and to, in the index space of its axons."""
    first = {each.label: each.first for each in axons}
    parts, cells = net.connections, net.cells
    return Ends(
        joined([part.source + first[cells[part.pre].label] for part in parts]),
        joined([part.target + first[cells[part.post].label] for part in parts]),
    )


def order_of(
    net: FloatNet,
    ends: Ends,
    weights: Sequence[Weights],
    zeros: bool = False,
    by_weight: bool = False,
) -> Integers:
    """Numbers of the synapses that are kept, by axon, then target, delay and projection.

    Those whose mantissa is 0 are, too, with `zeros`; with `by_weight`, the mantissa comes before
    the projection.
    """
    keys = [ends.source, ends.target, joined([part.delay for part in net.connections])]
    mantissa = joined([each.mantissa for each in weights])
    order = sorted_by([*keys, mantissa] if by_weight else keys)
    kept = mantissa != 0
    return order if zeros or kept.all() else np.asarray(order[kept[order]])


def sorted_by(keys: Sequence[Integers]) -> Integers:
    """The order by the first key, then the next ones; of equal rows the first comes first.

    All keys together are one number, where 63 bits hold it: a stable sort of numbers goes through
    runs that are in order, as rows of a projection are, in linear time.
    """
    spans = [(int(key.min(initial=0)), int(key.max(initial=0))) for key in keys]
    if math.prod(most - least + 1 for least, most in spans) >= 1 << 63:
        return np.lexsort(tuple(reversed(keys)))
    number = np.zeros(len(keys[0]), np.int64)
    for key, (least, most) in zip(keys, spans, strict=True):
        number *= most - least + 1
        number += key
        number -= least
    if (number[1:] >= number[:-1]).all():
        return np.arange(len(number))
    return np.argsort(number, kind="stable")


def joined(parts: Sequence[Integers]) -> Integers:
    """All parts, one after the other."""
    return parts[0] if len(parts) == 1 else np.concatenate([np.zeros(0, np.int64), *parts])


def assembled(
    draft: Draft,
    ends: Ends,
    semantics: Any,
    initial: Integers,
    hops: Sequence[Integers],
    order: Integers,
    rule: Quantise,
) -> FixedNet:
    """The network in integers.

    Args:
        draft: weights and registers.
        ends: of its synapses.
        semantics: what they mean.
        initial: voltages at the beginning, int64 [N].
        hops: of each projection's synapses.
        order: numbers of the synapses that are kept, see `order_of`.
        rule: how weights were rounded.
    """
    signed = joined([each.mantissa for each in draft.weights])[order]
    last = semantics.n_receptors - 1
    kinds = [
        each.shift * 2 + min(RECEPTORS.index(part.receptor), last)
        for part, each in zip(draft.net.connections, draft.weights, strict=True)
    ]
    formats, which, mantissa = _formats(joined(kinds)[order], signed, rule.signed)
    whole = len(order) == len(ends.source)
    counts = np.bincount(
        ends.source if whole else ends.source[order],
        minlength=sum(each.size for each in draft.axons),
    )
    return FixedNet(
        semantics,
        draft.axons,
        draft.profiles,
        draft.profile,
        initial,
        formats,
        np.concatenate([np.zeros(1, np.int64), np.cumsum(counts, dtype=np.int64)]),
        ends.target[order],
        mantissa,
        joined(hops)[order],
        which,
        rule.minifloat,
    )


def _formats(
    kind: Integers, signed: Integers, with_sign: bool
) -> tuple[Formats, Integers, Integers]:
    """The formats that occur, that of each synapse, and the mantissas.

    Args:
        kind: of each synapse, twice its shift and its receptor.
        signed: mantissas.
        with_sign: whether these carry their sign.
    """
    code = kind * 2
    if not with_sign:
        code += signed < 0
    key, which = _kinds(code)
    if not len(key):
        key = np.zeros(1, np.int64)
    formats = Formats(key // 2 % 2, key // 4, key % 2)
    return formats, which, signed if with_sign else np.abs(signed)


def _kinds(code: Integers) -> tuple[Integers, Integers]:
    """The few small numbers that occur, in ascending order, and which each one is."""
    there = np.bincount(code) > 0
    return np.flatnonzero(there), (np.cumsum(there) - 1)[code]
