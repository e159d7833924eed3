"""What is recorded from a block, or of synapses, and what was recorded so far."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .block import Arrays, Block
from .disk import DiskArray

if TYPE_CHECKING:
    from .contents import Contents
    from .synapses import Present, SynapseTable

NUMBERS_AT_ONCE = 1 << 20  # that are rearranged at a time


class Series:
    """Samples of a variable of some items of many, every `interval` steps.

    Row 0 is what is there at step `first`, taken when the next run begins; the engine appends the
    rest. `nbytes` is what the samples take in memory, until `spill`.
    """

    _type: ClassVar[type[np.signedinteger[Any]]] = np.int64

    def __init__(self, variable: str, interval: int, first: int) -> None:
        self.variable = variable
        self.interval = interval
        self._index: NDArray[Any] = np.zeros(0, self._type)
        self._added: list[NDArray[Any]] = []  # while there are no samples
        self.restart(first)

    @property
    def index(self) -> NDArray[Any]:
        """Numbers of the items, ascending."""
        if self._added:
            self._index = np.union1d(self._index, np.concatenate(self._added)).astype(self._type)
            self._added = []
        return self._index

    @property
    def next(self) -> int:
        """The step of the row after those that there are."""
        return self.first + self.rows * self.interval

    def bytes_until(self, step: int) -> int:
        """What the rows that are still to come until a step will take."""
        rows = max(0, (step - self.first) // self.interval + 1 - self.rows)
        return rows * len(self.index) * np.dtype(np.float64).itemsize

    def restart(self, first: int) -> None:
        """Forget all samples; the next run begins a new series at step `first`."""
        self.first = first
        self.rows = 0
        self._forget()

    def _forget(self) -> None:
        self._chunks: list[NDArray[np.float64]] = []
        self._disk: DiskArray | None = None  # rows before those in memory
        self.nbytes = 0

    def add(self, index: NDArray[Any]) -> None:
        """Record more items; they have no samples (NaN) for the time that has passed.

        Raises OSError if samples are on disk and there is no room; nothing is changed then.
        """
        if not self.rows:
            self._added.append(index)
            return
        merged = np.union1d(self.index, index).astype(self._type)
        if len(merged) > len(self.index):
            before = self.__dict__.copy()
            try:
                self._widen(merged)
            except OSError:
                self.__dict__.update(before)
                raise
        self._index = merged

    def _widen(self, merged: NDArray[Any]) -> None:
        """Make room in what has been sampled for the items that are new in `merged`."""
        old, columns, spilled = self.samples(), np.searchsorted(merged, self.index), self._disk
        self._index = merged
        self._forget()
        at_once = max(1, NUMBERS_AT_ONCE // len(merged))
        for begin in range(0, len(old), at_once):
            part = old[begin : begin + at_once]
            chunk = np.full((len(part), len(merged)), np.nan)
            chunk[:, columns] = part
            self._take(chunk)
            if spilled is not None:
                self.spill()

    def append(self, rows: NDArray[np.float64]) -> None:
        """Take up rows [k, len(index)]."""
        self._take(rows)
        self.rows += len(rows)

    def _take(self, rows: NDArray[np.float64]) -> None:
        self._chunks.append(rows)
        self.nbytes += rows.nbytes

    def spill(self) -> None:
        """Move the samples in memory to disk. Raises OSError if there is no room; none is lost."""
        if self._chunks and self._disk is None:
            self._disk = DiskArray(np.float64, (len(self.index),))
        while self._chunks and self._disk is not None:
            self._disk.append(self._chunks[0])
            self.nbytes -= self._chunks.pop(0).nbytes

    def samples(self) -> NDArray[np.float64]:
        """All samples so far, [rows, len(index)], for the caller to keep."""
        return self.samples_of(self.index)

    def samples_of(self, index: NDArray[Any]) -> NDArray[np.float64]:
        """Samples of some of the items, [rows, len(index)], for the caller to keep.

        Those of all items, if they are on disk, stay there, and are read when they are looked at.
        """
        columns = np.searchsorted(self.index, index)
        chunks = self._chunks
        if self._disk is not None:
            with suppress(OSError):  # a full disk: what could not be moved is read from memory
                self.spill()
            on_disk = self._disk.rows()
            if not self._chunks:
                every = np.array_equal(columns, np.arange(len(self.index)))
                return on_disk if every else on_disk[:, columns]
            chunks = [on_disk, *self._chunks]
        samples = np.empty((self.rows, len(columns)))
        begin = 0
        for chunk in chunks:
            part = samples[begin : begin + len(chunk)]
            np.take(chunk, columns, axis=1, out=part, mode="clip")  # "raise" would copy twice
            begin += len(chunk)
        return samples

    def snapshot(self) -> Arrays:
        """The samples so far."""
        return {"samples": self.samples(), "first": np.array(self.first)}

    def check(self, contents: Contents, step: int) -> None:
        """Raise `CheckpointError` for what is no snapshot of samples until a step."""
        first, now = contents.number("first", 0, 2**62), max(step, 0)
        rows = max(0, (now - first) // self.interval + 1)
        contents.check("samples", np.float64, (rows, len(self.index)))
        contents.finish()

    def restore(self, arrays: Arrays) -> None:
        """Go back to a snapshot of the same items."""
        self.restart(int(arrays["first"]))
        if len(arrays["samples"]):
            self.append(arrays["samples"])


class Probe(Series):
    """Samples of one state variable of some neurons of a block; `index` are int32 in the block."""

    _type = np.int32

    def __init__(self, block: Block, variable: str, interval: int, first: int) -> None:
        self.block = block
        super().__init__(variable, interval, first)


class Chosen:
    """Some synapses of a table, found again when the table has moved them.

    Args:
        table: that has the synapses.
        numbers: int64 [m], places of the synapses in the order that users see.
        columns: int64 [m], places of their values in a sample.
    """

    def __init__(
        self, table: SynapseTable, numbers: NDArray[np.int64], columns: NDArray[np.int64]
    ) -> None:
        self.table = table
        self._numbers, self._columns = numbers, columns
        self._moves = -1

    def stored(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Where the synapses are stored, ascending, and the columns of these."""
        if self._moves != self.table.moves:
            places = self.table.order()[self._numbers]
            order = np.argsort(places)
            self._stored = places[order], self._columns[order]
            self._moves = self.table.moves
        return self._stored


class SynapseProbe(Series):
    """Samples of the weights ("weight"), or of a state variable, of some synapses of a projection.

    Attributes:
        chosen: the synapses, a column of a sample for each item of `index`.
    """

    def __init__(self, variable: str, interval: int, first: int) -> None:
        super().__init__(variable, interval, first)
        self.chosen: list[Chosen] = []

    def sample(self, look: Callable[[SynapseTable, NDArray[np.int64]], Present]) -> None:
        """Append a row of what is there now.

        `look` gives weights and states of the synapses stored at some places, ascending.
        """
        row = np.empty((1, len(self.index)))
        for each in self.chosen:
            places, columns = each.stored()
            now = look(each.table, places)
            row[0, columns] = now.weight if self.variable == "weight" else now.state[self.variable]
        self.append(row)
