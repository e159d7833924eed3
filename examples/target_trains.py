"""A recurrent network learns to fire as another one did, and gets there with other weights.

    python examples/target_trains.py [sparse] [--rounds N] [--seed N]

After Bagley, Bordelon, Moseley and Wessel (2018, arXiv:1810.03199): fifty neurons, each connected
with every other, have fired in response to some input. Of the network that did so only the spike
trains are kept. Another network, with random weights, gets the same input again and again. After
each round, for every spike that a neuron missed, those that fired shortly before become stronger
inputs of it, each by a random amount; for every spike too many they become weaker. Then the weights
of a neuron are scaled, so that they are as strong in sum as before.

The distance is that of van Rossum (2001, doi:10.1162/089976601300014321) with 10 ms. It falls; but
the weights are not those of the first network: spikes do not say what the connections are.
"""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib
import numpy as np
from numpy.typing import NDArray

matplotlib.use("Agg")
import matplotlib.pyplot as plt

Trains = list[NDArray[np.float64]]  # ms, of each neuron

N, N_INPUT, DURATION = 50, 50, 500.0  # ms
INPUT_RATE, CONNECTED = 20.0, 0.2  # Hz; share of the inputs that a neuron has
WEIGHT, INPUT_WEIGHT = 0.5, (0.75, 2.25)  # nA: deviation, and least and greatest
DELAY, BEFORE, ALIKE = 1.0, 10.0, 2.0  # ms; BEFORE a spike, and between spikes that are the same
TAU = 10.0  # ms, of the distance
NEURON = {"cm": 1.0, "tau_m": 20.0, "tau_refrac": 2.0, "tau_syn_E": 3.0, "tau_syn_I": 3.0}


class Network:
    """The neurons with their input; each `fire` is a round of its own."""

    def __init__(self, sim: Any, rng: np.random.Generator) -> None:
        self.sim = sim
        sim.setup(timestep=0.1, min_delay=DELAY)
        counts = rng.poisson(INPUT_RATE * DURATION / 1000, N_INPUT)
        times = [np.unique(rng.uniform(1, DURATION, n).round(1)) for n in counts]
        inputs = sim.Population(N_INPUT, sim.SpikeSourceArray(spike_times=times))
        self.neurons = sim.Population(N, sim.IF_curr_exp(**NEURON))
        weights = rng.uniform(*INPUT_WEIGHT, (N_INPUT, N)) * (rng.random((N_INPUT, N)) < CONNECTED)
        every = sim.AllToAllConnector()
        synapse = sim.StaticSynapse(weight=weights, delay=DELAY)
        sim.Projection(inputs, self.neurons, every, synapse)
        self.signs = {"excitatory": np.maximum, "inhibitory": np.minimum}
        self.projections = {
            receptor: sim.Projection(
                *(self.neurons, self.neurons, every),
                sim.StaticSynapse(weight=0.0, delay=DELAY),
                receptor_type=receptor,
            )
            for receptor in self.signs
        }
        self.neurons.record("spikes")

    def fire(self, weights: NDArray[np.float64]) -> Trains:
        """The spike trains with these weights, nA, [source, target]."""
        self.sim.reset()
        for receptor, projection in self.projections.items():
            projection.set(weight=self.signs[receptor](weights, 0.0))
        self.sim.run(DURATION)
        (segment,) = self.neurons.get_data("spikes", clear=True).segments
        return [np.asarray(train.magnitude) for train in segment.spiketrains]


def random_weights(rng: np.random.Generator) -> NDArray[np.float64]:
    """Of both signs, nA, [source, target]; no neuron has a connection to itself."""
    weights = rng.normal(0.0, WEIGHT, (N, N))
    np.fill_diagonal(weights, 0.0)
    return weights


def distance(found: Trains, target: Trains) -> float:
    """Van Rossum's, the root of the mean square of all neurons; 1 for a spike too many in each."""

    def product(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
        return float(np.exp(-np.abs(a[:, np.newaxis] - b) / TAU).sum())

    pairs = zip(found, target, strict=True)
    squares = [product(a, a) + product(b, b) - 2 * product(a, b) for a, b in pairs]
    return float(np.sqrt(np.mean(squares)))


def fired_before(trains: Trains) -> NDArray[np.bool_]:
    """Whether spikes of a neuron came within some ms before a ms, [neuron, ms]."""
    fired = np.zeros((N, int(DURATION) + 1), bool)
    for neuron, train in enumerate(trains):
        for lag in np.arange(BEFORE) + 2 * DELAY:
            fired[neuron, np.minimum(train + lag, DURATION).astype(int)] = True
    return fired


def corrected(
    weights: NDArray[np.float64],
    found: Trains,
    target: Trains,
    step: float,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Weights after a round in which the neurons fired as `found`; `step` is in nA."""
    fired = fired_before(found)
    change = np.zeros((N, N))
    for neuron, (mine, wanted) in enumerate(zip(found, target, strict=True)):
        alike = np.abs(mine[:, np.newaxis] - wanted) <= ALIKE
        missing, surplus = wanted[~alike.any(axis=0)], mine[~alike.any(axis=1)]
        for sign, times in ((step, missing), (-step, surplus)):
            pool = fired[:, times.astype(int)]
            change[:, neuron] += sign * (pool * rng.random(pool.shape)).sum(axis=1)
    np.fill_diagonal(change, 0.0)
    changed = weights + change
    scaled: NDArray[np.float64] = changed * (np.abs(weights).sum(0) / np.abs(changed).sum(0))
    return scaled


class Learned(NamedTuple):
    """What came of it.

    Attributes:
        distances: at each round.
        correlations: at each round, of the weights with those that made the target.
        before, after: spike trains of the first round, and of the best.
        silent: distance without any connection.
    """

    distances: list[float]
    correlations: list[float]
    before: Trains
    after: Trains
    silent: float


def learn(network: Network, rounds: int, rng: np.random.Generator) -> tuple[Trains, Learned]:
    """The target, and how the network came near it."""
    truth, weights = random_weights(rng), random_weights(rng)
    target = network.fire(truth)
    silent = distance(network.fire(np.zeros((N, N))), target)
    before = after = network.fire(weights)
    distances, correlations = [distance(before, target)], []
    others = ~np.eye(N, dtype=bool)
    found = before
    for number in range(rounds):
        correlations.append(float(np.corrcoef(weights[others], truth[others])[0, 1]))
        step = 0.3 * WEIGHT * max(0.1, 1 - number / rounds)
        weights = corrected(weights, found, target, step, rng)
        found = network.fire(weights)
        distances.append(distance(found, target))
        if distances[-1] == min(distances):
            after = found
    return target, Learned(distances, correlations, before, after, silent)


def draw(target: Trains, learned: Learned, file: Path) -> None:
    """Rasters before and after, and what became of distance and correlation."""
    figure, axes = plt.subplots(1, 3, figsize=(10, 3.6), layout="constrained")
    shown = {"before": learned.before, "after": learned.after}
    for axis, (name, trains) in zip(axes[:2], shown.items(), strict=True):
        axis.eventplot(target, colors="0.75", linelengths=1.0)
        axis.eventplot(trains, colors="C3", linelengths=0.6)
        axis.set(title=f"{name}: distance {distance(trains, target):.2f}", xlabel="time / ms")
        axis.set(xlim=(0, 200), ylim=(-0.5, N - 0.5), ylabel="neuron")
    curve = axes[2]
    curve.plot(learned.distances, color="C3", label="distance")
    curve.axhline(learned.silent, color="C3", ls=":", label="distance without connections")
    curve.plot(learned.correlations, color="C0", label="correlation of the weights")
    curve.set(xlabel="round", ylim=(-0.1, None))
    curve.legend(fontsize="small")
    file.parent.mkdir(exist_ok=True)
    figure.savefig(file, dpi=120)


def positive(text: str) -> int:
    """A number of rounds."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value}: must be at least 1")
    return value


def main() -> None:
    """Learn, report, draw."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("simulator", nargs="?", default="sparse", help="a backend of PyNN")
    parser.add_argument("--rounds", type=positive, default=400, help="of learning (400)")
    parser.add_argument("--seed", type=int, default=1, help="of all random numbers (1)")
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    network = Network(importlib.import_module(f"pyNN.{options.simulator}"), rng)
    target, learned = learn(network, options.rounds, rng)
    network.sim.end()
    best = min(learned.distances)
    print(f"distance: {learned.distances[0]:.2f} before, {best:.2f} after {options.rounds} rounds")
    print(f"correlation of the weights with the true ones: {learned.correlations[-1]:.2f}")
    draw(target, learned, Path("results/target_trains.png"))


if __name__ == "__main__":
    main()
