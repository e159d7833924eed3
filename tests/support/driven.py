"""Neurons that fire when they are told to, with a plastic synapse for each pair; also on NEST."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
from numpy.typing import NDArray
from pyNN.parameters import Sequence

DT = 0.1
WAY = 10  # steps from NEST's generators to parrots
STRONG = 500.0  # mV, of what makes targets fire


class Driven:
    """Sources and targets that fire when they are told to, with a plastic synapse for each pair."""

    def __init__(
        self, synapse: Any, pre: list[list[int]], post: list[list[int]], threads: int = 1
    ) -> None:
        sim.setup(timestep=DT, min_delay=DT, max_delay=20.0, threads=threads)

        def times(trains: list[list[int]], before: int) -> list[Sequence]:
            return [Sequence((np.array(train, int) - before) * DT) for train in trains]

        sources = sim.Population(len(pre), sim.SpikeSourceArray(spike_times=times(pre, 0)))
        drivers = sim.Population(len(post), sim.SpikeSourceArray(spike_times=times(post, 1)))
        targets = sim.Population(len(post), sim.IF_curr_delta(tau_refrac=0.0, v_thresh=300.0))
        self.projection = sim.Projection(
            sources, targets, sim.AllToAllConnector(), synapse, receptor_type="excitatory"
        )
        strong = sim.StaticSynapse(weight=STRONG, delay=DT)
        sim.Projection(drivers, targets, sim.OneToOneConnector(), strong)
        targets.record("spikes")
        self.targets, self.post = targets, post

    def get(self, name: str) -> NDArray[np.float64]:
        return np.array(self.projection.get(name, format="array"))

    def check(self) -> None:
        """The targets have fired when they were told to."""
        trains = self.targets.get_data().segments[-1].spiketrains
        for found, told in zip(trains, self.post, strict=True):
            assert found.magnitude == pytest.approx(np.array(told) * DT)


def trains(seed: int, n: int, spikes: int, steps: int, first: int = 2) -> list[list[int]]:
    rng = np.random.default_rng(seed)
    return [sorted(rng.choice(np.arange(first, steps), spikes, False).tolist()) for _ in range(n)]


def parrots(late: int, trains: list[Any], parameters: dict[str, float]) -> list[Any]:
    """Populations of parrots on a fresh NEST, which fire `late` steps after they are told to."""
    nest = pytest.importorskip("nest")
    nest.set_verbosity("M_ERROR")
    nest.ResetKernel()
    nest.resolution = DT
    populations = []
    for spikes in trains:
        generators = nest.Create("spike_generator", len(spikes))
        made = nest.Create("parrot_neuron", len(spikes), params=parameters)
        for generator, train in zip(generators, spikes, strict=True):
            generator.spike_times = [round((step + late - WAY) * DT, 1) for step in train]
        nest.Connect(generators, made, "one_to_one", {"delay": WAY * DT})
        populations.append(made)
    return populations


def weights_on_nest(sources: Any, targets: Any) -> NDArray[np.float64]:
    """Weights between NEST's neurons, [sources, targets]."""
    nest = pytest.importorskip("nest")
    weights = np.zeros((len(sources), len(targets)))
    for each in nest.GetConnections(sources, targets):
        weights[sources.index(each.source), targets.index(each.target)] = each.weight
    return weights


def on_nest(
    model: str, parameters: dict[str, float], tau_minus: dict[str, float], *trains: Any
) -> NDArray[np.float64]:
    """Weights of NEST's synapses between parrots, after the last spike of the sources."""
    nest = pytest.importorskip("nest")
    pre, post = parrots(20, list(trains), tau_minus)
    nest.CopyModel(model, "tested", parameters)
    spec = {"synapse_model": "tested", "weight": 0.5, "delay": 3.2, "receptor_type": 1}
    nest.Connect(pre, post, "all_to_all", spec)
    nest.Simulate(330.0)
    return weights_on_nest(pre, post)
