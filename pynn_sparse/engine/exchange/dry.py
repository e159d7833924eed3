"""One process of many, of which the others are not there, to see what such a run would take."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...network import Network
from .callback import Callback
from .processes import Processes
from .stripes import stripes

PAST = 256  # steps whose spikes the others send, each process those of another one
HEAD = 2  # words of a message before those of its steps

Spikes = tuple[NDArray[np.int64], NDArray[np.uint32]]  # neurons, and how many spikes of each


class DryProcess(Processes):
    """Process `rank` of `size`, alone.

    What processes agree on is what this one says. Each of the others sends, for every step, the
    spikes that this one had in an earlier step, of the neurons that have the same places in that
    process's stripes: so there is as much to send, to receive and to deliver as there would be, but
    not the same spikes at the same time from all.

    Attributes:
        building: seconds from the beginning to the first run.
        laying_out: seconds in which runs were prepared.
        running: seconds of runs besides, without those of `exchanging`.
        exchanging: seconds that exchanges have taken here, which is not what they take elsewhere.
    """

    dry = True

    def __init__(self, size: int, rank: int) -> None:
        self.rank, self.size = rank, size
        self.building = self.laying_out = self.running = self.exchanging = 0.0
        self._began = time.perf_counter()
        self._laid_out: float | None = None  # when, while a run is on
        self._callback = Callback(rank, size, self.exchange_words)
        self._past: deque[Spikes] = deque(maxlen=PAST)
        self._repeated = False
        self._network: Network | None = None
        self._first = np.zeros(1, np.int64)
        self._starts = np.zeros((0, size + 1), np.int64)

    def attach(self, network: Network) -> None:
        self._network = network
        self._past.clear()

    @contextmanager
    def together(self, what: str) -> Iterator[None]:
        if what != "run" or self._laid_out is not None:
            yield
            return
        began, exchanging = time.perf_counter(), self.exchanging
        self.building = self.building or began - self._began
        self._laid_out = began
        try:
            yield
        finally:
            self.laying_out += self._laid_out - began
            self.running += time.perf_counter() - self._laid_out
            self.running -= self.exchanging - exchanging
            self._laid_out = None

    @property
    def n_exchange(self) -> int:
        """How many exchanges there were."""
        return int(self._callback.record["n_exchange"][0])

    @property
    def sent(self) -> int:
        """Words that this process had to tell in them."""
        return int(self._callback.record["n_sent"][0])

    @property
    def words(self) -> int:
        """Words of a message, as it is sent now."""
        return int(self._callback.record["words"][0])

    def _all_gather(self, mine: NDArray[Any]) -> NDArray[Any]:
        return np.repeat(mine[np.newaxis], self.size, axis=0)

    def _gather(
        self, mine: NDArray[Any], lengths: list[int], everywhere: bool
    ) -> NDArray[Any] | None:
        raise NotImplementedError("a dry run has nothing to gather")

    def abort(self) -> None:
        """Nothing: the error of this process ends it."""

    def exchange(self) -> NDArray[np.void]:
        if self._laid_out is not None:  # what a plan of a run needs last
            self._laid_out = time.perf_counter()
        return self._callback.record

    @property
    def failure(self) -> BaseException | None:
        return self._callback.error

    # --- spikes of the others ---------------------------------------------------------------------

    def exchange_words(self, mine: NDArray[np.uint32], every: NDArray[np.uint32]) -> None:
        began = time.perf_counter()
        every[:] = mine
        if mine[0] <= len(mine):
            self._make_up(mine, every)
        self.exchanging += time.perf_counter() - began

    def _make_up(self, mine: NDArray[np.uint32], every: NDArray[np.uint32]) -> None:
        steps = self._steps_of(mine)
        if not self._repeated:
            self._past.extend(steps)
        most = 0
        for rank in range(self.size):
            if rank != self.rank:
                message = self._message_of(rank, len(steps))
                every[rank, : len(message)] = message[: every.shape[1]]
                every[rank, 1] = 0
                most = max(most, len(message))
        self._repeated = most > every.shape[1]  # then all send again, longer messages

    def _steps_of(self, message: NDArray[np.uint32]) -> list[Spikes]:
        """The spikes of each step of a message, see cuda/step/exchange.h."""
        found, at, end = [], HEAD, int(message[0])
        while at < end:
            n, several = divmod(int(message[at]), 2)
            neurons = message[at + 1 : at + 1 + n].astype(np.int64)
            at += 1 + n
            counts = message[at : at + n].copy() if several else np.ones(n, np.uint32)
            at += n * several
            found.append((neurons, counts))
        return found

    def _message_of(self, rank: int, n_step: int) -> NDArray[np.uint32]:
        """What a process sends of its spikes in as many steps."""
        late = 1 + (abs(rank - self.rank) - 1) % (PAST - n_step)
        last = len(self._past)
        parts: list[NDArray[np.uint32]] = [np.zeros(HEAD, np.uint32)]
        for step in range(last - n_step - late, last - late):
            if step < 0:
                parts.append(np.zeros(1, np.uint32))
                continue
            neurons, counts = self._as_of(rank, *self._past[step])
            several = bool((counts != 1).any())
            head = np.array([2 * len(neurons) + several], np.uint32)
            parts += [head, neurons.astype(np.uint32), *([counts] if several else [])]
        message = np.concatenate(parts)
        message[0] = len(message)
        return message

    def _as_of(self, rank: int, neurons: NDArray[np.int64], counts: NDArray[np.uint32]) -> Spikes:
        """Spikes of neurons at the same places in the stripes of another process, if it has them.

        Of a population that is not divided, and belongs to this process, the other has none.
        """
        self._know_stripes()
        block = np.searchsorted(self._first, neurons, side="right") - 1
        place = neurons - self._first[block] - self._starts[block, self.rank]
        moved = self._starts[block, rank] + place
        there = moved < self._starts[block, rank + 1]
        return (self._first[block] + moved)[there], counts[there]

    def _know_stripes(self) -> None:
        assert self._network is not None
        blocks = self._network.blocks
        if len(self._starts) != len(blocks):
            self._first = np.array([block.first for block in blocks], np.int64)
            self._starts = np.array([stripes(block, self.size) for block in blocks], np.int64)
