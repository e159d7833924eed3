"""Spikes that were recorded, of all neurons."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class SpikeStore:
    """Recorded spikes as pairs (neuron, step), grouped by neuron when they are asked for."""

    def __init__(self) -> None:
        self._neuron = np.zeros(0, np.int32)
        self._stamp = np.zeros(0, np.int64)
        self._new: list[tuple[NDArray[np.int32], NDArray[np.int64]]] = []

    def append(self, neuron: NDArray[np.int32], stamp: NDArray[np.int64]) -> None:
        """Take up spikes, in any order; a neuron that fired n times in a step comes n times."""
        if len(neuron):
            self._new.append((neuron, stamp))

    def of(self, first: int, size: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Spikes of neurons first .. first + size - 1, by neuron and then by time."""
        part = self._part(first, size)
        return self._neuron[part], self._stamp[part]

    def discard(self, first: int, size: int) -> None:
        """Forget the spikes of neurons first .. first + size - 1."""
        part = self._part(first, size)
        self._neuron = np.delete(self._neuron, part)
        self._stamp = np.delete(self._stamp, part)

    def _part(self, first: int, size: int) -> slice:
        if self._new:
            neuron = np.concatenate([self._neuron, *(each[0] for each in self._new)])
            stamp = np.concatenate([self._stamp, *(each[1] for each in self._new)])
            order = np.lexsort((stamp, neuron))
            self._neuron, self._stamp = neuron[order], stamp[order]
            self._new = []
        begin, end = np.searchsorted(self._neuron, [first, first + size])
        return slice(int(begin), int(end))
