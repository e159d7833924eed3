"""What is recorded from a block, and what was recorded so far."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .block import Block


class Probe:
    """Samples of one state variable of some neurons of a block, every `interval` steps.

    Row 0 is the state at step `first`, taken when the next run begins; the engine appends the
    rest. `index` is ascending.
    """

    def __init__(self, block: Block, variable: str, interval: int, first: int) -> None:
        self.block = block
        self.variable = variable
        self.interval = interval
        self.index = np.zeros(0, np.int32)
        self.restart(first)

    def restart(self, first: int) -> None:
        """Forget all samples; the next run begins a new series at step `first`."""
        self.first = first
        self.chunks: list[NDArray[np.float64]] = []
        self.rows = 0

    def add(self, index: NDArray[np.int32]) -> None:
        """Record more neurons; they have no samples (NaN) for the time that has passed."""
        merged = np.union1d(self.index, index).astype(np.int32)
        if self.chunks:
            old = self.samples()
            chunk = np.full((len(old), len(merged)), np.nan)
            chunk[:, np.searchsorted(merged, self.index)] = old
            self.chunks = [chunk]
        self.index = merged

    def append(self, rows: NDArray[np.float64]) -> None:
        """Take up rows [k, len(index)]."""
        self.chunks.append(rows)
        self.rows += len(rows)

    def samples(self) -> NDArray[np.float64]:
        """All samples so far, [rows, len(index)]."""
        if not self.chunks:
            return np.empty((0, len(self.index)))
        if len(self.chunks) > 1:
            self.chunks = [np.concatenate(self.chunks)]
        return self.chunks[0]
