"""Accumulators of synaptic input: their places and their units."""

from __future__ import annotations

import ctypes

import numpy as np
from numpy.typing import NDArray

from ..network import Block, SynapseTable
from .compile import cpu_library
from .tables import HostTable, pointer

# Accumulators are 64-bit integers. A unit is chosen so that the most that one step can bring, and
# what is in flight, stay below 2^52; while inputs are in flight it is kept as long as they stay
# between 2^44 and 2^61, so that sums can neither overflow nor lose digits that matter.
BITS = 52
BITS_AT_LEAST = 44
BITS_AT_MOST = 61


class Ports:
    """Where the input of each neuron and receptor is summed up.

    Port of (receptor r, neuron i of a block) = first[block] + r * size + i.
    """

    def __init__(self, blocks: list[Block]) -> None:
        counts = [block.size * len(block.model.receptors) for block in blocks]
        self.first = [int(port) for port in np.cumsum([0, *counts])[:-1]]
        self.count = int(np.sum(counts, dtype=np.int64))
        self._number = {id(block): number for number, block in enumerate(blocks)}

    def of_table(self, table: SynapseTable) -> int:
        """Port of the first target of a table."""
        block = table.post
        receptor = block.model.receptors.index(table.receptor)
        return self.first[self._number[id(block)]] + receptor * block.size

    def number(self, block: Block) -> int:
        """Place of a block in the network."""
        return self._number[id(block)]


def input_bound(tables: list[SynapseTable], ports: Ports) -> NDArray[np.float64]:
    """Upper bound of the weight that one step can add to each port."""
    bound = np.zeros(ports.count)
    for table in tables:
        pre = table.pre
        most = np.asarray(pre.model.most_spikes(pre.parameters, pre.grid), np.float64)
        rows = slice(table.first_source, table.first_source + table.n_source)
        most = np.ascontiguousarray(np.broadcast_to(most, (pre.size,))[rows])
        port = ports.of_table(table)
        host = HostTable(table)
        cpu_library().add_input_bound(
            host.pointer,
            pointer(table.row_start),
            pointer(most),
            ctypes.c_double(_least_bound(table)),
            ctypes.c_double(table.rule.dynamics.most(table.rule.parameters) if table.rule else 1.0),
            pointer(bound[port : port + table.post.size]),
        )
    return bound


def _least_bound(table: SynapseTable) -> float:
    """A size that every weight of a table may come to have."""
    weight = table.arrays()[1]
    common = abs(float(weight[0])) if len(weight) == 1 else 0.0
    rule = table.rule
    return max(common, rule.dynamics.greatest_weight(rule.parameters) if rule else 0.0)


def exponents(most: NDArray[np.float64], old: NDArray[np.int64] | None) -> NDArray[np.int64]:
    """Binary exponents of the counts per weight, for the greatest sums that can come up."""
    magnitude = np.frexp(most)[1].astype(np.int64)  # most < 2^magnitude
    fresh = np.clip(BITS - magnitude, -900, 900)
    if old is None:
        return fresh
    keep = (old + magnitude >= BITS_AT_LEAST) & (old + magnitude <= BITS_AT_MOST) | (most == 0)
    return np.where(keep, old, fresh)
