"""Spike-timing-dependent plasticity against NEST: the same weights, and so the same spikes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyNN.sparse
import pytest
from comparison import Backend, assert_same_spikes, on_nest, on_sparse
from numpy.typing import NDArray
from pyNN.parameters import Sequence
from pyNN.random import NumpyRNG, RandomDistribution

DURATION = 600.0
EQUAL = 1e-12  # uS or nA; sums of thousands of changes, each rounded differently


def plastic(sim: Any, w_max: float, **parameters: Any) -> Any:
    """Parameters of the synapse, unlike all defaults."""
    return sim.STDPMechanism(
        timing_dependence=sim.SpikePairRule(
            tau_plus=15.0, tau_minus=25.0, A_plus=0.02, A_minus=0.015
        ),
        weight_dependence=sim.AdditiveWeightDependence(w_min=0.0, w_max=w_max),
        **parameters,
    )


class PlasticNetwork:
    """Plastic synapses from sources and among neurons; `weights` after each part of a run."""

    def __init__(self, cell: str, w_max: float) -> None:
        self.cell = cell
        self.w_max = w_max
        self.weights: list[list[NDArray[np.float64]]] = []

    def __call__(self, backend: Backend) -> None:
        sim, rng = backend.sim, NumpyRNG(seed=5)
        random = np.random.RandomState(3)
        times = [
            backend.spike_times(np.unique(np.round(random.uniform(1, DURATION, 25), 1)))
            for _ in range(60)
        ]
        inputs = sim.Population(60, sim.SpikeSourceArray(spike_times=times))
        neurons = sim.Population(40, getattr(sim, self.cell)(i_offset=0.9))
        neurons.initialize(v=RandomDistribution("uniform", (-65.0, -50.0), rng=rng))
        projections = []
        for pre, probability in ((inputs, 0.5), (neurons, 0.3)):
            synapse = plastic(
                sim,
                self.w_max,
                weight=RandomDistribution("uniform", (0.1 * self.w_max, self.w_max), rng=rng),
                delay=RandomDistribution("uniform", (0.3, 5.0), rng=rng),
            )
            connector = sim.FixedProbabilityConnector(probability, rng=rng)
            projections.append(sim.Projection(pre, neurons, connector, synapse))
        backend.watch("neurons", neurons)
        for _ in range(3):
            sim.run(DURATION / 3)
            self.weights.append([each.get("weight", format="array") for each in projections])


@pytest.mark.parametrize(("cell", "w_max"), [("IF_curr_exp", 0.3), ("IF_cond_exp", 0.006)])
def test_weights_and_spikes(cell: str, w_max: float) -> None:
    on_both = [PlasticNetwork(cell, w_max) for _ in range(2)]
    expected = on_nest(on_both[0])
    for threads in (1, 2):
        on_both[1].weights.clear()
        found = on_sparse(on_both[1], threads=threads)
        assert expected.n_spikes > 1000
        assert_same_spikes(expected, found, 0.1)
        for nest, sparse in zip(*(each.weights for each in on_both), strict=True):
            for before, after in zip(nest, sparse, strict=True):
                assert np.nanmax(np.abs(before - after)) < EQUAL
    last = np.concatenate([weight[~np.isnan(weight)] for weight in on_both[1].weights[-1]])
    assert (last == 0).any(), "no weight has come to its lower limit"
    assert (last > 0.2 * w_max).any()


def pairing(interval: float, delay: float, **parameters: Any) -> float:
    """Change of a weight of 0.5 by a pair of spikes, the target's `interval` ms after the source's.

    Another pulse of the source, long after, makes the change visible.
    """
    sim = pyNN.sparse
    sim.setup(timestep=0.1, min_delay=0.1)
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=Sequence([100.0, 1000.0])))
    # The target fires when the driver's spike arrives, after 0.1 ms.
    driver = sim.Population(1, sim.SpikeSourceArray(spike_times=Sequence([100.0 + interval - 0.1])))
    target = sim.Population(1, sim.IF_curr_delta(tau_refrac=5.0))
    synapse = plastic(sim, 1.0, weight=0.5, delay=delay)
    projection = sim.Projection(source, target, sim.AllToAllConnector(), synapse)
    projection.set(**parameters)
    strong = sim.StaticSynapse(weight=50.0, delay=0.1)
    sim.Projection(driver, target, sim.AllToAllConnector(), strong)
    target.record("spikes")
    sim.run(1001.0)
    assert target.get_data().segments[0].spiketrains[0].magnitude == pytest.approx(100.0 + interval)
    return float(projection.get("weight", format="list", with_address=False)[0]) - 0.5


@pytest.mark.parametrize("delay", [0.1, 3.0])
@pytest.mark.parametrize("interval", [-40.0, -5.0, 0.5, 12.0, 60.0])
def test_window_of_a_pair(interval: float, delay: float) -> None:
    """Closed form; the target's spike reaches the synapse `delay` later."""
    lag = interval + delay
    late = 0.015 * np.exp(-(900.0 - lag) / 25.0)  # what the last pulse of the source takes away
    expected = 0.02 * np.exp(-lag / 15.0) if lag > 0 else -0.015 * np.exp(lag / 25.0)
    assert pairing(interval, delay) == pytest.approx(expected - late, abs=1e-14)


def test_parameters_may_be_changed() -> None:
    changed = pairing(5.0, 1.0, tau_plus=30.0, A_plus=0.1, w_max=0.9, w_min=0.4)
    assert changed == pytest.approx(0.1 * 0.5 * np.exp(-6.0 / 30.0), abs=1e-12)
    assert pairing(5.0, 1.0, A_plus=2.0) == pytest.approx(0.5, abs=1e-12)
    assert pairing(-5.0, 0.1, A_minus=2.0, w_min=0.3) == pytest.approx(-0.2, abs=1e-12)
