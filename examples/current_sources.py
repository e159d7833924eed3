"""PyNN's four current sources, each into a neuron of its own.

    python examples/current_sources.py [sparse]

Draws the currents as the backend recorded them above the potentials of the neurons.
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

DURATION = 200.0  # ms
NEURON = {"cm": 0.25, "tau_m": 12.0, "v_rest": -65.0, "v_reset": -65.0, "v_thresh": -50.0}


def make_sources(sim: Any) -> dict[str, Any]:
    """One source of each kind; currents in nA, times in ms, frequency in Hz, phase in degrees."""
    onset = {"start": 20.0, "stop": 170.0}
    return {
        "DCSource": sim.DCSource(amplitude=0.4, **onset),
        "ACSource": sim.ACSource(amplitude=0.5, offset=0.2, frequency=30.0, phase=0.0, **onset),
        "StepCurrentSource": sim.StepCurrentSource(
            times=[20.0, 70.0, 120.0, 170.0], amplitudes=[0.25, 0.5, -0.2, 0.0]
        ),
        "NoisyCurrentSource": sim.NoisyCurrentSource(mean=0.35, stdev=0.4, dt=1.0, **onset),
    }


def simulate(sim: Any) -> dict[str, tuple[Any, Any, Any]]:
    """Recorded current, potential and spikes, by the name of the source."""
    sources = make_sources(sim)
    neurons = sim.Population(len(sources), sim.IF_curr_exp(tau_refrac=2.0, **NEURON))
    neurons.record(["v", "spikes"])
    for index, source in enumerate(sources.values()):
        neurons[index : index + 1].inject(source)
        source.record()
    sim.run(DURATION)
    segment = neurons.get_data().segments[0]
    v = segment.analogsignals[0].magnitude.T
    currents = [source.get_data() for source in sources.values()]
    return dict(zip(sources, zip(currents, v, segment.spiketrains, strict=True), strict=True))


def draw(results: dict[str, tuple[Any, Any, Any]], file: Path) -> None:
    """A column for each source: current above, potential and spikes below."""
    figure, panels = plt.subplots(
        2, 4, sharex=True, sharey="row", figsize=(13, 4.5), height_ratios=[1, 2],
        layout="constrained",
    )  # fmt: skip
    for (above, below), (name, (current, v, spikes)) in zip(panels.T, results.items(), strict=True):
        above.plot(current.times.rescale("ms"), current.rescale("nA"), "C1", lw=1)
        above.set_title(name)
        below.plot(np.linspace(0, DURATION, len(v)), v, lw=1)
        below.plot(spikes.magnitude, np.full(len(spikes), -47.0), "k|", markersize=8)
        below.set(xlabel="time / ms", xlim=(0, DURATION))
    panels[0, 0].set_ylabel("current / nA")
    panels[1, 0].set_ylabel("v / mV")
    file.parent.mkdir(exist_ok=True)
    figure.savefig(file, dpi=120)


def main() -> None:
    """Simulate, print, draw."""
    sim: Any = importlib.import_module(f"pyNN.{sys.argv[1] if len(sys.argv) > 1 else 'sparse'}")
    sim.setup(timestep=0.1, min_delay=0.1)
    results = simulate(sim)
    for name, (current, _, spikes) in results.items():
        mean = current.rescale("nA").magnitude.mean()
        print(f"{name:18} {mean:6.3f} nA on average, {len(spikes):3} spikes")
    draw(results, Path("results/current_sources.png"))
    sim.end()


if __name__ == "__main__":
    main()
