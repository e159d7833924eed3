"""The cortical microcircuit of Potjans and Diesmann (2014), doi:10.1093/cercor/bhs358.

As numbers, and as a PyNN network; `examples/microcircuit.py` explains it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FULL_SIZE = np.array([20683, 5834, 21915, 5479, 4850, 1065, 14395, 2948])
INHIBITORY = np.array([False, True] * 4)
# Rows are targets, columns sources: L23E, L23I, L4E, L4I, L5E, L5I, L6E, L6I.
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
EXTERNAL = np.array([1600, 1500, 2100, 1900, 2000, 1900, 2900, 2100])
EXTERNAL_RATE = 8.0  # Hz, of each
RATES = np.array([0.971, 2.868, 4.746, 5.396, 8.142, 9.078, 0.991, 7.523])  # Hz, to compensate for
WEIGHT = 0.0878  # nA
TAU_SYN = 0.5  # ms
NEURON = {
    "cm": 0.25,
    "tau_m": 10.0,
    "tau_syn_E": TAU_SYN,
    "tau_syn_I": TAU_SYN,
    "tau_refrac": 2.0,
    "v_rest": -65.0,
    "v_reset": -65.0,
    "v_thresh": -50.0,
}
DELAY_E, DELAY_I = (1.5, 0.75), (0.8, 0.4)  # ms, mean and standard deviation


@dataclass(frozen=True)
class Numbers:
    """All that a scale and a background determine; arrays are [8], or [target][source] [8, 8].

    Attributes:
        size: neurons.
        synapses: number of synapses.
        weight: mean weights, nA.
        current: constant current of each neuron, nA.
        rate: of each neuron's Poisson source, Hz; with the weight `external`, nA.
    """

    size: NDArray[np.int64]
    synapses: NDArray[np.int64]
    weight: NDArray[np.float64]
    current: NDArray[np.float64]
    rate: NDArray[np.float64]
    external: float


def numbers(scale: float, background: str) -> Numbers:
    """The network with `scale` times the neurons and synapses per neuron, compensated for it."""
    pairs = np.outer(FULL_SIZE, FULL_SIZE).astype(float)
    synapses = np.log(1 - PROBABILITY) / np.log(1 - 1 / pairs)
    weight = np.tile(np.where(INHIBITORY, -4.0 * WEIGHT, WEIGHT), (8, 1))
    weight[0, 2] *= 2  # from L4E to L23E
    charge = TAU_SYN / 1000  # of a weight of 1 nA, in nA s
    indegree = synapses / FULL_SIZE[:, np.newaxis]
    recurrent = (indegree * weight * RATES).sum(axis=1) * charge
    external = EXTERNAL * EXTERNAL_RATE * WEIGHT * charge
    missing = 1 - np.sqrt(scale)
    current = missing * recurrent + (external if background == "dc" else missing * external)
    return Numbers(
        size=np.round(FULL_SIZE * scale).astype(int),
        synapses=np.round(synapses * scale**2).astype(int),
        weight=weight / np.sqrt(scale),
        current=current,
        rate=EXTERNAL * EXTERNAL_RATE * scale,
        external=WEIGHT / np.sqrt(scale),
    )


def build(sim: Any, rng: Any, scale: float, background: str) -> tuple[list[Any], int]:
    """Make the network with PyNN; return the populations, and the number of recurrent synapses."""
    n = numbers(scale, background)
    populations = [_population(sim, rng, *each) for each in zip(n.size, n.current, strict=True)]
    for target, source in zip(*np.nonzero(n.synapses), strict=True):
        _connect(sim, rng, populations[source], populations[target], n, (target, source))
    if background == "poisson":
        for population, rate in zip(populations, n.rate, strict=True):
            drive = sim.Population(population.size, sim.SpikeSourcePoisson(rate=float(rate)))
            synapse = sim.StaticSynapse(weight=n.external, delay=DELAY_E[0])
            each = sim.OneToOneConnector()
            sim.Projection(drive, population, each, synapse, receptor_type="excitatory")
    return populations, int(n.synapses.sum())


def _population(sim: Any, rng: Any, size: int, current: float) -> Any:
    from pyNN.random import RandomDistribution

    population = sim.Population(int(size), sim.IF_curr_exp(**NEURON, i_offset=float(current)))
    population.initialize(v=RandomDistribution("normal", (-58.0, 10.0), rng=rng))
    return population


def _connect(sim: Any, rng: Any, pre: Any, post: Any, n: Numbers, at: tuple[int, int]) -> None:
    from pyNN.random import RandomDistribution

    weight, excitatory = float(n.weight[at]), n.weight[at] > 0
    limits = (0.0, np.inf) if excitatory else (-np.inf, 0.0)
    drawn = RandomDistribution("normal_clipped", (weight, 0.1 * abs(weight), *limits), rng=rng)
    law = DELAY_E if excitatory else DELAY_I
    delay = RandomDistribution("normal_clipped", (*law, 0.1, np.inf), rng=rng)
    sim.Projection(
        pre,
        post,
        sim.FixedTotalNumberConnector(int(n.synapses[at]), rng=rng),
        sim.StaticSynapse(weight=drawn, delay=delay),
        receptor_type="excitatory" if excitatory else "inhibitory",
    )
