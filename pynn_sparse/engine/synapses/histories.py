"""The last spikes of targets and sources of plastic synapses, as kernels have them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...network import Block, SynapseTable, memory
from ..devices.device import Device

if TYPE_CHECKING:
    from ...network.contents import Contents

HISTORY_ARRAYS = ("count", "stamp", "trace")
CHUNK = 8  # places of a neuron's spikes side by side: kChunk of cuda/synapses/history.h

Past = Callable[[NDArray[np.int64]], NDArray[np.float64]]


class Sources:
    """The last spikes of the sources of a table, as each owner of targets has seen them.

    There are as many as a source may have from one that its first synapse has not seen to one that
    its last synapse has, and the one before.
    """

    def __init__(self, table: SynapseTable, device: Device) -> None:
        self._device = device
        self._shape = device.n_owner, table.n_source
        self.capacity = self.room(table)
        n = device.n_owner * table.n_source
        what = f"{self.capacity} spikes of each source of plastic synapses"
        memory.require(20 * n * self.capacity, what)
        width = min(self.capacity, CHUNK)
        shape = self.capacity // width, n, width
        self.count = device.zeros(n, np.int32)
        self.stamp, self.trace = device.zeros(shape, np.int64), device.zeros(shape, np.float64)

    @staticmethod
    def room(table: SynapseTable) -> int:
        """Spikes of each source that have to be remembered: a power of two."""
        most = table.lag_range[1]
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

    def put(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Have all owners remember what `latest` gave."""
        owners = self._shape[0]
        for name in HISTORY_ARRAYS:
            every = places(np.concatenate([arrays[name]] * owners))
            self._device.assign(getattr(self, name), slice(None), every)


class History:
    """The last spikes of each neuron of a block: as many as it may have in a number of steps.

    `waiting` is for how many steps weights cannot take a spike in, because it is on its way.
    """

    def __init__(
        self, block: Block, steps: int, waiting: int, device: Device, apart: int | None = None
    ) -> None:
        self.steps, self.waiting = steps, waiting
        self._device = device
        # Steps between two spikes of a neuron, at least.
        self._apart = apart or 1 + int(np.min(block.derived.get("n_refractory", 0)))
        self.capacity = _room(steps, self._apart)
        memory.require(
            24 * block.size * self.capacity,
            f"{self.capacity} spikes of each of {block.size} neurons with plastic synapses",
        )
        shape = self.capacity // CHUNK, block.size, CHUNK
        self.count = device.zeros(block.size, np.int32)
        self.stamp, self.trace = device.zeros(shape, np.int64), device.zeros(shape, np.float64)
        self.left = device.zeros(shape, np.float64)
        self._seen = np.zeros(block.size, np.int32)

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
    def check(contents: Contents, name: str, block: Block, step: int) -> None:
        """Raise `CheckpointError` for what `arrays` has not given."""
        size, most = (block.size,), 2**31 - 1
        numbers = contents.check(f"{name} steps", np.int64, (3,), least=1, most=most)
        steps, waiting, apart = numbers.tolist()
        shape = block.size, _room(steps, apart)
        contents.check(f"{name} count", np.int32, size, least=0)
        contents.check(f"{name} seen", np.int32, size, least=0)
        contents.check(f"{name} stamp", np.int64, shape, least=0, most=max(step, 0))
        contents.check(f"{name} trace", np.float64, shape, least=0, finite=True)
        if waiting > steps:
            contents.fail(f"{name} steps has the values {steps}, {waiting}")

    @classmethod
    def of(
        cls, arrays: dict[str, NDArray[Any]], block: Block, device: Device, past: Past
    ) -> History:
        """What `arrays` gave; `past` gives what is left of a trace."""
        steps, waiting, apart = map(int, arrays["steps"])
        made = cls(block, steps, waiting, device, apart)
        for name in HISTORY_ARRAYS:
            setattr(made, name, device.put(places(arrays[name])))
        made.left = device.put(places(past(arrays["stamp"])))
        made._seen = arrays["seen"].copy()
        return made

    def take_over(self, old: History, rate: float, past: Past) -> None:
        """Copy the spikes of another history, with traces that decay by `rate` per step."""

        def get(array: Any) -> NDArray[Any]:
            return _rows(self._device.get(array))

        number, kept = get(old.count), np.minimum(get(old.count), min(old.capacity, self.capacity))
        stamp, trace = get(self.stamp).copy(), get(self.trace).copy()
        old_stamp, last = get(old.stamp), np.zeros(len(kept))
        for k in range(int(kept.max(initial=0))):  # the k-th of those that are kept, of all neurons
            i = np.flatnonzero(kept > k)
            stamp[i, k] = old_stamp[i, (number[i] - kept[i] + k) % old.capacity]
            passed = stamp[i, k] - stamp[i, k - 1] if k else 0
            last[i] = 1 + last[i] * np.exp(-rate * passed)
            trace[i, k] = last[i]
        self.stamp, self.trace, self.left = (
            self._device.put(places(each)) for each in (stamp, trace, past(stamp))
        )
        self.count = self._device.put(kept.astype(np.int32))
        self._seen = np.maximum(kept - (number - old._seen), 0).astype(np.int32)


def _room(steps: int, apart: int) -> int:
    """Spikes that a neuron may have in so many steps, if two are so far apart: a power of two."""
    return max(1 << int(np.ceil(np.log2(steps / apart + 2))), CHUNK)


def places(rows: NDArray[Any]) -> NDArray[Any]:
    """What is given for each neuron and spike, [n, capacity], as `history.h` has it.

    Chunks of neurons' spikes: [capacity / width, n, width].
    """
    if rows.ndim == 1:
        return rows
    n, capacity = rows.shape
    width = min(capacity, CHUNK)
    chunks = rows.reshape(n, capacity // width, width)
    return np.ascontiguousarray(chunks.transpose(1, 0, 2))


def _rows(places: NDArray[Any]) -> NDArray[Any]:
    """The reverse."""
    if places.ndim == 1:
        return places
    rows: NDArray[Any] = places.transpose(1, 0, 2).reshape(places.shape[1], -1)
    return rows
