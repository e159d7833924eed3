"""Movements read from spikes: what a filter behind the decoder gains, and how late it is.

    python examples/decoding.py [sparse] [--seconds N] [--seed N]

After Zhou, Sun and Basu (2025, arXiv:2312.15889), who decode the velocity of a hand from motor
cortex: a layer of spiking neurons, a read-out without a threshold, and a low-pass filter on what it
says. The data here are made up: 96 neurons fire at random, at rates that depend on the direction of
movement as a cosine (Georgopoulos et al. 1982, doi:10.1523/JNEUROSCI.02-11-01527.1982).

The read-out is a neuron that never fires; its potential is the velocity. Since it adds up its input
linearly, the weights come from a regression: on the potentials of such neurons with one input each.

A causal Bessel filter delays what it smooths. One that runs over each block of samples forwards and
backwards does not, but has to wait until the block is complete.
"""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.signal import bessel, group_delay, lfilter, lfilter_zi

matplotlib.use("Agg")
import matplotlib.pyplot as plt

Signal = NDArray[np.float64]  # [samples, channels]

N_CORTEX, N_HIDDEN, CONNECTED = 96, 200, 0.15
INPUT_WEIGHT = 3.0  # nA, deviation
BASE, DEPTH, MOVES = 10.0, 5.0, 200.0  # Hz, Hz, ms: how long a movement goes in a direction
DT, SAMPLE = 1.0, 10.0  # ms
HIDDEN = {"tau_m": 20.0, "cm": 1.0, "tau_refrac": 2.0, "tau_syn_E": 5.0, "tau_syn_I": 5.0}
READ_OUT = {"tau_m": 30.0, "cm": 1.0, "v_rest": 0.0, "v_reset": 0.0, "v_thresh": 1e6}
READ_OUT |= {"tau_syn_E": 5.0, "tau_syn_I": 5.0}
RIDGE = 1e-3  # of the mean square of a potential
ORDER, CUT = 2, 3.0  # of the filters; Hz, of the one that looks at blocks
CUTS = (20.0, 12.0, 8.0, 6.0, 4.0)  # Hz, of causal ones
BLOCKS = (8, 16, 32, 64, 128)  # samples


class Movement(NamedTuple):
    """Velocity at each sample, and spike times of the cortex, ms."""

    velocity: Signal
    spikes: list[NDArray[np.float64]]


def make_movement(seconds: float, rng: np.random.Generator) -> Movement:
    """Smooth random velocities, of variance 1, and spikes that depend on them."""
    steps = int(seconds * 1000 / DT)
    velocity = gaussian_filter1d(rng.normal(size=(steps, 2)), MOVES / DT, axis=0)
    velocity /= velocity.std(axis=0)
    angle = rng.uniform(0, 2 * np.pi, N_CORTEX)
    rate = BASE + DEPTH * velocity @ np.array([np.cos(angle), np.sin(angle)])
    fired = rng.random(rate.shape) < rate * DT / 1000
    spikes = [(np.flatnonzero(each) + 1) * DT for each in fired.T]
    every = int(SAMPLE / DT)
    return Movement(velocity[every - 1 :: every], spikes)


class Layer:
    """Spikes of a movement's cortex through a hidden layer; each simulation is one of its own."""

    def __init__(self, sim: Any, movement: Movement, weights: Signal) -> None:
        self.sim, self.samples = sim, len(movement.velocity)
        sim.setup(timestep=DT, min_delay=DT)
        cortex = sim.Population(N_CORTEX, sim.SpikeSourceArray(spike_times=movement.spikes))
        self.hidden = sim.Population(N_HIDDEN, sim.IF_curr_exp(**HIDDEN))
        self._connect(cortex, self.hidden, weights)

    def _connect(self, pre: Any, post: Any, weights: Signal) -> None:
        """Weights of either sign, [source, target], nA."""
        for receptor, part in (("excitatory", np.maximum), ("inhibitory", np.minimum)):
            synapse = self.sim.StaticSynapse(weight=part(weights, 0.0), delay=DT)
            every = self.sim.AllToAllConnector()
            self.sim.Projection(pre, post, every, synapse, receptor_type=receptor)

    def potentials(self, weights: Signal) -> Signal:
        """What read-outs with these weights, [hidden, read-out], say at each sample; ends."""
        read_out = self.sim.Population(weights.shape[1], self.sim.IF_curr_exp(**READ_OUT))
        read_out.initialize(v=0.0)
        self._connect(self.hidden, read_out, weights)
        read_out.record("v", sampling_interval=SAMPLE)
        self.sim.run(self.samples * SAMPLE)
        (v,) = read_out.get_data("v").segments[0].analogsignals
        self.sim.end()
        return np.asarray(v.magnitude)[1:]


def regression(potentials: Signal, velocity: Signal) -> Signal:
    """Weights [hidden + 1, 2] by ridge regression; the last row is a constant."""
    x = np.column_stack([potentials, np.ones(len(potentials))])
    penalty = np.diag([RIDGE] * N_HIDDEN + [0.0]) * len(x) * potentials.var()
    weights: Signal = np.linalg.solve(x.T @ x + penalty, x.T @ velocity)
    return weights


def causal(decoded: Signal, cut: float) -> Signal:
    """Through a Bessel filter, as samples come."""
    b, a = bessel(ORDER, cut, fs=1000 / SAMPLE, norm="phase")
    return np.asarray(lfilter(b, a, decoded, axis=0, zi=lfilter_zi(b, a)[:, None] * decoded[0])[0])


def by_blocks(decoded: Signal, samples: int) -> Signal:
    """Forwards, and from the end of each block backwards."""
    b, a = bessel(ORDER, CUT, fs=1000 / SAMPLE, norm="phase")
    forwards = causal(decoded, CUT)
    smooth = np.empty_like(decoded)
    for first in range(0, len(decoded), samples):
        part = forwards[first : first + samples][::-1]
        back, _ = lfilter(b, a, part, axis=0, zi=lfilter_zi(b, a)[:, None] * part[0])
        smooth[first : first + samples] = back[::-1]
    return smooth


def score(decoded: Signal, velocity: Signal) -> float:
    """The share R² of the variance that is explained."""
    return float(1 - ((decoded - velocity) ** 2).sum() / ((velocity - velocity.mean(0)) ** 2).sum())


def delay_of(cut: float) -> float:
    """Of slow signals by a causal filter, ms."""
    b, a = bessel(ORDER, cut, fs=1000 / SAMPLE, norm="phase")
    return float(group_delay((b, a), w=[0.0])[1][0] * SAMPLE)


class Scores(NamedTuple):
    """R² of the second half of the movement.

    Attributes:
        plain: without a filter.
        causal, blocks: (latency in ms, R²) of each filter.
    """

    plain: float
    causal: list[tuple[float, float]]
    blocks: list[tuple[float, float]]


def scores(decoded: Signal, velocity: Signal) -> Scores:
    """Of a decoded velocity, unfiltered and by all filters."""
    return Scores(
        score(decoded, velocity),
        [(delay_of(cut), score(causal(decoded, cut), velocity)) for cut in CUTS],
        [(n * SAMPLE, score(by_blocks(decoded, n), velocity)) for n in BLOCKS],
    )


def draw(decoded: Signal, velocity: Signal, found: Scores, file: Path) -> None:
    """A few seconds of one coordinate, and R² against latency."""
    figure, (trace, curve) = plt.subplots(
        1, 2, figsize=(10, 3.6), width_ratios=[3, 2], layout="constrained"
    )
    shown = slice(0, min(800, len(velocity)))
    time = np.arange(shown.stop) * SAMPLE / 1000
    trace.plot(time, decoded[shown, 0], color="0.75", lw=0.8, label="decoded")
    smooth = by_blocks(decoded, BLOCKS[-1])[shown, 0]
    trace.plot(time, smooth, color="C3", label=f"blocks of {BLOCKS[-1] * SAMPLE:g} ms")
    trace.plot(time, velocity[shown, 0], color="k", lw=1, ls="--", label="true")
    trace.set(xlabel="time / s", ylabel="velocity in standard deviations")
    trace.legend(fontsize="small")
    curve.plot(0, found.plain, "ko", label="no filter")
    curve.plot(*zip(*found.causal, strict=True), "o-", color="C0", label="causal")
    curve.plot(*zip(*found.blocks, strict=True), "o-", color="C3", label="by blocks")
    curve.set(xlabel="latency / ms", ylabel="R²")
    curve.set_xscale("symlog", linthresh=10)
    curve.legend(fontsize="small")
    file.parent.mkdir(exist_ok=True)
    figure.savefig(file, dpi=120)


def positive(text: str) -> int:
    """A number of seconds."""
    value = int(text)
    if value < 4:
        raise argparse.ArgumentTypeError(f"{value}: must be at least 4")
    return value


def main() -> None:
    """Train on the first half of a movement, decode the second, report, draw."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("simulator", nargs="?", default="sparse", help="a backend of PyNN")
    parser.add_argument("--seconds", type=positive, default=400, help="of movement (400)")
    parser.add_argument("--seed", type=int, default=1, help="of all random numbers (1)")
    options = parser.parse_args()
    sim = importlib.import_module(f"pyNN.{options.simulator}")
    rng = np.random.default_rng(options.seed)
    movement = make_movement(options.seconds, rng)
    weights = rng.normal(0.0, INPUT_WEIGHT, (N_CORTEX, N_HIDDEN))
    weights[rng.random(weights.shape) > CONNECTED] = 0.0

    half = len(movement.velocity) // 2
    each = Layer(sim, movement, weights).potentials(np.eye(N_HIDDEN))
    learned = regression(each[:half], movement.velocity[:half])
    decoded = Layer(sim, movement, weights).potentials(learned[:-1]) + learned[-1]
    difference = np.abs(decoded - (each @ learned[:-1] + learned[-1])).max()
    decoded, velocity = decoded[half:], movement.velocity[half:]

    found = scores(decoded, velocity)
    print(f"two neurons say what the regression does, within {difference:.0e}")
    print(f"no filter: R² = {found.plain:.3f}")
    for name, curve in (("causal", found.causal), ("by blocks", found.blocks)):
        for latency, value in curve:
            print(f"{name}, {latency:.0f} ms late: R² = {value:.3f}")
    draw(decoded, velocity, found, Path("results/decoding.png"))


if __name__ == "__main__":
    main()
