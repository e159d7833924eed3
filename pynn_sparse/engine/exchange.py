"""Between processes: who gets to know of which spikes, and when.

Neurons may do `batch` steps before a spike of the first of them arrives anywhere. So processes that
share a network have to tell each other of their spikes after so many steps, and not before. An
engine asks its exchange how many steps a call down may do, and hands it what these have brought.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..network import Network
from .neurons.spikes import Emitted
from .ownership import Ownership

NO_LIMIT = 2**62
BYTES_PER_SPIKE = 16  # step, block, neuron and multiplicity, of 4 bytes each


class Exchange(Protocol):
    """What passes spikes on between processes."""

    def steps(self, batch: int) -> int:
        """Steps that a call down may do, where neurons may do `batch` at a time."""

    def take(self, emitted: Callable[[], Emitted]) -> None:
        """A call down has been done; `emitted` gives its spikes, and waits for them."""


class Local:
    """One process has all neurons: nothing has to be passed on."""

    def steps(self, batch: int) -> int:
        return NO_LIMIT

    def take(self, emitted: Callable[[], Emitted]) -> None:
        pass


class DryRun:
    """Processes that do not exist: this one does the work of all, and notes what they would send.

    Each has its share of the neurons of every model, as owners have (`Ownership`), and sends all
    of its spikes to each of the others.

    Args:
        network: that is shared.
        n_process: how many share it.

    Attributes:
        exchanges: number of times at which spikes were passed on.
        sent: int64 [n_process, n_process] spikes that one process has sent to another.
    """

    def __init__(self, network: Network, n_process: int) -> None:
        if n_process < 1:
            raise ValueError(f"n_process = {n_process}: must be at least 1")
        self._network = network
        self._n_process = n_process
        self._ownership = Ownership([], n_process)
        self.exchanges = 0
        self.sent: NDArray[np.int64] = np.zeros((n_process, n_process), np.int64)

    def steps(self, batch: int) -> int:
        return batch

    def take(self, emitted: Callable[[], Emitted]) -> None:
        spikes = emitted()
        self.exchanges += 1
        count = np.bincount(self.process_of(spikes), minlength=self._n_process)
        self.sent += np.where(np.eye(self._n_process, dtype=bool), 0, count[:, np.newaxis])

    def process_of(self, spikes: Emitted) -> NDArray[np.int64]:
        """Which process has the neuron of each spike."""
        if len(self._ownership.starts) != len(self._network.blocks):
            self._ownership = Ownership(self._network.blocks, self._n_process)
        process = np.zeros(len(spikes.neuron), np.int64)
        for block in np.unique(spikes.block):
            of = spikes.block == block
            ends = self._ownership.starts[block][1:]
            process[of] = np.searchsorted(ends, spikes.neuron[of], side="right")
        return process

    @property
    def bytes_sent(self) -> int:
        """Bytes that all processes have sent."""
        return BYTES_PER_SPIKE * int(self.sent.sum())
