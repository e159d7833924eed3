"""Lines of a crossbar: what a spike on a wire reaches, at one time and once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .fixednet import FixedNet

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Lines:
    """Synapses of an axon that a spike reaches together, at most one for each neuron.

    Several synapses from an axon to a neuron with the same hop are on several lines, in ascending
    order of their weights. Lines are in ascending order of axon, hop, and this number.

    Attributes:
        line: int64 [n_synapses], line of each synapse.
        axon, hop, copy: int64 [n_lines].
    """

    line: Integers
    axon: Integers
    hop: Integers
    copy: Integers

    @classmethod
    def of(cls, fixed: FixedNet) -> Lines:
        """The lines that the synapses of a network need."""
        source, n = fixed.source, fixed.n_synapses
        copy = repeats(np.column_stack([source, fixed.target, fixed.hop]), fixed.charge())
        key = np.column_stack([source, fixed.hop, copy])
        lines, line = np.unique(key.reshape(n, 3), axis=0, return_inverse=True)
        return cls(line.reshape(-1).astype(np.int64), *lines.T)


def repeats(keys: Integers, within: Integers) -> Integers:
    """For each row of `keys` [n, k], how many equal ones are before it in the order of `within`."""
    order = np.lexsort((within, *keys.T[::-1]))
    ordered = keys[order]
    first = np.append(True, (np.diff(ordered, axis=0) != 0).any(axis=1))[: len(keys)]
    begin = np.maximum.accumulate(np.where(first, np.arange(len(keys)), 0))
    position = np.empty(len(keys), np.int64)
    position[order] = np.arange(len(keys)) - begin
    return position
