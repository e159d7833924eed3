"""A balanced random network that keeps itself active, without any input.

    python examples/balanced_network.py [sparse]

The network of Vogels and Abbott (2005, doi:10.1523/JNEUROSCI.3508-05.2005) with current-based
synapses, in the form of benchmark 2 of Brette et al. (2007, doi:10.1007/s10827-007-0038-6). Its
4000 neurons rest 1 mV above their threshold; the inhibitory fifth of them holds the others back.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from pyNN.random import NumpyRNG, RandomDistribution

matplotlib.use("Agg")
import matplotlib.pyplot as plt

N_EXCITATORY, N_INHIBITORY = 3200, 800
CONNECTED = 0.02  # share of the pairs of neurons
DURATION, SETTLED = 1000.0, 200.0  # ms
NEURON = {
    "cm": 0.2,
    "tau_m": 20.0,
    "v_rest": -49.0,
    "v_thresh": -50.0,
    "v_reset": -60.0,
    "tau_refrac": 5.0,
    "tau_syn_E": 5.0,
    "tau_syn_I": 10.0,
}
LEAK = NEURON["cm"] / NEURON["tau_m"]  # uS
# The benchmark gives weights in mV of steady depolarisation; times the leak they are currents (nA).
WEIGHT = {"excitatory": 1.62 * LEAK, "inhibitory": -9.0 * LEAK}


def simulate(sim: Any) -> Any:
    """Spike trains of all neurons, and the potential of three."""
    rng = NumpyRNG(seed=42)
    neurons = sim.Population(N_EXCITATORY + N_INHIBITORY, sim.IF_curr_exp(**NEURON))
    neurons.initialize(v=RandomDistribution("uniform", (-60.0, -50.0), rng=rng))
    sources = {"excitatory": neurons[:N_EXCITATORY], "inhibitory": neurons[N_EXCITATORY:]}
    for receptor, source in sources.items():
        connector = sim.FixedProbabilityConnector(CONNECTED, rng=rng)
        synapse = sim.StaticSynapse(weight=WEIGHT[receptor], delay=0.1)
        projection = sim.Projection(source, neurons, connector, synapse, receptor_type=receptor)
        count = projection.size(gather=True)
        if sim.rank() == 0:
            print(f"{count} {receptor} synapses")
    neurons.record("spikes")
    neurons[:3].record("v")
    sim.run(DURATION)
    return neurons.get_data().segments[0]


def report(trains: list[Any]) -> None:
    """Print the rate, and how irregular the intervals between a neuron's spikes are."""
    settled = [train[train > SETTLED] for train in trains]
    rate = sum(map(len, settled)) / len(settled) / (DURATION - SETTLED) * 1000
    intervals = [np.diff(times) for times in settled if len(times) > 3]
    cv = np.mean([each.std() / each.mean() for each in intervals])
    print(f"rate {rate:.2f} Hz, coefficient of variation of the intervals {cv:.2f}")


def draw(trains: list[Any], v: Any, file: Path) -> None:
    """Raster of every tenth neuron, rate of all, potentials of the recorded ones."""
    figure, (raster, rate, potential) = plt.subplots(
        3, 1, sharex=True, figsize=(9, 7), height_ratios=[3, 1, 1.4], layout="constrained"
    )
    for color, shown in (("C0", range(0, N_EXCITATORY, 10)), ("C3", range(3200, 4000, 10))):
        rows = np.repeat(list(shown), [len(trains[i]) for i in shown])
        raster.plot(np.concatenate([trains[i] for i in shown]), rows, ".", color=color, ms=2)
    raster.set(ylabel="neuron", xlim=(0, DURATION), ylim=(0, len(trains)))
    raster.set_title("excitatory (blue) and inhibitory (red) neurons", fontsize="medium")
    counts, edges = np.histogram(np.concatenate(trains), np.arange(0, DURATION + 1, 5))
    rate.stairs(counts / len(trains) / 5e-3, edges, fill=True, color="0.4")
    rate.set(ylabel="rate / Hz")
    potential.plot(v.times.rescale("ms"), v.magnitude, lw=0.7)
    potential.set(ylabel="v / mV", xlabel="time / ms")
    file.parent.mkdir(exist_ok=True)
    figure.savefig(file, dpi=120)


def main() -> None:
    """Simulate, report, draw."""
    sim: Any = importlib.import_module(f"pyNN.{sys.argv[1] if len(sys.argv) > 1 else 'sparse'}")
    sim.setup(timestep=0.1, min_delay=0.1)
    segment = simulate(sim)
    sim.end()
    if sim.rank() == 0:  # which has the data of all processes, where mpiexec has started several
        trains = [train.magnitude for train in segment.spiketrains]
        report(trains)
        draw(trains, segment.analogsignals[0], Path("results/balanced_network.png"))


if __name__ == "__main__":
    main()
