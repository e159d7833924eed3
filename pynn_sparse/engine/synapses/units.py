"""Accumulators of synaptic input: their places and their units."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...network import Block, SynapseTable
from ..building.drawn_rows import bound_exponent
from .survey import survey_of
from .whole import Whole, Wholes

# Accumulators are 64-bit integers. A unit is chosen so that the most that one step can bring, and
# what is in flight, stay below 2^52; while inputs are in flight it is kept as long as they stay
# between 2^44 and 2^61, so that sums can neither overflow nor lose digits that matter.
BITS = 52
BITS_AT_LEAST = 44
BITS_AT_MOST = 61


GRANULE = 8  # as kGranule in cuda/core/plan.h


class Ports:
    """Where the input of each neuron and receptor is summed up.

    Port of (receptor r, neuron i of a block) = first[block] + r * stride[block] + i. Those of a
    block at a receptor begin with a granule of their own; between them are ports of no neuron.
    """

    def __init__(self, blocks: list[Block]) -> None:
        self._blocks = list(blocks)
        self.stride = [-(-block.size // GRANULE) * GRANULE for block in blocks]
        receptors = [len(block.model.receptors) for block in blocks]
        counts = [each * n for each, n in zip(self.stride, receptors, strict=True)]
        *self.first, self.count = map(int, np.cumsum([0, *counts], dtype=np.int64))

    def of_table(self, table: SynapseTable) -> int:
        """Port of the first target of a table."""
        block = table.post
        receptor = block.model.receptors.index(table.receptor)
        return self.first[block.index] + receptor * self.stride[block.index]

    def parts(self, number: int, own: slice) -> list[slice]:
        """Ports of some neurons of a block, by its place in the network, for each receptor."""
        first, stride = self.first[number], self.stride[number]
        return [
            slice(first + r * stride + own.start, first + r * stride + own.stop)
            for r in range(len(self._blocks[number].model.receptors))
        ]

    def of_neurons(self) -> NDArray[np.int64]:
        """The ports of neurons, by block, receptor and neuron."""
        parts = [np.zeros(0, np.int64)]
        for block, first, stride in zip(self._blocks, self.first, self.stride, strict=True):
            receptor = first + stride * np.arange(len(block.model.receptors))
            parts.append((receptor[:, np.newaxis] + np.arange(block.size)).ravel())
        return np.concatenate(parts)


def input_bound(
    tables: list[SynapseTable], wholes: Wholes, ports: Ports, owned: list[slice], threads: int
) -> NDArray[np.float64]:
    """Upper bound of the weight that one step can add to each port of this process's neurons.

    What synapses of a table bring is rounded up to whole counts, so that their sum does not depend
    on their order. `owned` are this process's neurons of each block.
    """
    bound = np.zeros(ports.count)
    for table in tables:
        most = most_spikes(table.pre, table.first_source, table.n_source)
        port, own = ports.of_table(table), owned[table.post.index]
        found = _bound_of_table(table, wholes.of(table), most, threads)
        bound[port + own.start : port + own.stop] += found[own]
    return bound


def most_spikes(pre: Block, first: int, n: int) -> NDArray[np.float64]:
    """What each of n sources of a block emits in a step at most, from source `first` on."""
    most = np.asarray(pre.model.most_spikes(pre.parameters, pre.grid), np.float64)
    return np.ascontiguousarray(np.broadcast_to(most, (pre.size,))[first : first + n])


def _bound_of_table(
    table: SynapseTable, whole: Whole, most: NDArray[np.float64], threads: int
) -> NDArray[np.float64]:
    """The same for the targets of a table, [n], where sources emit at most `most` spikes."""
    survey, factor = survey_of(table, threads), whole.factor
    common = survey.greatest_weight if table.is_common("weight") else 0.0
    least = max(common, whole.learned)
    greatest = max(whole.greatest_weight, least) * (factor * float(most.max(initial=0)))
    if not greatest:
        return np.zeros(table.post.size)
    # All counts together stay below 2^62.
    exponent = bound_exponent(whole.count, greatest)
    counts = survey.input_counts(most, least, factor, exponent)
    return np.ldexp(counts.astype(np.float64), -exponent)


def exponents(most: NDArray[np.float64], old: NDArray[np.int64] | None) -> NDArray[np.int64]:
    """Binary exponents of the counts per weight, for the greatest sums that can come up."""
    magnitude = np.frexp(most)[1].astype(np.int64)  # most < 2^magnitude
    fresh = np.clip(BITS - magnitude, -900, 900)
    if old is None:
        return fresh
    keep = (old + magnitude >= BITS_AT_LEAST) & (old + magnitude <= BITS_AT_MOST) | (most == 0)
    return np.where(keep, old, fresh)
