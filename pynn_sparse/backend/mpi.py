"""The processes of MPI, if there are any, and generators of random numbers that are alike in all.

PyNN's generators ask, whenever one is made or copied, in which process of MPI they are. Without
mpi4py that is a failed import each time, of about a millisecond, which is longer than a small
projection takes; with mpi4py but no library it is an error. Here the answer is the launcher's.
"""

from __future__ import annotations

import functools
import itertools
from typing import Any

import numpy as np

from pynn_sparse.engine.exchange.processes import Alone, Processes, is_launched

from .. import random

_ALONE = Alone()


def processes_of(mpi: bool | None = None, dry_run: tuple[int, int] | None = None) -> Processes:
    """The processes that simulate together.

    Args:
        mpi: whether they are MPI's; None for those where a launcher has started this process.
        dry_run: how many they would be, and the number of this one, which is alone.

    Raises:
        ProcessesError: if they are, and mpi4py cannot be used.
    """
    if dry_run is not None:
        from pynn_sparse.engine.exchange.dry import DryProcess

        return DryProcess(*dry_run)
    if not (is_launched() if mpi is None else mpi):
        return _ALONE
    from pynn_sparse.engine.exchange.mpi import world

    return world()


@functools.cache
def _config() -> tuple[int, int]:
    """Number of the process, and of all, in the place of `pyNN.random.get_mpi_config`."""
    processes = processes_of()
    if processes.size > 1:
        _seed_alike(processes)
    return processes.rank, processes.size


def ask_once() -> None:
    """Have `pyNN.random` keep the answer; calling this again changes nothing."""
    random.get_mpi_config = _config


def _seed_alike(processes: Processes) -> None:
    """Have generators that are made without a seed give the same numbers on all processes.

    What seeds them are numbers that process 0 takes from the system, and how many there have been.
    """
    entropy = np.frombuffer(np.random.SeedSequence().generate_state(4).tobytes(), np.uint32)
    every = processes.all_gather("a generator of random numbers", entropy)
    numbers = itertools.count()
    make = random.NumpyRNG.__init__

    @functools.wraps(make)
    def made_alike(self: Any, seed: Any = None, parallel_safe: bool = True) -> None:
        make(self, seed, parallel_safe)
        if type(self) is random.NumpyRNG and self.seed is None:
            sequence = np.random.SeedSequence([*every[0].tolist(), next(numbers)])
            self.rng.seed(sequence.generate_state(8))

    random.NumpyRNG.__init__ = made_alike
