"""The same network on two PyNN backends, compared spike by spike.

    python examples/swap_backends.py [sparse] [nest]

Spikes at given times drive a recurrent network of 200 neurons, drawn by `NumpyRNG` the same for
both. Prints whether connections and spikes are identical, or where spikes first differ.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from numpy.typing import NDArray
from pyNN.parameters import Sequence
from pyNN.random import NumpyRNG, RandomDistribution

matplotlib.use("Agg")
import matplotlib.pyplot as plt

TIMESTEP, DURATION = 0.1, 500.0  # ms
NEST_SHIFT = 1e-7  # ms: moves times off the edge at which NEST may take the next time step


def simulate(name: str) -> tuple[list[tuple[float, ...]], NDArray[np.int64], NDArray[np.int64]]:
    """Connections (pre, post, weight, delay), and neuron and time step of each spike."""
    sim: Any = importlib.import_module(f"pyNN.{name}")
    extra = {"spike_precision": "on_grid"} if name == "nest" else {}
    sim.setup(timestep=TIMESTEP, min_delay=TIMESTEP, max_delay=5.0, **extra)
    rng = NumpyRNG(seed=7)
    drawn = np.random.RandomState(3).uniform(1, DURATION, size=(50, 20))
    drawn = np.round(drawn, 1) - (NEST_SHIFT if name == "nest" else 0.0)
    times = [Sequence(np.unique(row)) for row in drawn]
    inputs = sim.Population(50, sim.SpikeSourceArray(spike_times=times))
    neurons = sim.Population(200, sim.IF_curr_exp(tau_refrac=2.0, i_offset=0.6))
    neurons.initialize(v=RandomDistribution("uniform", (-65.0, -50.0), rng=rng))
    delay, rows = RandomDistribution("uniform", (0.1, 3.0), rng=rng), []
    for pre, weight, receptor in (
        (inputs, 0.4, "excitatory"),
        (neurons[:160], 0.03, "excitatory"),
        (neurons[160:], -0.2, "inhibitory"),
    ):
        connector = sim.FixedProbabilityConnector(0.2, rng=rng)
        synapse = sim.StaticSynapse(weight=weight, delay=delay)
        projection = sim.Projection(pre, neurons, connector, synapse, receptor_type=receptor)
        rows += sorted(projection.get(["weight", "delay"], format="list"))
    neurons.record("spikes")
    sim.run(DURATION)
    trains = neurons.get_data("spikes").segments[0].spiketrains
    neuron = np.repeat(np.arange(200), [len(train) for train in trains])
    step = np.round(np.concatenate([train.magnitude for train in trains]) / TIMESTEP).astype(int)
    sim.end()
    return rows, neuron, step


def first_difference(*rasters: NDArray[np.int64]) -> str:
    """Where two sets of (step, neuron) first differ."""
    spikes = [set(map(tuple, each)) for each in rasters]
    if spikes[0] == spikes[1]:
        return f"all {len(spikes[0])} spikes are identical"
    step, neuron = min(spikes[0] ^ spikes[1])
    return f"spikes first differ at {step * TIMESTEP:.1f} ms, in neuron {neuron}"


def backends(names: list[str]) -> list[str]:
    """The two backends to compare: those named, made up to two from sparse and nest."""
    two = [*names, *(name for name in ("sparse", "nest") if name not in names)][:2]
    for name in two:
        try:
            importlib.import_module(f"pyNN.{name}")
        except ImportError as error:
            sys.exit(f"pyNN.{name} cannot be imported: {error}")
    return two


def main() -> None:
    """Simulate on both, compare, draw."""
    names = backends(sys.argv[1:])
    results = [simulate(name) for name in names]
    (one, *_), (two, *_) = results
    same = len(one) == len(two) and np.allclose(one, two, rtol=0, atol=1e-9)
    print(f"{len(one)} connections are {'identical' if same else 'not the same'}")
    print(first_difference(*[np.stack([step, neuron], axis=1) for _, neuron, step in results]))

    figure, panels = plt.subplots(2, 1, sharex=True, figsize=(8, 5), layout="constrained")
    for axes, name, (_, neuron, step) in zip(panels, names, results, strict=True):
        axes.plot(step * TIMESTEP, neuron, ".", markersize=2)
        axes.set(title=f"pyNN.{name}", ylabel="neuron", xlim=(0, DURATION))
    axes.set_xlabel("time / ms")
    Path("results").mkdir(exist_ok=True)
    figure.savefig("results/swap_backends.png", dpi=120)


if __name__ == "__main__":
    main()
