"""Processes that are threads of one process, to try out what several processes do."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from .callback import Callback
from .processes import Processes

Result = TypeVar("Result")


class _Table:
    """Where threads put what they tell each other."""

    def __init__(self, size: int, timeout: float) -> None:
        self.barrier = threading.Barrier(size, timeout=timeout)
        self.laid: list[Any] = [None] * size


class ThreadProcess(Processes):
    """One of several threads that are taken for processes."""

    def __init__(self, rank: int, size: int, table: _Table) -> None:
        self.rank, self.size, self._table = rank, size, table
        self._callback = Callback(rank, size, self.exchange_words)

    def _lay(self, mine: Any) -> list[Any]:
        """What all threads lay down; each of them to be looked at, not kept."""
        self._table.laid[self.rank] = mine
        self._table.barrier.wait()
        return self._table.laid

    def _all_gather(self, mine: NDArray[Any]) -> NDArray[Any]:
        every = np.stack(self._lay(mine))
        self._table.barrier.wait()
        return every

    def _gather(
        self, mine: NDArray[Any], lengths: list[int], everywhere: bool
    ) -> NDArray[Any] | None:
        laid = self._lay(mine)
        every = np.concatenate(laid) if everywhere or self.rank == 0 else None
        self._table.barrier.wait()
        return every

    def exchange_words(self, mine: NDArray[np.uint32], every: NDArray[np.uint32]) -> None:
        np.stack(self._lay(mine), out=every)
        self._table.barrier.wait()

    def abort(self) -> None:
        self._table.barrier.abort()

    def exchange(self) -> NDArray[np.void]:
        return self._callback.record

    @property
    def failure(self) -> BaseException | None:
        return self._callback.error


def run_as_processes(
    size: int, work: Callable[[ThreadProcess], Result], timeout: float = 60.0
) -> list[Result]:
    """Do work in `size` threads that take each other for processes.

    Args:
        size: number of threads.
        work: what each does.
        timeout: seconds after which a thread gives up waiting for the others.

    Returns:
        What each thread has returned, by rank.

    Raises:
        BaseException: the first that a thread has raised by itself, or else the first of all.
    """
    table = _Table(size, timeout)
    results: dict[int, Result] = {}
    failures: list[BaseException] = []

    def one(rank: int) -> None:
        try:
            results[rank] = work(ThreadProcess(rank, size, table))
        except BaseException as error:
            failures.append(error)
            table.barrier.abort()

    threads = [threading.Thread(target=one, args=(rank,)) for rank in range(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    own = [each for each in failures if not isinstance(each, threading.BrokenBarrierError)]
    for error in [*own, *failures]:
        raise error
    return [results[rank] for rank in range(size)]
