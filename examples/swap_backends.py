"""The same network on two PyNN backends, compared spike by spike.

    python examples/swap_backends.py [sparse] [nest]

A recurrent network of 200 neurons is driven by spikes at given times, so that nothing is random
but what `NumpyRNG` draws, the same for both. Prints whether the connections and the spikes are
identical, or where they first differ, and draws both.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from numpy.typing import NDArray
from pyNN.parameters import Sequence
from pyNN.random import NumpyRNG, RandomDistribution

matplotlib.use("Agg")
import matplotlib.pyplot as plt

TIMESTEP = 0.1
DURATION = 500.0
NEST_SHIFT = 1e-7  # ms: moves times off the edge at which NEST may take the next time step


def simulate(name: str) -> tuple[list[tuple[float, ...]], NDArray[np.int64], NDArray[np.int64]]:
    """Connections (pre, post, weight, delay), and neuron and time step of each spike."""
    sim: Any = importlib.import_module(f"pyNN.{name}")
    extra = {"spike_precision": "on_grid"} if name == "nest" else {}
    sim.setup(timestep=TIMESTEP, min_delay=TIMESTEP, max_delay=5.0, **extra)
    rng = NumpyRNG(seed=7)
    shift = NEST_SHIFT if name == "nest" else 0.0
    drawn = np.random.RandomState(3).uniform(1, DURATION, size=(50, 20))
    times = [Sequence(np.unique(np.round(row, 1)) - shift) for row in drawn]
    inputs = sim.Population(50, sim.SpikeSourceArray(spike_times=times))
    neurons = sim.Population(200, sim.IF_curr_exp(tau_refrac=2.0, i_offset=0.6))
    neurons.initialize(v=RandomDistribution("uniform", (-65.0, -50.0), rng=rng))
    delay = RandomDistribution("uniform", (0.1, 3.0), rng=rng)
    rows = []
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


def first_difference(one: NDArray[np.int64], two: NDArray[np.int64]) -> str:
    """Where two sets of (step, neuron) first differ."""
    spikes = [set(map(tuple, each)) for each in (one, two)]
    only = sorted(spikes[0] ^ spikes[1])
    if not only:
        return f"all {len(spikes[0])} spikes are identical"
    step, neuron = only[0]
    return f"spikes first differ at {step * TIMESTEP:.1f} ms, in neuron {neuron}"


def backends(names: list[str]) -> list[str]:
    """The two backends to compare: those named, made up to two from sparse and nest."""
    others = [name for name in ("sparse", "nest") if name not in names]
    two = [*names, *others][:2]
    for name in two:
        try:
            importlib.import_module(f"pyNN.{name}")
        except ImportError as error:
            sys.exit(f"pyNN.{name} cannot be imported, so there is nothing to compare: {error}")
    return two


def main() -> None:
    """Simulate on both, compare, draw."""
    warnings.filterwarnings("ignore", module="pyNN")
    names = backends(sys.argv[1:])
    results = [simulate(name) for name in names]
    (rows_a, *_), (rows_b, *_) = results
    same = np.allclose(rows_a, rows_b, rtol=0, atol=1e-9) if len(rows_a) == len(rows_b) else False
    print(f"{len(rows_a)} connections are {'identical' if same else 'not the same'}")
    stacked = [np.stack([step, neuron], axis=1) for _, neuron, step in results]
    print(first_difference(*stacked))

    figure, panels = plt.subplots(2, 1, sharex=True, figsize=(8, 5), layout="constrained")
    for axes, name, (_, neuron, step) in zip(panels, names, results, strict=True):
        axes.plot(step * TIMESTEP, neuron, ".", markersize=2)
        axes.set(title=f"pyNN.{name}", ylabel="neuron", xlim=(0, DURATION))
    panels[1].set_xlabel("time / ms")
    Path("results").mkdir(exist_ok=True)
    figure.savefig("results/swap_backends.png", dpi=120)


if __name__ == "__main__":
    main()
