"""A network learns which synapse earned a reward that comes seconds later.

    python examples/distal_reward.py [--seconds N] [--seed N]

After Izhikevich (2007, doi:10.1093/cercor/bhl152), figure 1: a thousand neurons fire at random.
Whenever one of them fires within 20 ms after a certain other one that it gets input from, dopamine
is released, but only 1 to 3 s later. Each synapse remembers for about a second how the spikes at
its two ends fell, and dopamine makes a change of weight of what is remembered. Thousands of other
synapses remember something, too, when it comes, but not every time: the one that earned it grows.

Parameters are those of the author's program (ModelDB 84167), but for the input: a kick of 20 mV
to each neuron once a second on average.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib
import numpy as np
import pyNN.sparse as sim
from numpy.typing import NDArray

matplotlib.use("Agg")
import matplotlib.pyplot as plt

N_EXCITATORY, N_INHIBITORY, TARGETS = 800, 200, 100
GREATEST = 4.0  # weight, mV
COINCIDENCE = 20.0  # ms
SECOND = 1000.0  # ms
REWARD_AFTER = 1 * SECOND, 3 * SECOND
EVERY = 10  # seconds, between looks at the weights

Rewarded = sim.native_synapse_type(
    "Rewarded",
    parameters={
        "tau": (20.0, "ms"),
        "A_plus": 0.1,
        "A_minus": 0.15,
        "tau_c": (1000.0, "ms"),  # of the eligibility c
        "tau_d": (200.0, "ms"),  # of dopamine
        "release": 0.5,
        "baseline": 0.002,
        "rate": 0.1,  # of learning, per ms
        "w_min": 0.0,
        "w_max": GREATEST,
    },
    state={"c": 0.0},
    pre_traces={"x": "tau"},
    post_traces={"y": "tau"},
    modulator_traces={"d": "tau_d"},
    nearest=("x", "y"),
    on_post="c += A_plus * x",
    on_pre="c -= A_minus * y",
    between="""
        both: float = 1 / tau_c + 1 / tau_d
        weight += rate * c * (release * d * (1 - exp(-elapsed * both)) / both
                              + baseline * tau_c * (1 - exp(-elapsed / tau_c)))
        c *= exp(-elapsed / tau_c)
    """,
    limits=("w_min", "w_max"),
)


class Network:
    """The neurons, the synapse that is to be rewarded, and dopamine."""

    def __init__(self, seed: int) -> None:
        sim.setup(timestep=0.5, min_delay=1.0, rng_seed=seed)
        parameters = {"a": [0.02] * N_EXCITATORY + [0.1] * N_INHIBITORY, "b": 0.2, "c": -65.0}
        parameters["d"] = [8.0] * N_EXCITATORY + [2.0] * N_INHIBITORY
        self.neurons = sim.Population(N_EXCITATORY + N_INHIBITORY, sim.Izhikevich(**parameters))
        self.neurons.initialize(v=-65.0, u=-13.0)
        self.dopamine = sim.Population(1, sim.SpikeSourceArray())
        excitatory, inhibitory = self.neurons[:N_EXCITATORY], self.neurons[N_EXCITATORY:]
        rng = sim.NativeRNG(seed=seed)
        some = sim.FixedNumberPostConnector(TARGETS, allow_self_connections=False, rng=rng)
        learning = Rewarded(weight=1.0, delay=1.0, modulator=self.dopamine)
        self.synapses = sim.Projection(excitatory, self.neurons, some, learning)
        fixed = sim.StaticSynapse(weight=-1.0, delay=1.0)
        sim.Projection(inhibitory, excitatory, some, fixed, receptor_type="inhibitory")
        kicks = sim.Population(self.neurons.size, sim.SpikeSourcePoisson(rate=1.0))
        kick = sim.StaticSynapse(weight=20.0, delay=1.0)
        sim.Projection(kicks, self.neurons, sim.OneToOneConnector(), kick)
        # By what all processes have, where several simulate: `synapses[0]` is the first of each.
        rows = np.array(self.synapses.get("weight", "list"))
        order = np.lexsort((rows[:, 1], rows[:, 0]))  # in which `set` takes values
        self.synapses.set(weight=np.where(order == 0, 0.0, 1.0))
        self.pair = int(rows[0, 0]), int(rows[0, 1])
        self.neurons[sorted(self.pair)].record("spikes")

    def weights(self) -> NDArray[np.float64]:
        """Those of all synapses that learn, mV."""
        return np.array(self.synapses.get("weight", "list", with_address=False))

    def spikes_of_pair(self) -> list[NDArray[np.float64]]:
        """Spike times of source and target since the last call, in ms."""
        (segment,) = self.neurons.get_data("spikes", clear=True).segments
        of = {train.annotations["source_index"]: train.magnitude for train in segment.spiketrains}
        return [of[index] for index in self.pair]


def coincidences(source: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """Times of the target's spikes that follow one of the source within 20 ms."""
    last = np.concatenate([[-np.inf], source])[np.searchsorted(source, target)]
    return target[target - last < COINCIDENCE]


def learn(network: Network, seconds: int, seed: int) -> dict[str, NDArray[np.float64]]:
    """The weight of the chosen synapse, and the mean of all, every `EVERY` seconds; rewards, ms."""
    rng = np.random.default_rng(seed)
    found: dict[str, list[float]] = {"chosen": [], "mean": [], "earned": [], "rewards": []}
    source = np.zeros(0)
    for second in range(1, seconds + 1):
        sim.run(SECOND)
        before = source[-1:]
        source, target = network.spikes_of_pair()
        earned = coincidences(np.concatenate([before, source]), target)
        found["earned"] += earned.tolist()
        found["rewards"] += (earned + rng.uniform(*REWARD_AFTER, len(earned))).round().tolist()
        network.dopamine.set(spike_times=sorted(found["rewards"]))
        if second % EVERY == 0:
            weights = network.weights()
            found["chosen"].append(weights[0])
            found["mean"].append(weights.mean())
    return {name: np.array(values) for name, values in found.items()}


def draw(found: dict[str, NDArray[np.float64]], weights: NDArray[np.float64], file: Path) -> None:
    """The weight over time with rewards, and the weights of all synapses at the end."""
    figure, (over_time, at_end) = plt.subplots(
        1, 2, figsize=(9, 3.6), width_ratios=[2, 1], layout="constrained"
    )
    minutes = EVERY * np.arange(1, len(found["chosen"]) + 1) / 60
    over_time.plot(minutes, found["chosen"], color="C3", label="the rewarded synapse")
    over_time.plot(minutes, found["mean"], color="0.4", label="all, on average")
    rewards = found["rewards"] / SECOND / 60
    over_time.plot(rewards, np.full(len(rewards), -0.15), "|", color="C0", ms=5, label="rewards")
    over_time.set(xlabel="time / min", ylabel="weight / mV", ylim=(-0.3, GREATEST + 0.1))
    over_time.legend(loc="upper left")
    at_end.hist(weights, bins=np.linspace(0, GREATEST, 41), color="0.6", log=True)
    at_end.axvline(found["chosen"][-1], color="C3")
    at_end.set(xlabel="weight at the end / mV", ylabel="synapses")
    file.parent.mkdir(exist_ok=True)
    figure.savefig(file, dpi=120)


def positive(text: str) -> int:
    """A number of seconds."""
    value = int(text)
    if value < EVERY:
        raise argparse.ArgumentTypeError(f"{value}: must be at least {EVERY}")
    return value


def main() -> None:
    """Learn, report, draw."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=positive, default=3600, help="of biological time (3600)")
    parser.add_argument("--seed", type=int, default=1, help="of all random numbers (1)")
    options = parser.parse_args()
    network = Network(options.seed)
    found = learn(network, options.seconds, options.seed)
    weights = network.weights()
    stronger = (weights > found["chosen"][-1]).sum()
    sim.end()
    print(f"{len(found['rewards'])} rewards in {options.seconds} s")
    print(f"the rewarded synapse went from 0 to {found['chosen'][-1]:.2f} mV of {GREATEST:g}")
    print(f"{stronger} of {len(weights)} are stronger; the mean of all is {weights.mean():.2f} mV")
    draw(found, weights, Path("results/distal_reward.png"))


if __name__ == "__main__":
    main()
