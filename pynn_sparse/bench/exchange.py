"""What it costs processes to tell each other their spikes, for `pynn-sparse info --mpi`."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

STEPS = 20_000  # that are measured at a time
REPEATS = 5
CELLS = 64  # of each process, which are at rest


def describe_processes() -> list[str]:
    """Lines that say which processes of MPI there are, and what an exchange takes; on process 0.

    All processes have to call this; the others get none. Raises `ProcessesError` without
    mpi4py or an MPI library.
    """
    import pyNN.sparse as sim

    sim.setup()
    processes = sim.simulator.state.processes
    if processes.size == 1:
        return ["one process; of several: mpiexec -n 2 pynn-sparse info --mpi"]
    threads = processes.all_gather("info", np.array([sim.simulator.state.threads]))
    exchange = exchange_time(sim) * 1e6
    if processes.rank:
        return []
    how = "directly" if getattr(processes, "direct", False) else "through mpi4py"
    return [
        f"{getattr(processes, 'library', 'no MPI library')}, called {how}",
        f"{processes.size} processes; threads of each: {', '.join(map(str, threads.ravel()))}",
        f"an exchange without spikes: {exchange:.1f} us",
    ]


def exchange_time(sim: Any) -> float:
    """Seconds that an exchange adds to a step in which nothing happens; the least of several.

    That is packing, the call of MPI, waiting for the others, and unpacking.
    """
    alone, together = [], []
    for _ in range(REPEATS):
        alone.append(_time_of_step(sim, several=False))
        together.append(_time_of_step(sim, several=True))
    return max(min(together) - min(alone), 0.0)


def _time_of_step(sim: Any, *, several: bool) -> float:
    dt = 0.1
    sim.setup(timestep=dt, min_delay=dt, threads=1, mpi=None if several else False)
    n = CELLS * sim.num_processes()
    cells = sim.Population(n, sim.IF_curr_delta())
    silent = sim.StaticSynapse(weight=0.0, delay=dt)  # after each step there is an exchange
    sim.Projection(cells[:1], cells, sim.AllToAllConnector(), silent)
    sim.run(10.0)
    begin = time.perf_counter()
    sim.run(STEPS * dt)
    return (time.perf_counter() - begin) / STEPS
