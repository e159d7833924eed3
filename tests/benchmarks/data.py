"""Times of moving data: synapses in bulk, spikes, large populations, recording to disk.

python tests/benchmarks/data.py [--repeats 5]    prints a table: median (least-greatest) seconds
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pyNN.sparse as sim
from pyNN.random import NumpyRNG, RandomDistribution

N_PRE, N_POST, P = 20_000, 5_000, 0.1  # ten million synapses
Jobs = dict[str, Callable[[], Any]]


def measure(jobs: Jobs, repeats: int) -> None:
    """Do each job so often, in turn, so that memory is reused as in a longer script."""
    times: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(repeats):
        for name, job in jobs.items():
            begin = time.perf_counter()
            job()
            times[name].append(time.perf_counter() - begin)
    for name, each in times.items():
        middle = statistics.median(each)
        print(f"| {name} | {middle:.3g} ({min(each):.3g}-{max(each):.3g}) |", flush=True)


def synapses() -> Jobs:
    sim.setup(timestep=0.1)
    rng = sim.NativeRNG(seed=1)
    pre = sim.Population(N_PRE, sim.SpikeSourcePoisson(rate=10.0))
    post = sim.Population(N_POST, sim.IF_curr_exp())
    synapse = sim.StaticSynapse(
        weight=RandomDistribution("normal_clipped", (0.02, 0.005, 0.0, 1.0), rng=rng),
        delay=RandomDistribution("uniform", (0.5, 3.0), rng=rng),
    )
    connector = sim.FixedProbabilityConnector(P, rng=rng)
    projection = sim.Projection(pre, post, connector, synapse)
    sim.run(1.0)
    weights = np.random.default_rng(1).random(len(projection))
    native = RandomDistribution("uniform", (0.0, 0.1), rng=sim.NativeRNG(2))
    numpy = RandomDistribution("uniform", (0.0, 0.1), rng=NumpyRNG(2))
    names = ["weight", "delay"]
    return {
        'get, format="columns"': lambda: projection.get(names, format="columns"),
        'get of weights, format="array"': lambda: projection.get("weight", format="array"),
        'get, format="list"': lambda: projection.get(names, format="list"),
        "set of weights, a number": lambda: projection.set(weight=0.03),
        "set of weights, an array": lambda: projection.set(weight=weights),
        "set of weights and delays, arrays": lambda: projection.set(
            weight=weights, delay=1.0 + weights
        ),
        "set of weights, NativeRNG": lambda: projection.set(weight=native),
        "set of weights, NumpyRNG": lambda: projection.set(weight=numpy),
        "set of weights, a function of distance": lambda: projection.set(weight=lambda d: 0.1 + d),
    }


def spikes() -> Jobs:
    sim.setup(timestep=0.1)
    source = sim.Population(10_000, sim.SpikeSourcePoisson(rate=100.0))
    source.record("spikes")
    sim.run(10_000.0)
    return {
        'get_data("spikes")': lambda: source.get_data("spikes"),
        "spike trains of 10,000 neurons": lambda: list(
            source.get_data("spikes").segments[0].spiketrains
        ),
        "get_spike_counts": source.get_spike_counts,
    }


def first_retrieval() -> None:
    sim.setup(timestep=0.1)
    source = sim.Population(10_000, sim.SpikeSourcePoisson(rate=100.0))
    source.record("spikes")
    sim.run(10_000.0)
    measure({'get_data("spikes"), the first after a run': lambda: source.get_data("spikes")}, 1)


def populations() -> Jobs:
    made: list[Any] = []

    def make() -> None:
        sim.setup(timestep=0.1)
        made[:] = [sim.Population(1_000_000, sim.IF_curr_exp())]

    return {
        "a population of 1,000,000": make,
        '  record("spikes")': lambda: made[0].record("spikes"),
    }


def traces(memory: float | None) -> Callable[[], Any]:
    """10,000 neurons, 10,000 samples of each: 800 MB."""

    def run() -> None:
        sim.setup(timestep=0.1, recording_memory=memory)
        cells = sim.Population(10_000, sim.IF_curr_exp())
        cells.record("v")
        sim.run(999.9)
        signal = cells.get_data().segments[0].analogsignals[0]
        assert signal.shape == (10_000, 10_000)

    return run


def main() -> None:
    """Measure everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    measure(populations(), repeats)
    measure(synapses(), repeats)
    first_retrieval()
    measure(spikes(), repeats)
    in_memory, on_disk = traces(None), traces(0)
    measure({"traces in memory": in_memory, "traces on disk": on_disk}, repeats)


if __name__ == "__main__":
    main()
