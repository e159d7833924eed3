"""What is recorded from a block, and what was recorded so far."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .block import Arrays, Block
from .disk import DiskArray

if TYPE_CHECKING:
    from .contents import Contents

NUMBERS_AT_ONCE = 1 << 20  # that are rearranged at a time


class Probe:
    """Samples of one state variable of some neurons of a block, every `interval` steps.

    Row 0 is the state at step `first`, taken when the next run begins; the engine appends the
    rest. `index` is ascending. `nbytes` is what the samples take in memory, until `spill`.
    """

    def __init__(self, block: Block, variable: str, interval: int, first: int) -> None:
        self.block = block
        self.variable = variable
        self.interval = interval
        self._index = np.zeros(0, np.int32)
        self._added: list[NDArray[np.int32]] = []  # while there are no samples
        self.restart(first)

    @property
    def index(self) -> NDArray[np.int32]:
        """The neurons, ascending."""
        if self._added:
            self._index = np.union1d(self._index, np.concatenate(self._added)).astype(np.int32)
            self._added = []
        return self._index

    def restart(self, first: int) -> None:
        """Forget all samples; the next run begins a new series at step `first`."""
        self.first = first
        self.rows = 0
        self._forget()

    def _forget(self) -> None:
        self._chunks: list[NDArray[np.float64]] = []
        self._disk: DiskArray | None = None  # rows before those in memory
        self.nbytes = 0

    def add(self, index: NDArray[np.int32]) -> None:
        """Record more neurons; they have no samples (NaN) for the time that has passed.

        Raises OSError if samples are on disk and there is no room; nothing is changed then.
        """
        if not self.rows:
            self._added.append(index)
            return
        merged = np.union1d(self.index, index).astype(np.int32)
        if len(merged) > len(self.index):
            before = self.__dict__.copy()
            try:
                self._widen(merged)
            except OSError:
                self.__dict__.update(before)
                raise
        self._index = merged

    def _widen(self, merged: NDArray[np.int32]) -> None:
        """Make room in what has been sampled for the neurons that are new in `merged`."""
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
        """Samples of some of the neurons, [rows, len(index)], for the caller to keep.

        Those of all neurons, if they are on disk, stay there, and are read when they are looked at.
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
        """Go back to a snapshot of the same neurons."""
        self.restart(int(arrays["first"]))
        if len(arrays["samples"]):
            self.append(arrays["samples"])
