"""What it costs processes to tell each other their spikes, for `pynn-sparse info --mpi`.

mpiexec -n 2 python -m pynn_sparse.bench.exchange

prints that, and what it takes to gather spikes that were recorded, as a line of JSON.
"""

from __future__ import annotations

import json
import statistics
import time
from typing import Any

import numpy as np

STEPS = 20_000  # that are measured at a time
REPEATS = 5
CELLS = 64  # of each process, which are at rest
SOURCES, RATE, DURATION = 10_000, 1000.0, 100.0  # Hz and ms: a million spikes


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


def gather_time(sim: Any) -> tuple[float, int]:
    """Seconds in which the spikes of all processes come to all, the median; and how many these are.

    They are in the order of neurons on each process before, as they are when data are read.
    """
    sim.setup(timestep=0.1, threads=1)
    cells = sim.Population(SOURCES, sim.SpikeSourcePoisson(rate=RATE))
    cells.record("spikes")
    sim.run(DURATION)
    n = sum(cells.get_spike_counts().values())
    times = []
    for _ in range(REPEATS):
        sim.simulator.state.processes.meet("bench")
        begin = time.perf_counter()
        with cells.recorder.reading_all("bench"):
            times.append(time.perf_counter() - begin)
    return statistics.median(times), n


def main() -> None:
    """Measure; process 0 prints."""
    import pyNN.sparse as sim

    sim.setup()
    exchange = exchange_time(sim)
    gathering, n = gather_time(sim)
    processes = sim.simulator.state.processes
    if processes.rank == 0:
        library = getattr(processes, "library", "none")
        told = {"exchange": exchange, "gather": gathering, "spikes": n, "library": library}
        print(json.dumps({"processes": processes.size} | told))


if __name__ == "__main__":
    main()
