"""A digest of what makes a network: models, who is connected with whom, and what is recorded.

What may change between runs, such as parameters, weights and delays, is not part of it.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .model import Model
from .synapses import SynapseTable

AT_ONCE = 1 << 22  # synapses


def of_arrays(*arrays: NDArray[Any]) -> str:
    """Digest of arrays, with their shapes."""
    found = hashlib.sha256()
    for array in arrays:
        found.update(f"{array.shape}{array.dtype.str}".encode())
        found.update(np.ascontiguousarray(array).data)
    return found.hexdigest()[:32]


def of_model(model: Model) -> str:
    """Digest of a neuron model's names, and of its step, if that is the user's."""
    parts = (
        *(model.name, tuple(model.state), model.derived, model.receptors),
        *(model.recordable, model.sequences, model.source),
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def of_table(table: SynapseTable) -> str:
    """Digest of the pairs of neurons that a table connects, in any order of storage.

    Where the order that users see does not follow from the values, a synapse's place in it takes
    part.
    """
    return as_text(sums_of_table(table, table.identity))


def as_text(sums: NDArray[np.uint64]) -> str:
    """Sums as a digest."""
    return f"{int(sums[0]):016x}{int(sums[1]):016x}"


def sums_of_table(table: SynapseTable, identity: NDArray[np.uint32]) -> NDArray[np.uint64]:
    """That digest as a sum over synapses, [2], so that they need not be sorted.

    Those of the parts of a table add up to that of the table. `identity` is as in tables.
    """
    counts, target = np.diff(table.row_start), table.target
    total = np.zeros(2, np.uint64)
    row, last = 0, len(counts)
    while row < last:
        begin = int(table.row_start[row])
        end_row = int(np.searchsorted(table.row_start, begin + AT_ONCE, side="right")) - 1
        end_row = min(max(end_row, row + 1), last)
        part = slice(begin, int(table.row_start[end_row]))
        source = np.repeat(np.arange(row, end_row) + table.first_source, counts[row:end_row])
        key = (source.astype(np.uint64) << np.uint64(32)) | target[part].astype(np.uint64)
        if len(identity):
            key = _mixed(key) + identity[part]
        total += [_mixed(key).sum(dtype=np.uint64), _mixed(~key).sum(dtype=np.uint64)]
        row = end_row
    return total


def _mixed(key: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of SplitMix64 (Steele, Lea and Flood 2014), a bijection."""
    key = (key ^ (key >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    key = (key ^ (key >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: NDArray[np.uint64] = key ^ (key >> np.uint64(31))
    return mixed
