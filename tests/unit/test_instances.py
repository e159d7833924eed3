"""Many networks at once do what each of them does alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
from pyNN.random import NumpyRNG

from pynn_sparse import run_instances

DURATION = 200.0


def network(backend: Any, rate: float) -> Any:
    """Neurons with a Poisson background, another Poisson source and noise; recurrent."""
    neurons = backend.Population(70, backend.IF_curr_exp(i_offset=0.5))
    background = backend.Population(70, backend.SpikeSourcePoisson(rate=rate))
    others = backend.Population(30, backend.SpikeSourcePoisson(rate=100.0))
    each = backend.OneToOneConnector()
    strong = backend.StaticSynapse(weight=0.3, delay=1.5)
    backend.Projection(background, neurons, each, strong)
    some = backend.FixedProbabilityConnector(0.2, rng=NumpyRNG(3))
    backend.Projection(others, neurons, some, strong)
    weak = backend.StaticSynapse(weight=-0.1, delay=1.5)
    backend.Projection(neurons, neurons, some, weak, receptor_type="inhibitory")
    noise = backend.NoisyCurrentSource(mean=0.1, stdev=0.2, start=10.0, stop=150.0, dt=1.0)
    noise.inject_into(neurons[:20])
    others.record("spikes")
    neurons.record(["spikes", "v"])
    return neurons, others


def results(built: Any) -> list[Any]:
    segments = [population.get_data().segments[0] for population in built]
    trains = [train.magnitude.tolist() for each in segments for train in each.spiketrains]
    return [*trains, segments[0].analogsignals[0].magnitude.tolist()]


def alone(rate: float, seed: int) -> list[Any]:
    sim.setup(timestep=0.1, rng_seed=seed)
    built = network(sim, rate)
    sim.run(DURATION)
    return results(built)


@pytest.mark.parametrize("threads", [1, 3])
def test_each_does_what_it_does_alone(threads: int) -> None:
    rates, seeds = [500.0, 2000.0, 500.0], [5, 5, 9]
    built = run_instances(network, rates, DURATION, seeds=seeds, timestep=0.1, threads=threads)
    together = [results(each) for each in built]
    for found, rate, seed in zip(together, rates, seeds, strict=True):
        assert sum(map(len, found[:70])) > 50
        assert found == alone(rate, seed)


def test_seeds_differ_where_none_are_given() -> None:
    first, second = (results(each) for each in run_instances(network, [500.0] * 2, DURATION))
    assert first != second
    assert np.shape(first[-1]) == np.shape(second[-1])


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"seeds": [1]}, ValueError, "1 seeds for 2 values"),
        ({"seeds": [1, -1]}, ValueError, "seed = -1: must be 0 or greater, an integer"),
        ({"seeds": [1, 1.5]}, ValueError, "seed = 1.5"),
        ({"rng_seed": 3}, TypeError, "every instance has its own"),
    ],
)
def test_wrong_options(options: dict[str, Any], error: type[Exception], message: str) -> None:
    def never(backend: Any, value: Any) -> None:
        raise AssertionError("nothing is to be built")

    with pytest.raises(error, match=message):
        run_instances(never, [1, 2], DURATION, **options)


def test_no_network_remains_of_one_that_cannot_be_built() -> None:
    def build(sim: Any, value: float) -> Any:
        source = sim.Population(2, sim.SpikeSourcePoisson(rate=value))
        if value > 1.0:
            raise ZeroDivisionError("built half")
        return source

    with pytest.raises(ZeroDivisionError, match="built half"):
        run_instances(build, [1.0, 2.0], 5.0, timestep=0.1)
    assert sim.simulator.state.network.blocks == []
    assert sim.get_current_time() == 0.0
