"""Recurrent networks against NEST, spike for spike, and against themselves, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from pyNN.random import NumpyRNG, RandomDistribution
from support.comparison import (
    Backend,
    Network,
    assert_close_traces,
    assert_same_spikes,
    compare,
    on_sparse,
)
from support.parameters import BOUNDS, KINK_BOUND, MODELS, PARAMETERS, WEIGHTS

DURATION = 800.0


def recurrent(model: str, seed: int = 3) -> Network:
    """200 neurons with random parameters, weights and delays, and current sources into views."""

    def network(backend: Backend) -> None:
        sim, rng = backend.sim, NumpyRNG(seed=seed)
        parameters = dict(PARAMETERS[model])
        varied = "a" if model == "Izhikevich" else "tau_m"
        mean = parameters[varied]
        parameters[varied] = RandomDistribution("uniform", (0.6 * mean, 1.5 * mean), rng=rng)
        neurons = sim.Population(200, getattr(sim, model)(**parameters))
        neurons.initialize(v=RandomDistribution("uniform", (-70.0, -55.0), rng=rng))
        random = np.random.RandomState(seed)
        times = [
            backend.spike_times(np.unique(np.round(random.uniform(1, DURATION - 1, 30), 1)))
            for _ in range(50)
        ]
        inputs = sim.Population(50, sim.SpikeSourceArray(spike_times=times))
        delay = RandomDistribution("uniform", (0.1, 3.0), rng=rng)
        for pre, mean, receptor in zip(
            (inputs, neurons[:150], neurons[150:]),
            WEIGHTS[model],
            ("excitatory", "excitatory", "inhibitory"),
            strict=True,
        ):
            limits = sorted((0.5 * mean, 1.5 * mean))
            synapse = sim.StaticSynapse(
                weight=RandomDistribution("uniform", limits, rng=rng), delay=delay
            )
            connector = sim.FixedProbabilityConnector(0.2, rng=rng)
            sim.Projection(pre, neurons, connector, synapse, receptor_type=receptor)
        current = 0.003 if model == "Izhikevich" else 0.1
        sim.DCSource(amplitude=current, start=20.0, stop=120.0).inject_into(neurons[10:30])
        wave = {"amplitude": current, "offset": current / 2, "frequency": 33.0, "phase": 40.0}
        sim.ACSource(**wave, start=10.0, stop=300.0).inject_into(neurons[20:40])
        steps = sim.StepCurrentSource(
            times=[15.0, 50.04, 80.0], amplitudes=[current, -current, 0.0]
        )
        steps.inject_into(neurons[35:60])
        backend.watch("neurons", neurons, "v")
        sim.run(DURATION)

    return network


@pytest.mark.parametrize("model", MODELS)
def test_spike_for_spike(model: str) -> None:
    bound = KINK_BOUND if "cond" in model else BOUNDS[model]
    assert compare(recurrent(model), bound).n_spikes > 500


@pytest.mark.parametrize("model", MODELS)
def test_threads_do_not_change_a_bit(model: str) -> None:
    one, two = (on_sparse(recurrent(model), threads=threads) for threads in (1, 2))
    assert_same_spikes(one, two, 0.1)
    assert_close_traces(one, two, 0.0)


def test_chain_of_all_models() -> None:
    """Populations of different models connected with each other, through an Assembly too."""

    def network(backend: Backend) -> None:
        sim, rng = backend.sim, NumpyRNG(seed=11)
        times = [backend.spike_times(np.arange(2.0 + k / 10, 300.0, 7.0 + k)) for k in range(20)]
        inputs = sim.Population(20, sim.SpikeSourceArray(spike_times=times))
        populations = {
            model: sim.Population(30, getattr(sim, model)(**PARAMETERS[model])) for model in MODELS
        }
        current_based = populations["IF_curr_exp"] + populations["IF_curr_alpha"][5:]
        for model, post in populations.items():
            for pre, weight in ((inputs, 1.5), (current_based, 0.2)):
                connector = sim.FixedProbabilityConnector(0.3, rng=rng)
                synapse = sim.StaticSynapse(
                    weight=weight * WEIGHTS[model][0],
                    delay=RandomDistribution("uniform", (0.3, 4.0), rng=rng),
                )
                sim.Projection(pre, post, connector, synapse, receptor_type="excitatory")
            backend.watch(model, post, "v")
        sim.run(300.0)

    assert compare(network, KINK_BOUND).n_spikes > 500
