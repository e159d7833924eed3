"""Synaptic memory of Loihi's cores: what the axons on each take.

An axon on a core has the synapses of one source and one format. They are stored with indices, or
as all weights from the first target to the last one, whatever takes less.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ...nets.fixednet import FixedNet
from ...nets.layout import bits_for

Integers = NDArray[np.int64]

INDEX_BITS = (0, 6, 7, 8, 9, 10, 11, 12)
AXON_BLOCK, BLOCK_HEADER = 64, 4 + 6  # synapses; bits
WORD = 64


@dataclass(frozen=True)
class Rows:
    """Synapses in the order of their source and format, however neurons are on cores.

    Attributes:
        row: int64 [n], number of source and format of each, ascending.
        target: int64 [n], neuron.
        repeated: bool [n], whether another one of its row has its target, too: such a row cannot be
            stored without indices.
        formats: number of formats.
        width: bits of a weight with its delay.
    """

    row: Integers
    target: Integers
    repeated: NDArray[np.bool_]
    formats: int
    width: int

    def onto(self, neurons: int) -> Rows:
        """Those onto the first neurons."""
        some = self.target < neurons
        row, target, repeated = self.row[some], self.target[some], self.repeated[some]
        return replace(self, row=row, target=target, repeated=repeated)


@dataclass(frozen=True)
class AxonsOnCores:
    """Core, source, format and bits of each axon on a core, int64 [axons]."""

    core: Integers
    source: Integers
    format: Integers
    bits: Integers


def rows_of(fixed: FixedNet, weight_bits: int) -> Rows:
    """The rows of a network."""
    formats = len(fixed.formats.shift)
    row = fixed.source * formats + fixed.format
    order = np.lexsort((fixed.target, row)) if formats > 1 else np.argsort(row, kind="stable")
    row, target = row[order], fixed.target[order]
    if formats == 1 and ((row[1:] == row[:-1]) & (target[1:] < target[:-1])).any():
        again = np.lexsort((target, row))
        row, target = row[again], target[again]
    repeated = np.zeros(len(row), bool)
    repeated[1:] = (row[1:] == row[:-1]) & (target[1:] == target[:-1])
    delay = int(fixed.hop.max(initial=1)) - 1
    width = weight_bits + (bits_for(delay) if delay else 0)
    return Rows(row, target, repeated, formats, width)


def axons_on_cores(rows: Rows, core: Integers) -> AxonsOnCores:
    """What axons take with neurons on these cores, int64 [N], ascending."""
    on = core[rows.target]
    few = on.astype(np.min_scalar_type(int(core[-1])))  # of 16 bits, they are sorted in linear time
    order = np.argsort(few, kind="stable")
    on, row = on[order], rows.row[order]
    index = (rows.target - np.searchsorted(core, core)[rows.target])[order]
    new = np.ones(len(on), bool)
    new[1:] = (on[1:] != on[:-1]) | (row[1:] != row[:-1])
    first = np.flatnonzero(new)
    if not len(first):
        return AxonsOnCores(*(np.zeros((4, 0), np.int64)))
    last = np.append(first[1:], len(on)) - 1
    most = int(np.bincount(core).max()) - 1
    indices = next(bits for bits in INDEX_BITS if bits >= most.bit_length())
    count = last - first + 1
    sparse = bits_of_axon(count, np.full_like(count, rows.width + indices))
    dense = bits_of_axon(index[last] - index[first] + 1, np.full_like(count, rows.width))
    fits = ~np.logical_or.reduceat(rows.repeated[order], first)
    source, form = np.divmod(row[first], rows.formats)
    bits = np.where(fits, np.minimum(sparse, dense), sparse)
    return AxonsOnCores(on[first], source, form, bits)


def bits_of_axon(synapses: Integers, bits_per_synapse: Integers) -> Integers:
    """Synaptic memory that axons with these numbers of synapses take.

    Blocks of up to 64 synapses have a header of 10 bits, and are rounded up to words of 64 bits,
    as in nengo-loihi's ``SynapseConfig.bits_per_axon``.
    """
    full, rest = synapses // AXON_BLOCK, synapses % AXON_BLOCK

    def block(n: Integers) -> Integers:
        bits = n * bits_per_synapse + BLOCK_HEADER
        return np.asarray(-(-bits // WORD) * WORD)

    of_full = full * block(np.full_like(rest, AXON_BLOCK))
    return np.asarray(of_full + np.where(rest > 0, block(rest), 0))
