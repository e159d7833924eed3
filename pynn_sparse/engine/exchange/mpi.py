"""Processes that MPI has started, through mpi4py.

mpi4py is imported only where a launcher has started the process, or a script asks for it: a
machine may have mpi4py without an MPI library, which is no matter to others.
"""

from __future__ import annotations

import atexit
import ctypes
import io
import os
import re
import sys
import traceback
from collections.abc import Callable
from contextlib import redirect_stderr
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ... import processors
from ...errors import ProcessesError
from .callback import Callback
from .processes import Alone, Processes

INSTALL = "pip install 'pynn-sparse[mpi]', and have an MPI library"


class MpiProcess(Processes):
    """A process of MPI's world.

    Args:
        mpi: the module `mpi4py.MPI`.
    """

    def __init__(self, mpi: Any) -> None:
        self._mpi, self._world = mpi, mpi.COMM_WORLD
        self.rank, self.size = self._world.rank, self._world.size
        self._callback = Callback(self.rank, self.size, self.exchange_words)
        self._library = _library_of_mpi()
        self.direct = self._call_directly()

    @property
    def library(self) -> str:
        """The MPI library and its version."""
        return str(self._mpi.Get_library_version()).splitlines()[0].rstrip("\0")

    def _all_gather(self, mine: NDArray[Any]) -> NDArray[Any]:
        every = np.empty((self.size, *mine.shape), mine.dtype)
        self._world.Allgather(_bytes(mine), _bytes(every))
        return every

    def _gather(
        self, mine: NDArray[Any], lengths: list[int], everywhere: bool
    ) -> NDArray[Any] | None:
        every = np.empty(sum(lengths), mine.dtype) if everywhere or self.rank == 0 else None
        size = mine.dtype.itemsize
        counts = [size * n for n in lengths]
        into = None if every is None else [_bytes(every), counts]
        if everywhere:
            self._world.Allgatherv(_bytes(mine), into)
        else:
            self._world.Gatherv(_bytes(mine), into)
        return every

    def exchange_words(self, mine: NDArray[np.uint32], every: NDArray[np.uint32]) -> None:
        self._world.Allgather(mine, every)

    def exchange(self) -> NDArray[np.void]:
        return self._callback.record

    @property
    def failure(self) -> BaseException | None:
        return self._callback.error

    def abort(self) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        self._world.Abort(1)

    # --- the function of the library, called by C++ -----------------------------------------------

    def _call_directly(self) -> bool:
        """Have the loop of steps call MPI_Allgather itself, if that gives what mpi4py gives.

        Handles are numbers or addresses, as the library has them; both fit into a word.
        """
        record, works = self._callback.record, False
        if self._library is not None:
            function = self._library.MPI_Allgather
            handle = self._mpi._handleof
            type_, world = handle(self._mpi.UINT32_T), handle(self._world)
            mine = np.array([self.rank, 7], np.uint32)
            every = np.zeros((self.size, 2), np.uint32)
            word, n = ctypes.c_size_t, ctypes.c_int
            function.argtypes = [ctypes.c_void_p, n, word, ctypes.c_void_p, n, word, word]
            code = function(mine.ctypes.data, 2, type_, every.ctypes.data, 2, type_, world)
            expected = np.stack([np.arange(self.size), np.full(self.size, 7)], axis=1)
            works = code == 0 and bool((every == expected).all())
        if not self.any("setup", not works):
            record["mpi_all_gather"] = ctypes.cast(function, ctypes.c_void_p).value
            record["mpi_type"], record["mpi_comm"] = type_, world
            return True
        return False

    # --- the beginning and the end of a script ----------------------------------------------------

    def take_part(self) -> None:
        """Share the processors of a machine, and have all processes end if one of them fails."""
        node = self._world.Split_type(self._mpi.COMM_TYPE_SHARED)
        on_node = node.allgather(sorted(os.sched_getaffinity(0)) if _has_affinity() else None)
        self.place = node.rank
        node.Free()
        if all(each == on_node[0] for each in on_node):  # the launcher has not divided them
            processors.share_among(len(on_node))
        sys.excepthook = self._ended_by(sys.excepthook)
        atexit.register(self._meet_at_the_end)

    def _ended_by(self, hook: Callable[..., Any]) -> Callable[..., Any]:
        def end(
            kind: type[BaseException], error: BaseException, trace: TracebackType | None
        ) -> None:
            said = io.StringIO()  # in one piece: launchers mix what processes write
            with redirect_stderr(said):
                hook(kind, error, trace)
            print(f"process {self.rank} of {self.size} has failed: all end", file=said)
            sys.stderr.write(said.getvalue())
            sys.stderr.flush()
            self.abort()

        return end

    def _meet_at_the_end(self) -> None:
        if self._mpi.Is_finalized():
            return
        sys.stdout.flush()  # while the launcher still listens
        try:
            self.meet("the end of the script")
        except ProcessesError:
            traceback.print_exc()
            self.abort()


def _bytes(array: NDArray[Any]) -> NDArray[np.uint8]:
    """The same memory as bytes, so that any type can be sent."""
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8)


def _has_affinity() -> bool:
    return hasattr(os, "sched_getaffinity")


def _library_of_mpi() -> Any:
    """The library that mpi4py has loaded, None where that cannot be told."""
    maps = Path("/proc/self/maps")
    if not maps.exists():
        return None
    names = re.findall(r"(/\S*/libmpi(?:ch)?\.so\S*)$", maps.read_text(), re.MULTILINE)
    for name in dict.fromkeys(names):
        library = ctypes.CDLL(name)
        if hasattr(library, "MPI_Allgather"):
            return library
    return None


@cache
def world() -> Processes:
    """The processes of MPI, of which this is one.

    Raises:
        ProcessesError: if there is no mpi4py, or it finds no MPI library.
    """
    try:
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:  # the latter without a library
        raise ProcessesError(
            "this process is one of several that MPI has started, or setup() was told mpi=True, "
            f"but mpi4py cannot be used ({error}): {INSTALL}, or give mpi=False, with which each "
            "process simulates by itself"
        ) from error
    if MPI.COMM_WORLD.size == 1:
        return Alone()
    process = MpiProcess(MPI)
    process.take_part()
    return process
