"""One run of a benchmark network in a process of its own; prints a line of JSON.

python -m pynn_sparse.bench.one_run cuba4000 sparse --threads 2 --duration 1000
mpiexec -n 2 python -m pynn_sparse.bench.one_run cuba4000 sparse --threads 1 --ranks 2
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from ..measuring import Stopwatch, busy, peak, resident
from . import genn, pynest
from .networks import NETWORKS, TIMESTEP, Built

WARM_UP = 100.0  # ms
SHORT = 0.2  # s: processor time is counted in ticks of 10 ms, too coarse for less than this
# Of several processes the greatest counts: the slowest, and the one with the most memory.
OF_EACH = (
    *("import", "build", "build CPU", "first step", "run per second", "run CPU per second"),
    *("network MiB", "network peak MiB", "peak MiB"),
)


def cv_of_intervals(trains: list[Any]) -> float | None:
    """Mean coefficient of variation over the trains of three spikes or more; None without any."""
    values = []
    for train in trains:
        intervals = np.diff(np.asarray(train, float))
        if len(intervals) > 1 and intervals.mean() > 0:
            values.append(intervals.std() / intervals.mean())
    return float(np.mean(values)) if values else None


def digest_of(trains: list[Any]) -> str:
    """A text that is the same for the same trains of spikes, bit for bit."""
    made = hashlib.blake2b(digest_size=8)
    made.update(np.array([len(train) for train in trains], np.int64).tobytes())
    for train in trains:
        made.update(np.asarray(train, np.float64).tobytes())
    return made.hexdigest()


def measure(
    setup: Callable[[], Any],
    build: Callable[[Any], Built],
    run: Callable[[float], Any],
    trains: Callable[[Built], list[Any]],
    duration: float,
    measured: Callable[[Built, float], Any] | None = None,
) -> dict[str, Any]:
    """Times in s, rates in Hz, memory in bytes; `trains` gives spike times (ms) after the run.

    `measured` advances by the milliseconds that are measured, by default as `run` does.
    "run per second" is the real-time factor: seconds for a biological second. "network MiB", and
    bytes per synapse, are what memory has grown by since before the network was built, at the end
    of the first step and at most. "spikes" are the same text where the spikes are the same.
    """
    watch = Stopwatch()
    sim = setup()
    figures: dict[str, Any] = {"import": watch.lap()}
    before, cpu = resident(), time.process_time()
    built = build(sim)
    figures["build"] = watch.lap()
    figures["build CPU"] = time.process_time() - cpu
    run(TIMESTEP)
    figures["first step"] = watch.lap()
    grown = resident() - before
    most = max(grown, peak() - before)  # the peak is updated late
    run(WARM_UP)
    watch.lap()
    system, own = busy()
    if measured is None:
        run(duration)
    else:
        measured(built, duration)
    wall = watch.lap()
    after, memory = busy(), peak()
    spikes = [np.asarray(train, float) for train in trains(built)]
    # A step's spikes are stamped with its end.
    begin = TIMESTEP + WARM_UP + 1e-6
    counted = [train[train > begin] for train in spikes]
    recorded = sum(population.size for population in built.recorded)
    n_spikes = sum(map(len, counted)) * built.neurons / recorded
    events = n_spikes * built.fan_out + built.source_events * duration / 1000
    steps = duration / TIMESTEP
    return figures | {
        "run per second": wall / duration * 1000,
        "run CPU per second": (after[1] - own) / duration * 1000,
        "rate": n_spikes / built.neurons / duration * 1000,
        "cv": cv_of_intervals(counted),
        "neurons": built.neurons,
        "synapses": built.synapses,
        "ns per neuron-step": wall / (built.neurons * steps) * 1e9,
        "ns per event": wall / events * 1e9 if events else None,
        "bytes per synapse": grown / built.synapses,
        "peak bytes per synapse": most / built.synapses,
        "network MiB": grown / 2**20,
        "network peak MiB": most / 2**20,
        "peak MiB": memory / 2**20,
        "spikes": digest_of(spikes),
        "other CPU": (
            max(0.0, after[0] - system - (after[1] - own)) / wall if wall > SHORT else None
        ),
    }


def with_pynn(name: str, backend: str, threads: int, rng: str, duration: float) -> dict[str, Any]:
    """A run through PyNN."""
    sim: Any = None

    def setup() -> Any:
        nonlocal sim
        sim = importlib.import_module(f"pyNN.{backend}")
        extra = {"spike_precision": "on_grid"} if backend == "nest" else {}
        sim.setup(timestep=TIMESTEP, min_delay=TIMESTEP, max_delay=20.0, threads=threads, **extra)
        return sim

    def build(sim: Any) -> Built:
        from pyNN.random import NumpyRNG

        generator = sim.NativeRNG(1) if rng == "native" else NumpyRNG(1)
        built = NETWORKS[name].build(sim, generator)
        for population in built.recorded:
            population.record("spikes")
        return built

    def trains(built: Built) -> list[Any]:
        segments = [population.get_data().segments[0] for population in built.recorded]
        return [train.magnitude for segment in segments for train in segment.spiketrains]

    run = lambda duration: sim.run(duration)  # noqa: E731 - `sim` is known only after setup

    def measured(built: Built, duration: float) -> None:
        NETWORKS[name].advance(sim, built, duration)

    figures = measure(setup, build, run, trains, duration, measured)
    return {"engine": f"PyNN {backend}"} | figures


def with_pynest(name: str, threads: int, duration: float) -> dict[str, Any]:
    """A run with plain PyNEST."""
    nest: Any = None

    def setup() -> Any:
        nonlocal nest
        nest = pynest.setup(threads)
        return nest

    def trains(built: Built) -> list[Any]:
        return [train for recorded in built.recorded for train in recorded.trains()]

    figures = measure(
        setup,
        lambda sim: pynest.build(sim, name),
        lambda time: nest.Simulate(time),
        trains,
        duration,
    )
    return {"engine": "PyNEST"} | figures


def with_genn(name: str, duration: float) -> dict[str, Any]:
    """A run with GeNN, on one thread; its build includes the compiler."""
    steps = round((TIMESTEP + WARM_UP + duration) / TIMESTEP)
    made: list[genn.Simulation] = []

    def setup() -> genn.Simulation:
        made.append(genn.Simulation(steps))
        return made[0]

    figures = measure(
        setup,
        lambda sim: genn.build(sim, name),
        lambda time: made[0].run(time),
        lambda built: genn.trains(made[0], built),
        duration,
    )
    return {"engine": "GeNN"} | figures


def of_all(figures: dict[str, Any], ranks: int) -> dict[str, Any]:
    """The figures of several processes of MPI as those of one: the greatest of `OF_EACH`.

    "processes" are those of each. What was computed is what process 0 says of it.
    """
    from mpi4py import MPI

    every: list[dict[str, Any]] = MPI.COMM_WORLD.allgather(figures)
    if len(every) != ranks:
        raise RuntimeError(
            f"mpiexec has started {ranks} processes, of which mpi4py sees {len(every)}: it has to "
            "be that of the MPI library which mpi4py finds"
        )
    first, *others = every
    other = first["other CPU"]
    if other is not None:
        of_run = sum(each["run CPU per second"] for each in others) / first["run per second"]
        other = max(0.0, other - of_run)
    return {
        **first,
        **{name: max(each[name] for each in every) for name in OF_EACH},
        "other CPU": other,
        "processes": [{name: each[name] for name in OF_EACH} for each in every],
    }


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("network", choices=NETWORKS)
    parser.add_argument("backend", choices=("sparse", "nest", "genn"))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rng", choices=("numpy", "native"), default="numpy")
    parser.add_argument("--ranks", type=int, default=1, help="processes, this being one")
    parser.add_argument("--duration", type=float, default=1000.0, help="biological time, in ms")
    options = parser.parse_args()
    if options.backend == "genn":
        figures = with_genn(options.network, options.duration)
    elif options.backend == "nest" and options.network in pynest.NETWORKS:
        figures = with_pynest(options.network, options.threads, options.duration)
    else:
        run = (options.network, options.backend, options.threads, options.rng)
        figures = with_pynn(*run, options.duration)
    if options.ranks > 1:
        from mpi4py import MPI

        figures = of_all(figures, options.ranks)
        if MPI.COMM_WORLD.rank:
            return
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
