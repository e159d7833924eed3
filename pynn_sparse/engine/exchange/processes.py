"""Processes that simulate one network together: what they have in common, and how they agree.

All run the same script, and come to the same calls in the same order. Each call in which they tell
each other something is a *meeting*, which begins with a message of a fixed length: what the process
is about to do, whether it has failed, and a sum over what has to be the same everywhere. So a call
that only some processes make, an error that only some of them have, and values that differ become
errors on all, which say so, where one process would otherwise wait for another for ever.

Between two meetings, in the loop of steps, spikes are exchanged without (`cuda/step/exchange.h`).
"""

from __future__ import annotations

import hashlib
import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import ProcessesError
from ...network import Network

# What launchers tell the processes that they start; of the first ones, how many there are.
SIZES = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE")
STARTED = (*SIZES, "PMI_RANK", "PMIX_RANK", "MPI_LOCALRANKID")
FIELDS = 4  # of the message that begins a meeting: what, whether it has failed, a sum, a length
MOST_PROCESSES = 1 << 20
WORDS = 64  # of a message with the spikes of a batch, in the beginning


class Processes(ABC):
    """A process among those that share a network.

    Attributes:
        rank: its number.
        size: how many there are.
        place: its number among those of its machine, to take a GPU by; None where there are none.
        dry: whether the others are not there.
    """

    rank: int
    size: int
    place: int | None = None
    dry = False
    _told: BaseException | None = None  # the last error that the others know of

    # --- what the means of communication have to do -----------------------------------------------

    @abstractmethod
    def _all_gather(self, mine: NDArray[Any]) -> NDArray[Any]:
        """Arrays of one shape and type, of all processes: [size, ...]."""

    @abstractmethod
    def _gather(
        self, mine: NDArray[Any], lengths: list[int], everywhere: bool
    ) -> NDArray[Any] | None:
        """One-dimensional arrays of one type, one after the other; None except on process 0.

        `lengths` are those of all processes' arrays.
        """

    @abstractmethod
    def abort(self) -> None:
        """End all processes, as far as that can be done."""

    @abstractmethod
    def exchange(self) -> NDArray[np.void] | None:
        """The structure `Exchange` of cuda/core/plan.h; None where there is nobody to talk to."""

    def exchange_words(self, mine: NDArray[np.uint32], every: NDArray[np.uint32]) -> None:
        """Have the words of all processes, [size, n], in `every`; `mine` are [n] of this one."""
        every[:] = self._all_gather(mine)

    @property
    def failure(self) -> BaseException | None:
        """What an exchange of spikes has failed of."""
        return None

    def lost(self, error: BaseException) -> None:
        """Spikes could not be exchanged: there is nobody to meet any more."""
        self._told = error
        self.abort()

    def attach(self, network: Network) -> None:  # noqa: B027 - most do not need it
        """Have the network whose spikes are going to be exchanged."""

    @property
    def gathers(self) -> bool:
        """Whether others have something that can be gathered."""
        return self.size > 1 and not self.dry

    # --- meetings ---------------------------------------------------------------------------------

    def meet(self, what: str, same: int = 0, length: int = 0) -> list[int]:
        """Come together with all processes, which are about to do the same.

        Args:
            what: the call, for messages.
            same: a number that has to be the same everywhere.
            length: of an array, which need not be.

        Returns:
            The lengths that all processes have given.

        Raises:
            ProcessesError: if other processes are about to do something else, or have failed, or
                the number differs; all of them get it.
        """
        if self.size == 1:
            return [length]
        met = self._all_gather(np.array([_number(what), 0, same, length], np.uint64))
        self._check(met, what, {})
        return [int(each) for each in met[:, 3]]

    def meet_alike(self, what: str, parts: Mapping[str, int]) -> None:
        """The same, with a number for each part of something, by its name."""
        if self.size > 1:
            same = digest([what, *parts.items()])
            met = self._all_gather(np.array([_number(what), 0, same, 0], np.uint64))
            self._check(met, what, parts)

    def _check(self, met: NDArray[np.uint64], what: str, parts: Mapping[str, int]) -> None:
        if met[:, 1].any() or (met[:, 0] != met[0, 0]).any() or (met[:, 2] != met[0, 2]).any():
            said = self._texts(what)
            failed = np.flatnonzero(met[:, 1])
            if len(failed):
                reason = "; ".join(f"process {k} has failed: {said[k]}" for k in failed)
            elif len(set(said)) > 1:
                doing = ", ".join(f"process {k} is in {text}" for k, text in enumerate(said))
                reason = f"all processes have to make the same calls, but {doing}"
            else:
                differ = np.flatnonzero(met[:, 2] != met[0, 2]).tolist()
                of = _first_that_differs(self._texts(" ".join(map(str, parts.values()))), parts)
                reason = (
                    f"{what}: process {', '.join(map(str, differ))} and process 0 have other "
                    f"values{of}: all processes have to describe the same network; random numbers "
                    "of a script must come from generators with a seed that is the same "
                    "everywhere, and what is set has to be set for all cells, not for local ones"
                )
            raise self._known(ProcessesError(reason))

    def _known(self, error: ProcessesError) -> ProcessesError:
        self._told = error
        return error

    def _texts(self, mine: str) -> list[str]:
        """A short text of each process."""
        data = mine.encode()
        longest = int(self._all_gather(np.array([len(data) + 1])).max())
        rows = self._all_gather(np.frombuffer(data.ljust(longest, b"\0"), np.uint8))
        return [row.tobytes().rstrip(b"\0").decode(errors="replace") for row in rows]

    @contextmanager
    def together(self, what: str) -> Iterator[None]:
        """A section after which all processes know if one of them has failed in it.

        That one raises its own error, and the others `ProcessesError`, which names it. Sections may
        nest, and there may be meetings in them.
        """
        try:
            yield
        except BaseException as error:
            if self.size > 1 and error is not self._told:
                self._told = error
                mine = np.array([_number(what), 1, 0, 0], np.uint64)
                self._all_gather(mine)
                self._texts(f"{type(error).__name__}: {error}")
            raise
        self.meet(what)

    # --- what they tell each other ----------------------------------------------------------------

    def all_gather(self, what: str, mine: NDArray[Any]) -> NDArray[Any]:
        """Arrays of one shape and type, of all processes: [size, ...]."""
        if self.size == 1:
            return mine[np.newaxis]
        self.meet(what)
        return self._all_gather(np.ascontiguousarray(mine))

    def greatest(self, what: str, values: NDArray[Any]) -> NDArray[Any]:
        """The greatest of each value over all processes."""
        greatest: NDArray[Any] = self.all_gather(what, values).max(axis=0)
        return greatest

    def total(self, what: str, values: NDArray[Any]) -> NDArray[Any]:
        """The sum of each value over all processes."""
        total: NDArray[Any] = self.all_gather(what, values).sum(axis=0)
        return total

    def any(self, what: str, holds: bool) -> bool:
        """Whether something holds for some process."""
        return bool(self.greatest(what, np.array([holds], np.uint8))[0])

    def gather(
        self, what: str, mine: NDArray[Any], *, everywhere: bool = False
    ) -> NDArray[Any] | None:
        """Arrays [n, ...] of one type, of all processes, one after the other.

        Returns:
            An array [sum of n, ...] on process 0, or `everywhere`; None on the others.
        """
        lengths = self.meet(what, same=int(np.prod(mine.shape[1:])), length=len(mine))
        if self.size == 1:
            return mine
        width = int(np.prod(mine.shape[1:]))
        flat = np.ascontiguousarray(mine).reshape(-1)
        all_ = self._gather(flat, [width * n for n in lengths], everywhere)
        return None if all_ is None else all_.reshape(sum(lengths), *mine.shape[1:])


class Alone(Processes):
    """One process has all neurons."""

    rank, size = 0, 1

    def _all_gather(self, mine: NDArray[Any]) -> NDArray[Any]:
        return mine[np.newaxis]

    def _gather(
        self, mine: NDArray[Any], lengths: list[int], everywhere: bool
    ) -> NDArray[Any] | None:
        return mine

    def abort(self) -> None:
        """Nothing: the error of this process ends it."""

    def exchange(self) -> None:
        return None


def is_launched() -> bool:
    """Whether a launcher of MPI has started this process, to simulate with others.

    Not if it works for an executor of `mpi4py.futures`: each task is a simulation of its own.
    """
    if "mpi4py.futures" in sys.modules or not any(name in os.environ for name in STARTED):
        return False
    return not any(os.environ.get(name) == "1" for name in SIZES)


def first_number(processes: Processes) -> int:
    """The first of the numbers, below 2^32, that a process gives where each gives its own."""
    return processes.rank * (2**32 // processes.size)


def _first_that_differs(said: list[str], parts: Mapping[str, int]) -> str:
    """The name of the first part that has other numbers on some processes, for a message."""
    rows = [text.split() for text in said]
    if len(set(map(len, rows))) == 1:
        for name, *numbers in zip(parts, *rows, strict=True):
            if len(set(numbers)) > 1:
                return f" for {name}"
    return ""


def digest(parts: Iterable[Any]) -> int:
    """A number of 64 bits that depends on all of the parts: arrays, numbers, texts."""
    made = hashlib.blake2b(digest_size=8)
    for part in parts:
        if isinstance(part, np.ndarray):
            made.update(str((part.dtype, part.shape)).encode())
            made.update(np.ascontiguousarray(part).reshape(-1).view(np.uint8).data)
        else:
            made.update(repr(part).encode())
        made.update(b"\0")
    return int.from_bytes(made.digest(), "little")


def _number(what: str) -> int:
    """A text as a number of 64 bits."""
    return digest([what])
