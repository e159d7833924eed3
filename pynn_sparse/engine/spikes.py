"""Spikes: those on their way, by step, and those that were recorded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..network.disk import DiskArray
from ..network.synapses import stable_order
from . import structures
from .device import Device

Spikes = tuple[NDArray[np.int32], NDArray[np.int64]]  # neurons, and steps in which they fired


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
    """Recorded spikes as pairs (neuron, step), grouped by neuron when they are asked for.

    `nbytes` is what they take in memory; `spill` moves them to disk, in series that are grouped
    each for itself, so that the spikes of some neurons can be read without the others.
    """

    def __init__(self) -> None:
        self._neuron = np.zeros(0, np.int32)
        self._stamp = np.zeros(0, np.int64)
        self._new: list[Spikes] = []
        self._disk: tuple[DiskArray, DiskArray] | None = None
        self._series: list[tuple[int, int]] = []  # begin and end of each on disk, the oldest first
        self.nbytes = 0

    def append(self, neuron: NDArray[np.int32], stamp: NDArray[np.int64]) -> None:
        """Take up spikes, in any order; a neuron that fired n times in a step comes n times."""
        if len(neuron):
            self._new.append((neuron, stamp))
            self.nbytes += neuron.nbytes + stamp.nbytes

    def spill(self) -> None:
        """Move the spikes in memory to disk. Raises OSError if there is no room; none is lost."""
        self._group()
        if not len(self._neuron):
            return
        if self._disk is None:
            self._disk = DiskArray(np.int32), DiskArray(np.int64)
        neuron, stamp = self._disk
        begin = len(stamp)
        neuron.append(self._neuron, begin)
        stamp.append(self._stamp, begin)
        self._series.append((begin, len(stamp)))
        self._keep(self._neuron[:0].copy(), self._stamp[:0].copy())

    def of(self, first: int, size: int) -> Spikes:
        """Spikes of neurons first .. first + size - 1, by neuron and then by time.

        The arrays are not to be changed.
        """
        self._group()
        parts = []
        for neuron, stamp in self._all():
            part = _between(neuron, first, size)
            if part.stop > part.start:
                parts.append((neuron[part], stamp[part]))
        return parts[0] if len(parts) == 1 else _grouped(parts)

    def counts(self, first: int, size: int) -> NDArray[np.int64]:
        """Number of spikes of each of the neurons first .. first + size - 1."""
        self._group()
        limits = np.arange(first, first + size + 1)
        total = np.zeros(size, np.int64)
        for neuron, _ in self._all():
            total += np.diff(np.searchsorted(neuron, limits))
        return total

    def discard(self, first: int, size: int) -> None:
        """Forget the spikes of neurons first .. first + size - 1."""
        self._group()
        part = _between(self._neuron, first, size)
        self._keep(np.delete(self._neuron, part), np.delete(self._stamp, part))
        remaining = []
        for (begin, end), (neuron, _) in zip(self._series, self._on_disk(), strict=True):
            part = _between(neuron, first, size)
            halves = (begin, begin + part.start), (begin + part.stop, end)
            remaining += [half for half in halves if half[0] < half[1]]
        self._series = remaining
        if not remaining:
            self._disk = None

    def _keep(self, neuron: NDArray[np.int32], stamp: NDArray[np.int64]) -> None:
        self._neuron, self._stamp = neuron, stamp
        self.nbytes = neuron.nbytes + stamp.nbytes

    def _group(self) -> None:
        if self._new:
            neuron, stamp = _grouped([(self._neuron, self._stamp), *self._new])
            self._new = []
            self._keep(neuron, stamp)

    def _on_disk(self) -> Iterator[Spikes]:
        for begin, end in self._series:
            assert self._disk is not None
            neuron, stamp = (each.rows(begin, end) for each in self._disk)
            yield neuron, stamp

    def _all(self) -> Iterator[Spikes]:
        yield from self._on_disk()
        yield self._neuron, self._stamp


def _between(neuron: NDArray[np.int32], first: int, size: int) -> slice:
    """Where neurons first .. first + size - 1 are found, in ascending order."""
    begin, end = np.searchsorted(neuron, [first, first + size])
    return slice(int(begin), int(end))


def _grouped(parts: list[Spikes]) -> Spikes:
    """All spikes, by neuron and then by time."""
    if not parts:
        return np.zeros(0, np.int32), np.zeros(0, np.int64)
    neuron, stamp = (np.concatenate(each) for each in zip(*parts, strict=True))
    order = stable_order(neuron)
    neuron, later = neuron[order], stamp[order]
    if ((later[1:] < later[:-1]) & (neuron[1:] == neuron[:-1])).any():  # not given by time
        later = later[np.lexsort((later, neuron))]
    return neuron, later
