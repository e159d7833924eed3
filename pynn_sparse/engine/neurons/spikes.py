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

# Neurons, int32 [n]; steps in which they fired, int64 [n]; and the values of graded events, in
# units, int32 [n].
Spikes = tuple[NDArray[Any], ...]
PLAIN = np.int32, np.int64
GRADED = (*PLAIN, np.int32)
AFTER_ALL = 1 << 62  # as in cuda/step/events.h
BITS_OF_NEURON = 31  # of a key there, and in cuda/core/schedule.h: the time stamp is above


class Emitted(NamedTuple):
    """Spikes of the last steps: step, block, neuron in the block, multiplicity; each [n]."""

    step: NDArray[Any]
    block: NDArray[Any]
    neuron: NDArray[Any]
    multiplicity: NDArray[Any]

    def in_order(self) -> Emitted:
        """The same by step, block and neuron, whoever has listed them."""
        order = np.lexsort((self.neuron, self.block, self.step))
        return Emitted(*(each[order] for each in self))

    @staticmethod
    def check(contents: Contents, network: Network, step: int) -> None:
        """Raise `CheckpointError` for what are no such spikes, before a step."""
        if "step" in contents:
            sent = contents.check("step", np.int64, (None,), least=-1, most=max(step, 0))
            last = len(network.blocks) - 1
            block = contents.check("block", np.int64, sent.shape, least=0, most=last)
            neuron = contents.check("neuron", np.int32, sent.shape, least=0)
            multiplicity = contents.check("multiplicity", np.int32, sent.shape)
            if (neuron >= np.array([each.size for each in network.blocks])[block]).any():
                contents.fail("neuron is beyond its population")
            plain = np.array([each.model.graded is None for each in network.blocks])
            if (plain[block] & (multiplicity < 1)).any():
                contents.fail("multiplicity is not 1 or greater")
        contents.finish()


class SpikeLists:
    """Lists of the spikes of the last steps, on a device, each as long as a thread may need.

    Args:
        device: where they are kept.
        n_list: number of steps that they last for.
        batch: steps that neurons may do at a time; so many lists are empty beforehand.
        shards: for each block that is advanced, by its place in the network, int32 [n_shard + 1],
            where the neurons of each list of a step begin, see `Ownership`.
        before: number of those that are of processes before this one.
    """

    def __init__(
        self,
        device: Device,
        n_list: int,
        batch: int,
        shards: dict[int, NDArray[np.int32]],
        before: int = 0,
        n_other: int = 0,
    ) -> None:
        self.n_list, self.batch, self.shards, self._before = n_list, batch, shards, before
        self._device, self.n_shard = device, device.n_owner + n_other
        sizes = np.zeros(self.n_shard, np.int64)
        for starts in shards.values():
            sizes += np.diff(starts)
        # Counters of different threads are kept on different cache lines.
        self._counts = device.zeros((n_list * self.n_shard, 16), np.int32)
        self._arrays: list[tuple[Any, ...]] = []
        of_others = np.roll(sizes, -before)[device.n_owner :]
        ends = None if device.lists_blocks else len(shards) + 1
        room, taken = self._for_others(of_others.tolist(), ends), 0
        for number in range(n_list * self.n_shard):
            size = max(int(sizes[(number + before) % self.n_shard]), 1)
            blocks = size if ends is None else ends
            arrays = []
            for length in (size, size, blocks):
                if number % self.n_shard < device.n_owner:
                    arrays.append(device.zeros(length, np.int32))
                else:
                    arrays.append(room[taken : taken + length])
                    taken += _in_lines(length)
            self._arrays.append(tuple(arrays))
        rows = [
            (device.address(self._counts[number]), *map(device.address, arrays))
            for number, arrays in enumerate(self._arrays)
        ]
        self._records = device.put(np.array(rows, structures.SPIKE_LIST))
        self.address = device.address(self._records)

    def _for_others(self, sizes: list[int], ends: int | None) -> Any:
        """Room for all lists of other processes, of which no more is used than there are spikes.

        Each has where its blocks end, as many as `ends`, or the block of each spike.
        """
        some = [max(size, 1) for size in sizes]
        lengths = [length for size in some for length in (size, size, ends or size)]
        return self._device.partly(self.n_list * sum(map(_in_lines, lengths)), np.int32, 0.0)

    def fits(self, n_list: int, batch: int, shards: dict[int, NDArray[np.int32]]) -> bool:
        """Whether these lists are what the constructor would make of the arguments."""
        same = (n_list, batch, list(shards)) == (self.n_list, self.batch, list(self.shards))
        return same and all(np.array_equal(shards[k], self.shards[k]) for k in shards)

    def _number(self, step: int, shard: int) -> int:
        """Of a list: those of this process's owners come first, as the kernels have them."""
        return (step + 1) % self.n_list * self.n_shard + (shard - self._before) % self.n_shard

    def read(self, steps: range) -> Emitted:
        """The spikes emitted in some of the last steps."""
        counts, get = self._device.get(self._counts)[:, 0], self._device.get
        parts = [Emitted(*(np.zeros(0, each) for each in (np.int64, np.int64, np.int32, np.int32)))]
        places = np.array(list(self.shards), np.int64)
        for step in steps:
            for shard in range(self.n_shard):
                number = self._number(step, shard)
                if count := int(counts[number]):
                    neuron, multiplicity, blocks = self._arrays[number]
                    if self._device.lists_blocks:
                        block = get(blocks[:count])
                    else:
                        block = np.repeat(np.arange(len(places)), np.diff(get(blocks)))
                    fields = places[block], get(neuron[:count]), get(multiplicity[:count])
                    parts.append(Emitted(np.full(count, step), *(each.copy() for each in fields)))
        return Emitted(*(np.concatenate(each) for each in zip(*parts, strict=True)))

    def write(self, spikes: Emitted) -> None:
        """Put spikes into lists that are empty, each into that of its neuron."""
        place = {block: number for number, block in enumerate(self.shards)}
        known = np.isin(spikes.block, list(place))
        spikes = Emitted(*(each[known] for each in spikes))
        number = np.array([place[int(block)] for block in spikes.block], np.int32)
        shard = np.array(
            [
                np.searchsorted(self.shards[int(block)][1:], neuron, side="right")
                for block, neuron in zip(spikes.block, spikes.neuron, strict=True)
            ],
            np.int64,
        )
        for step in np.unique(spikes.step):
            for k in range(self.n_shard):
                mine = np.flatnonzero((spikes.step == step) & (shard == k))
                mine = mine[np.argsort(number[mine], kind="stable")]
                if len(mine):
                    values = spikes.neuron[mine], spikes.multiplicity[mine], number[mine]
                    self._write(self._number(int(step), k), *values)

    def append(self, spikes: Emitted) -> None:
        """Add spikes, by step, to lists of which there is one for each step."""
        place = np.zeros(1 + max(self.shards, default=0), np.int32)
        place[list(self.shards)] = np.arange(len(self.shards))
        counts = self._device.get(self._counts)[:, 0]
        for step in np.unique(spikes.step):
            mine = spikes.step == step
            number, n = self._number(int(step), 0), int(mine.sum())
            first = int(counts[number])
            values = spikes.neuron[mine], spikes.multiplicity[mine], place[spikes.block[mine]]
            for array, each in zip(self._arrays[number], values, strict=True):
                self._device.assign(array, slice(first, first + n), each)
            total = np.array([first + n], np.int32)
            self._device.assign(self._counts, (number, slice(0, 1)), total)

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
            blocks = np.searchsorted(block, np.arange(len(self.shards) + 1)).astype(np.int32)
        for array, values in zip(self._arrays[list_], (neuron, multiplicity, blocks), strict=True):
            self._device.assign(array, slice(0, len(values)), values)
        self._device.assign(self._counts, (list_, slice(0, 1)), np.array([n], np.int32))


def _in_lines(n: int) -> int:
    """Numbers of 32 bits, rounded up to whole lines of the cache."""
    return -(-n // 16) * 16


class Recorded(NamedTuple):
    """Spikes of a call down, those of each owner.

    Attributes:
        spikes: a neuron that fired n times in a step comes n times.
        graded: events with their values.
        refused: step and neuron of the first event whose value could not be sent, None without.
    """

    spikes: list[Spikes]
    graded: list[Spikes]
    refused: tuple[int, int] | None


class SpikeRecords:
    """Spikes that the user wants, on a device, for each thread.

    Args:
        device: where they are kept.
        wanted: neurons of each thread whose spikes are wanted.
        steps: for which there has to be room.
        graded: whether the events of each neuron carry values, bool [neurons]; None if none do.
    """

    def __init__(
        self,
        device: Device,
        wanted: NDArray[np.int64],
        steps: int,
        graded: NDArray[np.bool_] | None = None,
    ) -> None:
        self._device = device
        self._graded = graded
        # What different threads count is kept on different cache lines: spikes, and the event
        # that was refused.
        self._counts = device.zeros((len(wanted), 16), np.int32)
        self._none = np.zeros((len(wanted), 1), np.int32)
        self._arrays, rows = [], []
        for number, n in enumerate(wanted.tolist()):
            capacity = max(device.record_capacity, steps * n)
            arrays = [device.zeros(capacity, dtype) for dtype in (np.int64, np.int32, np.int32)]
            self._arrays.append(arrays)
            count = device.address(self._counts[number])
            rows.append((count, count + 8, *map(device.address, arrays), capacity, n))
        self._rows = device.put(np.array(rows, structures.SPIKE_RECORD))
        self.address = device.address(self._rows)

    def read(self) -> Recorded:
        """What is there."""
        numbers = self._device.get(self._counts)
        plain: list[Spikes] = []
        graded: list[Spikes] = []
        for count, arrays in zip(numbers[:, 0].tolist(), self._arrays, strict=True):
            if not count:
                continue
            stamp, neuron, multiplicity = (self._device.get(each[:count]) for each in arrays)
            if self._graded is not None:
                carries = self._graded[neuron]
                graded.append((neuron[carries], stamp[carries], multiplicity[carries]))
                stamp, neuron, multiplicity = (
                    each[~carries] for each in (stamp, neuron, multiplicity)
                )
            plain.append((np.repeat(neuron, multiplicity), np.repeat(stamp, multiplicity)))
        refused = int(np.ascontiguousarray(numbers[:, 2:4]).view(np.int64).max())
        stamp_of, neuron_of = divmod(AFTER_ALL - refused, 1 << BITS_OF_NEURON)
        return Recorded(plain, graded, (stamp_of, neuron_of) if refused else None)

    def empty(self) -> None:
        """Forget all."""
        self._device.assign(self._counts, slice(None), self._none)


class SpikeStore:
    """Recorded spikes, or graded events, grouped by neuron when they are asked for.

    `nbytes` is what they take in memory; `spill` moves them to disk, in series that are grouped
    each for itself, so that the spikes of some neurons can be read without the others.

    Args:
        types: of the columns, `PLAIN` for spikes or `GRADED`.
    """

    def __init__(self, types: tuple[Any, ...] = PLAIN) -> None:
        self._none: Spikes = tuple(np.zeros(0, each) for each in types)
        self._columns = self._none
        self._new: list[Spikes] = []
        self._disk: tuple[DiskArray, ...] | None = None
        self._series: list[tuple[int, int]] = []  # begin and end of each on disk, the oldest first
        self.nbytes = 0

    def append(self, *columns: NDArray[Any]) -> None:
        """Take up spikes, in any order; a neuron that fired n times in a step comes n times."""
        self.extend([columns])

    def extend(self, spikes: list[Spikes]) -> None:
        """Take up spikes from several places."""
        self._new += [each for each in spikes if len(each[0])]
        self.nbytes += sum(column.nbytes for each in spikes for column in each)

    def spill(self) -> None:
        """Move the spikes in memory to disk. Raises OSError if there is no room; none is lost."""
        self._group()
        if not len(self._columns[0]):
            return
        if self._disk is None:
            self._disk = tuple(DiskArray(each.dtype.type) for each in self._none)
        begin = len(self._disk[1])
        for column, values in zip(self._disk, self._columns, strict=True):
            column.append(values, begin)
        self._series.append((begin, len(self._disk[1])))
        self._keep(tuple(each.copy() for each in self._none))

    def of(self, first: int, size: int) -> Spikes:
        """Spikes of neurons first .. first + size - 1, by neuron and then by time.

        The arrays are not to be changed.
        """
        self._group()
        parts = []
        for columns in self._all():
            part = _between(columns[0], first, size)
            if part.stop > part.start:
                parts.append(tuple(each[part] for each in columns))
        return parts[0] if len(parts) == 1 else _grouped([self._none, *parts])

    def counts(self, first: int, size: int) -> NDArray[np.int64]:
        """Number of spikes of each of the neurons first .. first + size - 1."""
        self._group()
        limits = np.arange(first, first + size + 1)
        total = np.zeros(size, np.int64)
        for neuron, *_ in self._all():
            total += np.diff(np.searchsorted(neuron, limits))
        return total

    def at(self, stamp: int, first: int, size: int) -> NDArray[np.int32]:
        """Those of neurons first .. first + size - 1 that fired at a step, ascending.

        What was taken up last is looked at first, and nothing older where some of it is from before
        that step: spikes of a call down, which are several parts, are taken up together.
        """
        found, older = [np.zeros(0, np.int32)], False
        for parts in (self._new, [self._columns], self._on_disk()):
            for neuron, stamps, *_ in parts:
                here = (stamps == stamp) & (neuron >= first) & (neuron < first + size)
                found.append(neuron[here])
                older |= bool((stamps < stamp).any())
            if older:
                break
        return np.sort(np.concatenate(found))

    def discard(self, first: int, size: int) -> None:
        """Forget the spikes of neurons first .. first + size - 1."""
        self._group()
        part = _between(self._columns[0], first, size)
        self._keep(tuple(np.delete(each, part) for each in self._columns))
        remaining = []
        for (begin, end), (neuron, *_) in zip(self._series, self._on_disk(), strict=True):
            part = _between(neuron, first, size)
            halves = (begin, begin + part.start), (begin + part.stop, end)
            remaining += [half for half in halves if half[0] < half[1]]
        self._series = remaining
        if not remaining:
            self._disk = None

    def _keep(self, columns: Spikes) -> None:
        self._columns = columns
        self.nbytes = sum(each.nbytes for each in columns)

    def _group(self) -> None:
        if self._new:
            columns = _grouped([self._columns, *self._new])
            self._new = []
            self._keep(columns)

    def _on_disk(self) -> Iterator[Spikes]:
        for begin, end in self._series:
            assert self._disk is not None
            yield tuple(each.rows(begin, end) for each in self._disk)

    def _all(self) -> Iterator[Spikes]:
        yield from self._on_disk()
        yield self._columns


def _between(neuron: NDArray[np.int32], first: int, size: int) -> slice:
    """Where neurons first .. first + size - 1 are found, in ascending order."""
    begin, end = np.searchsorted(neuron, [first, first + size])
    return slice(int(begin), int(end))


def _grouped(parts: list[Spikes]) -> Spikes:
    """All spikes, by neuron and then by time."""
    neuron, *others = (np.concatenate(each) for each in zip(*parts, strict=True))
    order = stable_order(neuron)
    neuron, stamp = neuron[order], others[0][order]
    if ((stamp[1:] < stamp[:-1]) & (neuron[1:] == neuron[:-1])).any():  # not given by time
        order = order[np.lexsort((stamp, neuron))]
        stamp = others[0][order]
    return neuron, stamp, *(each[order] for each in others[1:])
