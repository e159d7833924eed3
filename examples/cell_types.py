"""All neuron models with the same input: two excitatory bursts, one inhibitory, and a current step.

    python examples/cell_types.py [sparse]

The marks at the bottom of each panel are the input spikes, the shaded time is that of the current.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

matplotlib.use("Agg")
import matplotlib.pyplot as plt

DURATION = 200.0
EXCITATORY = np.concatenate([np.arange(20, 30, 2.0), np.arange(60, 70, 2.0)])
INHIBITORY = np.arange(64, 74, 2.0)
# Model, its parameters, and the weights of an excitatory and an inhibitory spike.
MODELS: list[tuple[str, dict[str, float], float, float]] = [
    ("IF_curr_exp", {"cm": 0.25, "tau_m": 15.0}, 0.45, -0.45),
    ("IF_curr_alpha", {"cm": 0.25, "tau_m": 15.0, "tau_syn_E": 2.0, "tau_syn_I": 2.0}, 0.45, -0.45),
    ("IF_curr_delta", {"cm": 0.25, "tau_m": 15.0}, 4.0, -4.0),
    ("IF_cond_exp", {"cm": 0.25, "tau_m": 15.0}, 0.009, 0.03),
    ("IF_cond_alpha", {"cm": 0.25, "tau_m": 15.0, "tau_syn_E": 2.0, "tau_syn_I": 4.0}, 0.01, 0.03),
    ("Izhikevich", {"a": 0.02, "b": 0.2, "c": -65.0, "d": 8.0}, 4.0, -4.0),
]


def simulate(sim: Any) -> list[tuple[str, Any, Any]]:
    """Name, potential and spike times of each model."""
    sim.setup(timestep=0.1, min_delay=0.1)
    excitatory = sim.Population(1, sim.SpikeSourceArray(spike_times=EXCITATORY))
    inhibitory = sim.Population(1, sim.SpikeSourceArray(spike_times=INHIBITORY))
    populations = []
    for name, parameters, exc, inh in MODELS:
        population = sim.Population(1, getattr(sim, name)(**parameters), label=name)
        inputs = (excitatory, exc, "excitatory"), (inhibitory, inh, "inhibitory")
        for source, weight, receptor in inputs:
            synapse = sim.StaticSynapse(weight=weight, delay=1.0)
            connector = sim.AllToAllConnector()
            sim.Projection(source, population, connector, synapse, receptor_type=receptor)
        amplitude = 0.008 if name == "Izhikevich" else 0.3
        population.inject(sim.DCSource(amplitude=amplitude, start=110.0, stop=180.0))
        population.record(["v", "spikes"])
        populations.append(population)
    sim.run(DURATION)
    segments = [population.get_data().segments[0] for population in populations]
    return [
        (population.label, segment.analogsignals[0], segment.spiketrains[0])
        for population, segment in zip(populations, segments, strict=True)
    ]


def main() -> None:
    """Simulate and draw."""
    sim: Any = importlib.import_module(f"pyNN.{sys.argv[1] if len(sys.argv) > 1 else 'sparse'}")
    if sim.__name__ == "pyNN.nest":  # PyNN 0.13.0 does not know how to record from this one
        sim.IF_curr_delta.variable_map = {"v": "V_m"}
        sim.IF_curr_delta.scale_factors = {"v": 1}
    figure, panels = plt.subplots(3, 2, sharex=True, figsize=(10, 6.5), layout="constrained")
    for axes, (name, v, spikes) in zip(panels.T.ravel(), simulate(sim), strict=True):
        axes.plot(v.times.rescale("ms"), v.magnitude[:, 0], lw=1)
        axes.plot(spikes.magnitude, np.full(len(spikes), -20.0), "k|", markersize=9)
        axes.set(title=name, ylabel="v / mV", ylim=(-83, -12), xlim=(0, DURATION))
        axes.plot(EXCITATORY, np.full(len(EXCITATORY), -78.0), "C2|", markersize=6)
        axes.plot(INHIBITORY, np.full(len(INHIBITORY), -80.5), "C3|", markersize=6)
        axes.axvspan(110, 180, color="0.93", zorder=0)
        print(f"{name:14} {len(spikes):3} spikes, first at {spikes.magnitude.min():.1f} ms")
    for axes in panels[-1]:
        axes.set_xlabel("time / ms")
    Path("results").mkdir(exist_ok=True)
    figure.savefig("results/cell_types.png", dpi=120)
    sim.end()


if __name__ == "__main__":
    main()
