"""Spikes: those on their way, by step, and those that were recorded."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import structures
from .device import Device


class SpikeLists:
    """Lists of the spikes of the last steps, on a device, each as long as a thread may need.

    Args:
        device: where they are kept.
        n_list: number of steps that they last for.
        owned: for each thread, the number of neurons that it advances.
        n_block: number of blocks that are advanced.
    """

    def __init__(self, device: Device, n_list: int, owned: list[int], n_block: int) -> None:
        self.n_list = n_list
        self.shape = (n_list, owned, n_block)
        # Counters of different threads are kept on different cache lines.
        counts = device.zeros((n_list * len(owned), 16), np.int32)
        self._alive: list[Any] = [counts]
        rows = []
        for number in range(n_list * len(owned)):
            size = max(owned[number % len(owned)], 1)
            blocks = size if device.lists_blocks else n_block + 1
            arrays = [device.zeros(length, np.int32) for length in (size, size, blocks)]
            self._alive += arrays
            rows.append((device.address(counts[number]), *map(device.address, arrays)))
        self._records = device.put(np.array(rows, structures.SPIKE_LIST))
        self.address = device.address(self._records)


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
