"""Spikes: those on their way, by step, and those that were recorded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...network.disk import DiskArray
from ...network.ordering import stable_order
from .. import structures
from ..devices.device import Device

if TYPE_CHECKING:
    from ...network import Network
    from ...network.contents import Contents

Spikes = tuple[NDArray[np.int32], NDArray[np.int64]]  # neurons, and steps in which they fired


class Emitted(NamedTuple):
    """Spikes of the last steps: step, block, neuron in the block, multiplicity; each [n]."""

    step: NDArray[Any]
    block: NDArray[Any]
    neuron: NDArray[Any]
    multiplicity: NDArray[Any]

    @staticmethod
    def check(contents: Contents, network: Network, step: int) -> None:
        """Raise `CheckpointError` for what are no such spikes, before a step."""
        if "step" in contents:
            sent = contents.check("step", np.int64, (None,), least=-1, most=max(step, 0))
            last = len(network.blocks) - 1
            block = contents.check("block", np.int64, sent.shape, least=0, most=last)
            neuron = contents.check("neuron", np.int32, sent.shape, least=0)
            contents.check("multiplicity", np.int32, sent.shape, least=1)
            if (neuron >= np.array([each.size for each in network.blocks])[block]).any():
                contents.fail("neuron is beyond its population")
        contents.finish()


class SpikeLists:
    """Lists of the spikes of the last steps, on a device, each as long as a thread may need.

    Args:
        device: where they are kept.
        n_list: number of steps that they last for.
        batch: steps that neurons may do at a time; so many lists are empty beforehand.
        owners: for each block that is advanced, by its place in the network, int32 [n_owner + 1],
            where the neurons of each thread begin.
    """

    def __init__(
        self, device: Device, n_list: int, batch: int, owners: dict[int, NDArray[np.int32]]
    ) -> None:
        self.n_list, self.batch, self.owners = n_list, batch, owners
        self._device, self._n_owner = device, device.n_owner
        owned = np.zeros(self._n_owner, np.int64)
        for starts in owners.values():
            owned += np.diff(starts)
        # Counters of different threads are kept on different cache lines.
        self._counts = device.zeros((n_list * self._n_owner, 16), np.int32)
        self._arrays: list[tuple[Any, ...]] = []
        for number in range(n_list * self._n_owner):
            size = max(int(owned[number % self._n_owner]), 1)
            blocks = size if device.lists_blocks else len(owners) + 1
            lengths = (size, size, blocks)
            self._arrays.append(tuple(device.zeros(length, np.int32) for length in lengths))
        rows = [
            (device.address(self._counts[number]), *map(device.address, arrays))
            for number, arrays in enumerate(self._arrays)
        ]
        self._records = device.put(np.array(rows, structures.SPIKE_LIST))
        self.address = device.address(self._records)

    def fits(self, n_list: int, batch: int, owners: dict[int, NDArray[np.int32]]) -> bool:
        """Whether these lists are what the constructor would make of the arguments."""
        same = (n_list, batch, list(owners)) == (self.n_list, self.batch, list(self.owners))
        return same and all(np.array_equal(owners[k], self.owners[k]) for k in owners)

    def _number(self, step: int, owner: int) -> int:
        return (step + 1) % self.n_list * self._n_owner + owner

    def read(self, steps: range) -> Emitted:
        """The spikes emitted in some of the last steps."""
        counts, get = self._device.get(self._counts)[:, 0], self._device.get
        parts = [Emitted(*(np.zeros(0, each) for each in (np.int64, np.int64, np.int32, np.int32)))]
        places = np.array(list(self.owners), np.int64)
        for step in steps:
            for owner in range(self._n_owner):
                number = self._number(step, owner)
                if count := int(counts[number]):
                    neuron, multiplicity, blocks = map(get, self._arrays[number])
                    if self._device.lists_blocks:
                        block = blocks[:count]
                    else:
                        block = np.repeat(np.arange(len(places)), np.diff(blocks))
                    fields = places[block], neuron[:count], multiplicity[:count]
                    parts.append(Emitted(np.full(count, step), *(each.copy() for each in fields)))
        return Emitted(*(np.concatenate(each) for each in zip(*parts, strict=True)))

    def write(self, spikes: Emitted) -> None:
        """Put spikes into lists that are empty, each into that of the thread that owns it."""
        place = {block: number for number, block in enumerate(self.owners)}
        known = np.isin(spikes.block, list(place))
        spikes = Emitted(*(each[known] for each in spikes))
        number = np.array([place[int(block)] for block in spikes.block], np.int32)
        owner = np.array(
            [
                np.searchsorted(self.owners[int(block)][1:], neuron, side="right")
                for block, neuron in zip(spikes.block, spikes.neuron, strict=True)
            ],
            np.int64,
        )
        for step in np.unique(spikes.step):
            for k in range(self._n_owner):
                mine = np.flatnonzero((spikes.step == step) & (owner == k))
                mine = mine[np.argsort(number[mine], kind="stable")]
                if len(mine):
                    values = spikes.neuron[mine], spikes.multiplicity[mine], number[mine]
                    self._write(self._number(int(step), k), *values)

    def _write(
        self,
        list_: int,
        neuron: NDArray[np.int32],
        multiplicity: NDArray[np.int32],
        block: NDArray[np.int32],
    ) -> None:
        n = len(neuron)
        if self._device.lists_blocks:
            blocks = block
        else:
            blocks = np.searchsorted(block, np.arange(len(self.owners) + 1)).astype(np.int32)
        for array, values in zip(self._arrays[list_], (neuron, multiplicity, blocks), strict=True):
            self._device.assign(array, slice(0, len(values)), values)
        self._device.assign(self._counts, (list_, slice(0, 1)), np.array([n], np.int32))


class SpikeRecords:
    """Spikes that the user wants, on a device, for each thread.

    Args:
        device: where they are kept.
        wanted: neurons of each thread whose spikes are wanted.
        steps: for which there has to be room.
    """

    def __init__(self, device: Device, wanted: NDArray[np.int64], steps: int) -> None:
        self._device = device
        # Counters of different threads are kept on different cache lines.
        self._counts = device.zeros((len(wanted), 16), np.int32)
        self._none = np.zeros((len(wanted), 1), np.int32)
        self._arrays, rows = [], []
        for number, n in enumerate(wanted.tolist()):
            capacity = max(device.record_capacity, steps * n)
            arrays = [device.zeros(capacity, dtype) for dtype in (np.int64, np.int32, np.int32)]
            self._arrays.append(arrays)
            addresses = map(device.address, (self._counts[number], *arrays))
            rows.append((*addresses, capacity, n))
        self._rows = device.put(np.array(rows, structures.SPIKE_RECORD))
        self.address = device.address(self._rows)

    def read(self) -> list[Spikes]:
        """The spikes of each owner; a neuron that fired n times in a step comes n times."""
        counts = self._device.get(self._counts)[:, 0].tolist()
        found = []
        for count, arrays in zip(counts, self._arrays, strict=True):
            if count:
                stamp, neuron, multiplicity = (self._device.get(each[:count]) for each in arrays)
                found.append((np.repeat(neuron, multiplicity), np.repeat(stamp, multiplicity)))
        return found

    def empty(self) -> None:
        """Forget all."""
        self._device.assign(self._counts, slice(None), self._none)


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
        self.extend([(neuron, stamp)])

    def extend(self, spikes: list[Spikes]) -> None:
        """Take up spikes from several places."""
        self._new += [each for each in spikes if len(each[0])]
        self.nbytes += sum(neuron.nbytes + stamp.nbytes for neuron, stamp in spikes)

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
