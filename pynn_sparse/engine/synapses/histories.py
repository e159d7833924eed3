"""The last spikes of targets and sources of plastic synapses, as kernels have them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...network import Block, SynapseTable, memory
from ...network.dynamics import Traces
from ..devices.device import Device

if TYPE_CHECKING:
    from ...network.contents import Contents

HISTORY_ARRAYS = ("count", "stamp", "trace")
CHUNK = 8  # places of a neuron's spikes side by side: kChunk of cuda/synapses/history.h

LeftOf = Callable[[NDArray[np.int64]], NDArray[np.float64]]


class Sources:
    """The last spikes of the sources of a table, as each owner of targets has seen them.

    There are as many as a source may have from one that its first synapse has not seen to one that
    its last synapse has, and the one before.
    """

    def __init__(self, table: SynapseTable, device: Device) -> None:
        self._device = device
        self._shape = device.n_owner, table.n_source
        self.capacity = self.room(table)
        n, n_trace = device.n_owner * table.n_source, n_source_traces(table)
        what = f"{self.capacity} spikes of each source of plastic synapses"
        memory.require((12 + 8 * n_trace) * n * self.capacity, what)
        self._width = min(self.capacity, CHUNK)
        chunks = self.capacity // self._width
        self.count = device.zeros(n, np.int32)
        self.stamp = device.zeros((chunks, n, self._width), np.int64)
        self.trace = device.zeros((n_trace * chunks, n, self._width), np.float64)

    @staticmethod
    def room(table: SynapseTable) -> int:
        """Spikes of each source that have to be remembered: a power of two."""
        most = table.waits.lag[1]
        return 1 << (most + 1).bit_length() if most else 1

    def arrays(self) -> dict[str, Any]:
        """By the fields of the plan's record."""
        return {name: getattr(self, name) for name in HISTORY_ARRAYS}

    def latest(self) -> dict[str, NDArray[Any]]:
        """Of each source, [n_source], what the owner remembers that has seen most of it."""
        count, stamp, trace = (_rows(self._device.get(each)) for each in self.arrays().values())
        owners, n = self._shape
        last = stamp[np.arange(len(count)), (count - 1) % self.capacity]
        best = np.where(count > 0, last, -1).reshape(owners, n).argmax(axis=0)
        place = best * n + np.arange(n)
        return {"count": count[place], "stamp": stamp[place], "trace": trace[place]}

    def host_arrays(self) -> dict[str, NDArray[Any]]:
        """The same, as kernels have it, for one owner."""
        return {name: places(each, self._width) for name, each in self.latest().items()}

    def put(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Have all owners remember what `latest` gave."""
        owners = self._shape[0]
        for name in HISTORY_ARRAYS:
            every = places(np.concatenate([arrays[name]] * owners), self._width)
            self._device.assign(getattr(self, name), slice(None), every)


def n_source_traces(table: SynapseTable) -> int:
    """Traces that are kept of each source."""
    return len(table.rule.traces[0]) if table.rule is not None else 0


class History:
    """The last spikes of each neuron of a block: as many as it may have in a number of steps.

    `waiting` is for how many steps weights cannot take a spike in, because it is on its way;
    `apart` how many steps lie between two spikes of a neuron, at least; and `left_of` gives what is
    left of a source's trace at stamps, where that is kept.
    """

    def __init__(
        self,
        size: int,
        traces: Traces,
        left_of: LeftOf | None,
        steps: int,
        waiting: int,
        apart: int,
        device: Device,
    ) -> None:
        self.steps, self.waiting = steps, waiting
        self._device = device
        self._traces, self._left_of = traces, left_of
        self._apart = apart
        self.capacity = _room(steps, self._apart)
        memory.require(
            8 * (2 + len(traces)) * size * self.capacity,
            f"{self.capacity} spikes of each of {size} neurons with plastic synapses",
        )
        chunks = self.capacity // CHUNK
        self.count = device.zeros(size, np.int32)
        self.stamp = device.zeros((chunks, size, CHUNK), np.int64)
        self.trace = device.zeros((len(traces) * chunks, size, CHUNK), np.float64)
        shape = (chunks if left_of else 0, size, CHUNK)
        self.left = device.zeros(shape, np.float64)
        self._seen = np.zeros(size, np.int32)

    @property
    def _room(self) -> int:
        """Spikes that may come before weights have to catch up, and again until they do."""
        return max((self.capacity - self.waiting // self._apart - 2) // 2, 1)

    @property
    def longest_run(self) -> int:
        """Steps in which no more than `_room` spikes come."""
        return self._room * self._apart

    def behind(self) -> bool:
        """Whether some neuron has had more spikes than that since `caught_up`."""
        return bool((self._device.get(self.count) - self._seen).max(initial=0) > self._room)

    def caught_up(self) -> None:
        """Weights have taken in all that has come."""
        self._seen = self._device.get(self.count).copy()

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All that is remembered, with the numbers that `of` needs."""
        arrays = {name: _rows(self._device.get(getattr(self, name))) for name in HISTORY_ARRAYS}
        return arrays | {
            "seen": self._seen,
            "steps": np.array([self.steps, self.waiting, self._apart]),
        }

    @staticmethod
    def check(contents: Contents, name: str, n: int, n_trace: int, last: int) -> None:
        """Raise `CheckpointError` for what `arrays` has not given, with stamps up to `last`."""
        size, most = (n,), 2**31 - 1
        numbers = contents.check(f"{name} steps", np.int64, (3,), least=1, most=most)
        steps, waiting, apart = numbers.tolist()
        room = _room(steps, apart)
        contents.check(f"{name} count", np.int32, size, least=0)
        contents.check(f"{name} seen", np.int32, size, least=0)
        contents.check(f"{name} stamp", np.int64, (n, room), least=0, most=last)
        traces = n, n_trace * room
        contents.check(f"{name} trace", np.float64, traces, least=0, finite=True)
        if waiting > steps:
            contents.fail(f"{name} steps has the values {steps}, {waiting}")

    @classmethod
    def of(
        cls,
        arrays: dict[str, NDArray[Any]],
        traces: Traces,
        left_of: LeftOf | None,
        device: Device,
    ) -> History:
        """What `arrays` gave."""
        steps, waiting, apart = map(int, arrays["steps"])
        size = len(arrays["count"])
        made = cls(size, traces, left_of, steps, waiting, apart, device)
        for name in HISTORY_ARRAYS:
            setattr(made, name, device.put(places(arrays[name], CHUNK)))
        made._note_left(arrays["stamp"])
        made._seen = arrays["seen"].copy()
        return made

    def _note_left(self, stamp: NDArray[np.int64]) -> None:
        if self._left_of:
            self.left = self._device.put(places(self._left_of(stamp), CHUNK))

    def take_over(self, old: History, dt: float) -> None:
        """Copy the spikes of another history; traces follow from them, with time steps of dt ms."""

        def get(array: Any) -> NDArray[Any]:
            return _rows(self._device.get(array))

        number, kept = get(old.count), np.minimum(get(old.count), min(old.capacity, self.capacity))
        stamp, old_stamp = get(self.stamp).copy(), get(old.stamp)
        traces = [np.zeros(stamp.shape) for _ in self._traces]
        for k in range(int(kept.max(initial=0))):  # the k-th of those that are kept, of all neurons
            i = np.flatnonzero(kept > k)
            stamp[i, k] = old_stamp[i, (number[i] - kept[i] + k) % old.capacity]
            passed = stamp[i, k] - stamp[i, k - 1] if k else 0
            for kind, trace in zip(self._traces, traces, strict=True):
                last = (1.0 if kind.nearest else trace[i, k - 1]) if k else 0.0
                trace[i, k] = last * np.exp(-dt / kind.tau * passed) + (not kind.nearest)
        self.stamp = self._device.put(places(stamp, CHUNK))
        every = np.concatenate([np.zeros((len(kept), 0)), *traces], axis=1)
        self.trace = self._device.put(places(every, CHUNK))
        self._note_left(stamp)
        self.count = self._device.put(kept.astype(np.int32))
        self._seen = np.maximum(kept - (number - old._seen), 0).astype(np.int32)


def apart(block: Block) -> int:
    """Steps between two spikes of a neuron of a block, at least."""
    return 1 + int(np.min(block.derived.get("n_refractory", 0)))


def _room(steps: int, apart: int) -> int:
    """Spikes that a neuron may have in so many steps, if two are so far apart: a power of two."""
    return max(1 << int(np.ceil(np.log2(steps / apart + 2))), CHUNK)


def places(rows: NDArray[Any], width: int) -> NDArray[Any]:
    """What is given for each neuron and spike, [n, capacity], as `history.h` has it.

    Chunks of neurons' spikes: [capacity / width, n, width]. Those of several traces, which follow
    each other in a row, follow each other.
    """
    if rows.ndim == 1:
        return rows
    n, capacity = rows.shape
    chunks = rows.reshape(n, capacity // width, width)
    return np.ascontiguousarray(chunks.transpose(1, 0, 2))


def _rows(places: NDArray[Any]) -> NDArray[Any]:
    """The reverse."""
    if places.ndim == 1:
        return places
    chunks, n, width = places.shape
    rows: NDArray[Any] = places.transpose(1, 0, 2).reshape(n, chunks * width)
    return rows
