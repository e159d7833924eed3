"""Single neurons against NEST: every model, rounding rules, time constants, time steps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.comparison import Backend, Network, compare
from support.parameters import BOUNDS, MODELS, PARAMETERS, WEIGHTS

DURATION = 300.0


def driven(model: str, n: int = 1, delay: Any = 1.0, **parameters: Any) -> Network:
    """Neurons under fire: irregular spikes to both receptors, all recorded."""

    def network(backend: Backend) -> None:
        sim = backend.sim
        values = PARAMETERS[model] | parameters
        neurons = sim.Population(n, getattr(sim, model)(**values))
        random = np.random.RandomState(1)
        for receptor, number, weight in (
            ("excitatory", 90, WEIGHTS[model][0] * (4 if model == "Izhikevich" else 2.5)),
            ("inhibitory", 25, WEIGHTS[model][2]),
        ):
            times = np.unique(np.round(random.uniform(1, DURATION - 20, number)))
            source = sim.Population(1, sim.SpikeSourceArray(spike_times=backend.spike_times(times)))
            synapse = sim.StaticSynapse(weight=weight, delay=delay)
            connector = sim.AllToAllConnector()
            sim.Projection(source, neurons, connector, synapse, receptor_type=receptor)
        variables = ["v"]
        if "cond" in model:
            variables += ["gsyn_exc", "gsyn_inh"]
        if model == "Izhikevich":
            variables += ["u"]
        backend.watch("neurons", neurons, *variables)
        sim.run(DURATION)

    return network


@pytest.mark.parametrize("dt", [0.1, 0.05, 0.5])
@pytest.mark.parametrize("model", MODELS)
def test_under_irregular_input(model: str, dt: float) -> None:
    # In a longer step NEST's integrator may be off by its tolerance, 1e-3; this backend's substeps
    # are as short as ever.
    bound = BOUNDS[model] if dt <= 0.1 or "cond" not in model else 1e-3
    assert compare(driven(model), bound, dt).n_spikes > 3


@pytest.mark.parametrize("model", [model for model in MODELS if model != "Izhikevich"])
def test_refractory_periods(model: str) -> None:
    """Rounded up to time steps, after rounding to 1 us."""
    periods = [0.1, 0.14, 0.15, 0.3, 1.0, 1.0004, 1.04, 2.0, 2.96, 5.0]
    network = driven(model, n=len(periods), tau_refrac=periods, i_offset=0.5)
    assert compare(network, BOUNDS[model]).n_spikes > 50


@pytest.mark.parametrize("model", ["IF_curr_exp", "IF_curr_alpha"])
def test_synaptic_and_membrane_time_constants_close_or_equal(model: str) -> None:
    taus = [15.0, 15.0 + 1e-9, 15.0 + 1e-5, 15.01, 14.9, 5.0]
    network = driven(model, n=len(taus), tau_syn_E=taus, tau_syn_I=taus[::-1])
    # NEST takes its formula for equal time constants where they are close, a little off the exact.
    compare(network, 1e-6)


@pytest.mark.parametrize("delay", [0.1, 0.149, 0.15, 0.25, 0.349, 0.35, 1.04, 1.05, 2.0])
def test_delays_off_the_grid(delay: float) -> None:
    compare(driven("IF_curr_exp", delay=delay), BOUNDS["IF_curr_exp"])


@pytest.mark.parametrize("model", MODELS)
def test_parameters_of_each_neuron(model: str) -> None:
    name = "d" if model == "Izhikevich" else "cm"
    values = np.array(PARAMETERS[model].get(name, 6.0)) * np.linspace(0.7, 1.5, 9)
    currents = PARAMETERS[model]["i_offset"] * np.linspace(0.0, 3.0, 9)
    network = driven(model, n=9, **{name: values, "i_offset": currents})
    assert compare(network, BOUNDS[model]).n_spikes > 20


def test_charging_of_a_membrane_is_exponential() -> None:
    """Against the closed form: v of a leaky membrane under a constant current."""
    import pyNN.sparse as sim

    for model in ("IF_curr_exp", "IF_curr_alpha", "IF_curr_delta", "IF_cond_exp", "IF_cond_alpha"):
        sim.setup(timestep=0.1)
        cell = getattr(sim, model)(cm=0.5, tau_m=10.0, i_offset=0.4, v_rest=-65.0)
        population = sim.Population(1, cell, initial_values={"v": -70.0})
        population.record("v")
        sim.run(50.0)
        v = population.get_data().segments[0].analogsignals[0].magnitude[:, 0]
        t = np.arange(501) * 0.1
        steady = -65.0 + 0.4 * 10.0 / 0.5
        expected = steady + (-70.0 - steady) * np.exp(-t / 10.0)
        assert np.abs(v - expected).max() < (1e-11 if "curr" in model else 1e-9), model
