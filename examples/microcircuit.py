"""The cortical microcircuit of Potjans and Diesmann (2014), doi:10.1093/cercor/bhs358.

A cubic millimetre's worth of cortex under 1 mm^2 of surface: four layers, each with an excitatory
and an inhibitory population, 77,169 neurons and 0.3 billion synapses at full scale. Runs on any
PyNN backend with spiking point neurons:

    python examples/microcircuit.py [sparse] [--scale 0.1] [--duration 1000]

At a scale below 1 there are fewer neurons, and fewer synapses for each. Synapses are then stronger,
and a constant current makes up for the input that is missing in the mean (van Albada et al.,
2015, doi:10.1371/journal.pcbi.1004490), so that rates stay near those of the full network. With
`--background dc` this needs a scale of 0.08 or more: a smaller network is silent after a while.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import time
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from numpy.typing import NDArray
from pyNN.random import NumpyRNG, RandomDistribution
from tqdm import tqdm

matplotlib.use("Agg")
import matplotlib.pyplot as plt

POPULATIONS = ("L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I")
FULL_SIZE = np.array([20683, 5834, 21915, 5479, 4850, 1065, 14395, 2948])
# Probability that at least one synapse connects a pair; rows are targets, columns sources.
PROBABILITY = np.array(
    [
        [0.1009, 0.1689, 0.0437, 0.0818, 0.0323, 0.0000, 0.0076, 0.0000],
        [0.1346, 0.1371, 0.0316, 0.0515, 0.0755, 0.0000, 0.0042, 0.0000],
        [0.0077, 0.0059, 0.0497, 0.1350, 0.0067, 0.0003, 0.0453, 0.0000],
        [0.0691, 0.0029, 0.0794, 0.1597, 0.0033, 0.0000, 0.1057, 0.0000],
        [0.1004, 0.0622, 0.0505, 0.0057, 0.0831, 0.3726, 0.0204, 0.0000],
        [0.0548, 0.0269, 0.0257, 0.0022, 0.0600, 0.3158, 0.0086, 0.0000],
        [0.0156, 0.0066, 0.0211, 0.0166, 0.0572, 0.0197, 0.0396, 0.2252],
        [0.0364, 0.0010, 0.0034, 0.0005, 0.0277, 0.0080, 0.0658, 0.1443],
    ]
)
EXTERNAL_SYNAPSES = np.array([1600, 1500, 2100, 1900, 2000, 1900, 2900, 2100])
EXTERNAL_RATE = 8.0  # Hz, of each
# Mean rates of the full network (Hz) with the authors' implementation in NEST (full_mean_rates of
# github.com/INM-6/microcircuit-PD14-model). Rates vary a little with the network that is drawn.
PUBLISHED_RATES = np.array([0.903, 2.965, 4.414, 5.876, 7.569, 8.633, 1.105, 7.829])

# Rates (Hz) for which a smaller network is compensated: those of its version in NEST 2.20.2
# (pynest/examples/Potjans_2014/network_params.py), and of PyNN's examples/Potjans2014. They matter:
# with the rates above, a tenth of the network falls silent on a constant background.
ASSUMED_RATES = np.array([0.971, 2.868, 4.746, 5.396, 8.142, 9.078, 0.991, 7.523])

NEURON = {
    "cm": 0.25,  # nF
    "tau_m": 10.0,
    "tau_syn_E": 0.5,
    "tau_syn_I": 0.5,
    "tau_refrac": 2.0,
    "v_rest": -65.0,
    "v_reset": -65.0,
    "v_thresh": -50.0,
}
WEIGHT = 0.0878  # nA, for a post-synaptic potential of 0.15 mV
INHIBITION = -4.0  # strength of inhibitory relative to excitatory synapses
WEIGHT_SPREAD = 0.1
DELAY = {"E": (1.5, 0.75), "I": (0.8, 0.4)}  # ms, mean and standard deviation, by source
TIMESTEP = 0.1
COLOURS = {"L23": "#1f5fa8", "L4": "#3a9c68", "L5": "#d9822b", "L6": "#a8324e"}


def synapse_numbers() -> NDArray[np.float64]:
    """Number of synapses of each projection of the full network, [target][source]."""
    pairs = np.outer(FULL_SIZE, FULL_SIZE).astype(float)
    return np.log(1 - PROBABILITY) / np.log(1 - 1 / pairs)


def full_weights() -> NDArray[np.float64]:
    """Mean weight (nA) of each projection of the full network, [target][source]."""
    weight = np.where([name.endswith("I") for name in POPULATIONS], INHIBITION * WEIGHT, WEIGHT)
    weights = np.tile(weight, (8, 1))
    weights[POPULATIONS.index("L23E"), POPULATIONS.index("L4E")] *= 2
    return weights


def compensating_current(scale: float, background: str) -> NDArray[np.float64]:
    """Constant current (nA) for each population: what the input lacks in the mean.

    With `scale` times the synapses, each 1/sqrt(scale) times as strong, the variance of the input
    is that of the full network and its mean sqrt(scale) times it.
    """
    per_spike = NEURON["tau_syn_E"] / 1000  # s: charge that a weight of 1 nA brings, in nA s
    indegree = synapse_numbers() / FULL_SIZE[:, np.newaxis]
    recurrent = (indegree * full_weights() * ASSUMED_RATES).sum(axis=1) * per_spike
    external = EXTERNAL_SYNAPSES * EXTERNAL_RATE * WEIGHT * per_spike
    missing = 1 - np.sqrt(scale)
    return missing * recurrent + (external if background == "dc" else missing * external)


def clipped(mean: float, deviation: float, low: float, high: float, rng: Any) -> RandomDistribution:
    """A normal distribution within limits."""
    return RandomDistribution("normal_clipped", (mean, deviation, low, high), rng=rng)


def build(sim: Any, options: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """Make the network; return the populations and the number of synapses."""
    make_rng = sim.NativeRNG if options.rng == "native" else NumpyRNG
    rng = make_rng(seed=options.seed)
    currents = compensating_current(options.scale, options.background)
    sizes = np.maximum(np.round(FULL_SIZE * options.scale), 1).astype(int)
    populations = {}
    for name, size, current in zip(POPULATIONS, sizes, currents, strict=True):
        cell = sim.IF_curr_exp(**NEURON, i_offset=float(current))
        populations[name] = sim.Population(int(size), cell, label=name)
        populations[name].initialize(v=RandomDistribution("normal", (-58.0, 10.0), rng=rng))
    synapses = connect(sim, populations, options.scale, rng)
    if options.background == "poisson":
        synapses += add_background(sim, populations, options.scale)
    return populations, synapses


def connect(sim: Any, populations: dict[str, Any], scale: float, rng: Any) -> int:
    """Make the recurrent projections, with multiple synapses between two cells allowed."""
    numbers = np.round(synapse_numbers() * scale**2).astype(int)
    weights = full_weights() / np.sqrt(scale)
    pairs = [(i, j) for i in range(8) for j in range(8) if numbers[i, j]]
    for i, j in tqdm(pairs, desc="building", unit="projection", disable=not watched()):
        pre, post, weight = POPULATIONS[j], POPULATIONS[i], weights[i, j]
        limits = (0.0, np.inf) if weight > 0 else (-np.inf, 0.0)
        synapse = sim.StaticSynapse(
            weight=clipped(weight, abs(weight) * WEIGHT_SPREAD, *limits, rng),
            delay=clipped(*DELAY[pre[-1]], TIMESTEP, np.inf, rng),
        )
        sim.Projection(
            populations[pre],
            populations[post],
            sim.FixedTotalNumberConnector(int(numbers[i, j]), rng=rng),
            synapse,
            receptor_type="excitatory" if weight > 0 else "inhibitory",
        )
    return int(numbers.sum())


def add_background(sim: Any, populations: dict[str, Any], scale: float) -> int:
    """Give each neuron its own Poisson input, the sum of its external synapses."""
    synapse = sim.StaticSynapse(weight=WEIGHT / np.sqrt(scale), delay=TIMESTEP)
    for name, number in zip(POPULATIONS, EXTERNAL_SYNAPSES, strict=True):
        cell = sim.SpikeSourcePoisson(rate=float(number * scale * EXTERNAL_RATE))
        sources = sim.Population(populations[name].size, cell, label=f"input of {name}")
        sim.Projection(sources, populations[name], sim.OneToOneConnector(), synapse)
    return sum(population.size for population in populations.values())


def watched() -> bool:
    """Whether somebody sees a progress bar: neither output goes to a file, nor to a CI log."""
    return sys.stdout.isatty() and sys.stderr.isatty() and "CI" not in os.environ


def run(sim: Any, duration: float, label: str) -> float:
    """Advance by `duration` (ms); return the seconds that it took."""
    begin = sim.get_current_time()
    bar = tqdm(total=duration, desc=label, unit="ms", disable=not watched())

    def show(now: float) -> float:
        bar.update(round(now - begin, 1) - bar.n)
        return now + 20.0  # when PyNN is to call again

    start = time.perf_counter()
    with bar:
        sim.run(duration, callbacks=[show])
        bar.update(duration - bar.n)
    return time.perf_counter() - start


def spike_trains(populations: dict[str, Any], after: float) -> dict[str, list[NDArray[np.float64]]]:
    """Spike times (ms) of each neuron, without those before `after`."""
    trains = {}
    for name, population in populations.items():
        segment = population.get_data("spikes").segments[0]
        times = [train.magnitude for train in segment.spiketrains]
        trains[name] = [each[each > after] for each in times]
    return trains


def print_rates(trains: dict[str, list[NDArray[np.float64]]], duration: float) -> list[float]:
    """Print rates beside the published ones, and the irregularity of spiking; return the rates."""
    heads = ("neurons", "rate / Hz", "published", "CV of ISI")
    print(f"\n{'population':10} " + " ".join(f"{head:>10}" for head in heads))
    rates = []
    for name, published in zip(POPULATIONS, PUBLISHED_RATES, strict=True):
        rate = sum(map(len, trains[name])) / len(trains[name]) / duration * 1000
        intervals = [np.diff(times) for times in trains[name] if len(times) > 2]
        cv = np.mean([each.std() / each.mean() for each in intervals]) if intervals else np.nan
        print(f"{name:10} {len(trains[name]):10} {rate:10.2f} {published:10.2f} {cv:10.2f}")
        rates.append(rate)
    return rates


def draw(
    trains: dict[str, list[NDArray[np.float64]]],
    rates: list[float],
    begin: float,
    end: float,
    file: Path,
) -> None:
    """Raster from `begin` (ms), of up to 8000 neurons, and bars of the rates."""
    figure, (raster, bars) = plt.subplots(
        1, 2, figsize=(10, 5.5), width_ratios=[3, 1], layout="constrained"
    )
    total = sum(map(len, trains.values()))
    every = max(1, total // 8000)
    base, middles = 0, []
    colours = [COLOURS[name[:-1]] for name in POPULATIONS]
    shades = [1.0 if name.endswith("E") else 0.55 for name in POPULATIONS]
    for name, colour, shade in zip(POPULATIONS, colours, shades, strict=True):
        shown = [each[each > begin] for each in trains[name][::every]]
        rows = base + np.repeat(np.arange(len(shown)), [len(each) for each in shown])
        raster.plot(np.concatenate(shown), rows, ".", markersize=2.2, color=colour, alpha=shade)
        middles.append(base + len(shown) / 2)
        base += len(shown)
    raster.set(xlabel="time / ms", xlim=(begin, end), ylim=(base, 0), yticks=middles)
    raster.set_yticklabels(POPULATIONS)
    place = np.arange(8)
    for at, rate, colour, shade in zip(place, rates, colours, shades, strict=True):
        bars.barh(at, rate, color=colour, alpha=shade)
    bars.plot(PUBLISHED_RATES, place, "k|", markersize=14, markeredgewidth=2, label="published")
    bars.set(xlabel="rate / Hz", yticks=place, ylim=(7.6, -0.6))
    bars.set_yticklabels(POPULATIONS)
    bars.legend(frameon=False, loc="upper right")
    for axes in (raster, bars):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(file, dpi=150)
    print(f"picture: {file}")


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    add = parser.add_argument
    add("simulator", nargs="?", default="sparse", help="PyNN backend (default: sparse)")
    add("--scale", type=float, default=0.1, help="share of neurons and of synapses per neuron")
    add(
        "--rng",
        choices=("numpy", "native"),
        default="numpy",
        help="numpy: the same network on all backends; native: the backend's own, which is faster",
    )
    add("--duration", type=float, default=1000.0, help="biological time to measure, in ms")
    add("--warm-up", type=float, default=500.0, help="biological time before that, in ms")
    add("--background", choices=("poisson", "dc"), default="poisson", help="external input")
    add("--seed", type=int, default=1, help="of the random numbers")
    add("--threads", type=int, help="threads to use, if the backend has them")
    add("--device", choices=("auto", "cpu", "cuda"), help="for the sparse backend")
    add("--out", type=Path, default=Path("results"), help="folder for the picture")
    options = parser.parse_args(arguments)
    if not 0 < options.scale <= 1:
        parser.error(f"--scale {options.scale:g}: must be greater than 0 and at most 1")
    if not (np.isfinite(options.duration) and options.duration >= TIMESTEP):
        parser.error(f"--duration {options.duration:g}: must be at least {TIMESTEP:g} ms")
    if not (np.isfinite(options.warm_up) and options.warm_up >= 0):
        parser.error(f"--warm-up {options.warm_up:g}: must be 0 ms or more")
    return options


def set_up(options: argparse.Namespace) -> Any:
    """The backend, ready for a network."""
    sim = importlib.import_module(f"pyNN.{options.simulator}")
    chosen: dict[str, Any] = {"threads": options.threads}
    if options.simulator == "sparse":
        chosen |= {"device": options.device, "rng_seed": options.seed}
    elif options.simulator == "nest":
        chosen |= {"spike_precision": "on_grid", "rng_seed": max(1, options.seed)}
    extra = {name: value for name, value in chosen.items() if value is not None}
    sim.setup(timestep=TIMESTEP, min_delay=TIMESTEP, max_delay=20.0, **extra)
    return sim


def main() -> None:
    """Build, run, report."""
    options = parse()
    sim = set_up(options)
    start = time.perf_counter()
    populations, synapses = build(sim, options)
    for population in populations.values():
        population.record("spikes")
    neurons = sum(population.size for population in populations.values())
    # Where mpiexec has started several processes, the first one gets all data, and reports.
    say: Any = print if sim.rank() == 0 else lambda text: None
    say(f"{neurons} neurons, {synapses} synapses, built in {time.perf_counter() - start:.1f} s")

    seconds = run(sim, options.warm_up, "warming up")
    say(f"{options.warm_up:g} ms to warm up in {seconds:.2f} s")
    seconds = run(sim, options.duration, "running")
    factor = seconds / options.duration * 1000
    say(f"{options.duration:g} ms simulated in {seconds:.2f} s, real-time factor {factor:.2f}")

    trains = spike_trains(populations, options.warm_up)
    sim.end()
    if sim.rank() != 0:
        return
    rates = print_rates(trains, options.duration)
    options.out.mkdir(parents=True, exist_ok=True)
    end = options.warm_up + options.duration
    file = options.out / f"microcircuit_{options.simulator}.png"
    draw(trains, rates, max(options.warm_up, end - 400.0), end, file)


if __name__ == "__main__":
    main()
