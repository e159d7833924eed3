"""Adaptive, exponential, Hodgkin-Huxley and composed neurons against NEST; convergence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyNN.sparse
import pytest
from pyNN import errors
from pyNN.random import NumpyRNG, RandomDistribution
from support.comparison import Backend, Network, compare, on_nest, on_sparse

DURATION = 300.0
ADAPTIVE = {"tau_refrac": 1.5, "i_offset": [0.3, 0.6, 1.0]}
# Parameters, weights of excitation and inhibition (uS), what is recorded, and the largest
# difference of v from NEST's in mV. NEST's tolerance for the error of a step is 1e-3 in HH_cond_exp
# and IF_cond_exp_gsfa_grr. Where an exponential neuron passes v_spike, its derivative has a kink
# to which the integration's steps close in, so that rounding decides in which of them it fires.
MODELS: dict[str, tuple[dict[str, Any], tuple[float, float], tuple[str, ...], float]] = {
    "HH_cond_exp": (
        {"i_offset": [0.1, 0.5, 1.0]},
        (0.02, 0.02),
        ("v", "gsyn_exc", "gsyn_inh", "m", "h", "n"),
        1e-6,
    ),
    "EIF_cond_exp_isfa_ista": (ADAPTIVE, (0.01, 0.02), ("v", "w", "gsyn_exc"), 5e-2),
    "EIF_cond_alpha_isfa_ista": (ADAPTIVE, (0.01, 0.02), ("v", "w", "gsyn_inh"), 5e-2),
    "IF_cond_exp_gsfa_grr": (
        {"i_offset": [0.5, 1.0, 2.0], "tau_refrac": 1.04, "q_sfa": 10.0},
        (0.01, 0.02),
        ("v", "gsyn_exc", "g_s", "g_r"),
        1e-3,
    ),
    "IF_facets_hardware1": ({"g_leak": [20.0, 40.0, 60.0]}, (0.005, 0.005), ("v",), 1e-6),
    "GIF_cond_exp": (
        {"i_offset": [0.1, 0.2, 0.3], "lambda0": 0.0},  # so that it never fires: no chance
        (0.01, 0.02),
        ("v", "gsyn_exc"),
        1e-6,
    ),
}


def driven(make: Callable[[Any], Any], inputs: dict[str, float], variables: Any) -> Network:
    """Three neurons under irregular spikes at some receptors."""

    def network(backend: Backend) -> None:
        sim, random = backend.sim, np.random.RandomState(1)
        neurons = sim.Population(3, make(sim))
        for number, (receptor, weight) in zip((90, 25, 60), inputs.items(), strict=False):
            times = np.unique(np.round(random.uniform(1, DURATION - 20, number)))
            source = sim.Population(1, sim.SpikeSourceArray(spike_times=backend.spike_times(times)))
            synapse = sim.StaticSynapse(weight=weight, delay=1.0)
            connector = sim.AllToAllConnector()
            sim.Projection(source, neurons, connector, synapse, receptor_type=receptor)
        backend.watch("neurons", neurons, *variables)
        sim.run(DURATION)

    return network


@pytest.mark.parametrize("dt", [0.1, 0.05])
@pytest.mark.parametrize("model", MODELS)
def test_under_irregular_input(model: str, dt: float) -> None:
    parameters, weights, variables, bound = MODELS[model]
    inputs = dict(zip(("excitatory", "inhibitory"), weights, strict=True))
    network = driven(lambda sim: getattr(sim, model)(**parameters), inputs, variables)
    found = compare(network, bound, dt)
    assert found.n_spikes > 10 or model == "GIF_cond_exp"


@pytest.mark.parametrize("model", ["HH_cond_exp", "EIF_cond_exp_isfa_ista"])
def test_recurrent_network(model: str) -> None:
    """Every spike of 100 neurons that excite and inhibit each other."""

    def network(backend: Backend) -> None:
        sim, rng = backend.sim, NumpyRNG(seed=4)
        neurons = sim.Population(100, getattr(sim, model)(i_offset=0.7))
        neurons.initialize(v=RandomDistribution("uniform", (-70.0, -60.0), rng=rng))
        for part, receptor, weight in (
            (neurons[:80], "excitatory", 0.002),
            (neurons[80:], "inhibitory", 0.01),
        ):
            synapse = sim.StaticSynapse(
                weight=weight, delay=RandomDistribution("uniform", (0.2, 3.0), rng=rng)
            )
            connector = sim.FixedProbabilityConnector(0.1, rng=rng)
            sim.Projection(part, neurons, connector, synapse, receptor_type=receptor)
        backend.watch("neurons", neurons)
        sim.run(200.0)

    assert compare(network, 0.0).n_spikes > 300


COMPOSED: dict[str, tuple[Callable[[Any], Any], dict[str, float], str, float]] = {
    "currents": (
        lambda sim: sim.PointNeuron(
            sim.LIF(tau_m=12.0, i_offset=0.5, cm=0.8),
            fast=sim.CurrExpPostSynapticResponse(tau_syn=1.0),
            slow=sim.CurrExpPostSynapticResponse(tau_syn=7.0),
            third=sim.CurrExpPostSynapticResponse(tau_syn=11.0),
        ),
        {"fast": 0.8, "slow": -0.4, "third": 1.0},
        "isyn",
        1e-11,
    ),
    "alpha": (
        lambda sim: sim.PointNeuron(
            sim.AdExp(i_offset=0.3),
            AMPA=sim.AlphaPSR(tau_syn=1.0, e_syn=0.0),
            GABA=sim.AlphaPSR(tau_syn=7.0, e_syn=-80.0),
            NMDA=sim.AlphaPSR(tau_syn=3.0),
        ),
        {"AMPA": 0.02, "GABA": 0.01, "NMDA": 0.02},
        "gsyn",
        5e-3,
    ),
    "beta": (
        lambda sim: sim.PointNeuron(
            sim.AdExp(i_offset=0.3),
            AMPA=sim.BetaPSR(tau_rise=1.0, tau_decay=2.0, e_syn=0.0),
            GABA=sim.BetaPSR(tau_rise=0.3, tau_decay=10.0, e_syn=-80.0),
            NMDA=sim.BetaPSR(tau_rise=2.0, tau_decay=2.0001),
        ),
        {"AMPA": 0.02, "GABA": 0.01, "NMDA": 0.02},
        "gsyn",
        5e-3,
    ),
}


@pytest.mark.parametrize("name", COMPOSED)
def test_composed_neurons(name: str) -> None:
    make, inputs, variable, bound = COMPOSED[name]
    variables = ["v", *(f"{receptor}.{variable}" for receptor in sorted(inputs))]
    assert compare(driven(make, inputs, variables), bound).n_spikes > 10


def test_composed_as_the_standard_models() -> None:
    """LIF and AdExp with the receptors of a standard model are that model."""
    sim = pyNN.sparse
    conductances = {
        "excitatory": lambda: sim.ExpPSR(tau_syn=5.0, e_syn=0.0),
        "inhibitory": lambda: sim.ExpPSR(tau_syn=5.0, e_syn=-70.0),
    }
    inputs = {"excitatory": 0.02, "inhibitory": 0.01}
    pairs = (
        (lambda s: s.IF_cond_exp(), lambda s: s.LIF(), 1e-9),
        (
            lambda s: s.EIF_cond_exp_isfa_ista(e_rev_I=-70.0),
            lambda s: s.AdExp(),
            1e-12,
        ),
    )
    for standard, membrane, bound in pairs:
        one = on_sparse(driven(standard, inputs, ["v"]))
        other = on_sparse(
            driven(
                lambda s, membrane=membrane: s.PointNeuron(
                    membrane(s), **{name: make() for name, make in conductances.items()}
                ),
                inputs,
                ["v"],
            )
        )
        difference = one.traces["v of neurons"] - other.traces["v of neurons"]
        assert np.abs(difference).max() < bound
        assert one.n_spikes == other.n_spikes


def test_currents_and_conductances_in_one_neuron() -> None:
    """Which no other backend has: a current acts as it does beside no conductance."""
    sim = pyNN.sparse

    def mixed(s: Any) -> Any:
        return s.PointNeuron(
            s.LIF(), I=s.CurrExpPostSynapticResponse(tau_syn=3.0), g=s.ExpPSR(tau_syn=5.0)
        )

    alone = on_sparse(driven(lambda s: s.IF_curr_exp(tau_syn_E=3.0), {"excitatory": 0.2}, ["v"]))
    together = on_sparse(driven(mixed, {"I": 0.2}, ["v"]))
    difference = alone.traces["v of neurons"] - together.traces["v of neurons"]
    assert np.abs(difference).max() < 1e-7
    sim.setup()
    neurons = sim.Population(2, mixed(sim))
    ends = (neurons, neurons, sim.AllToAllConnector(), sim.StaticSynapse(weight=-0.1, delay=1.0))
    with pytest.raises(errors.ConnectionError, match="must be positive"):
        sim.Projection(*ends, receptor_type="g")
    sim.Projection(*ends, receptor_type="I")


def test_receptors_have_parameters_of_each_neuron() -> None:
    sim = pyNN.sparse
    sim.setup()
    cell = sim.PointNeuron(sim.LIF(tau_m=[10.0, 20.0]), AMPA=sim.ExpPSR(tau_syn=[1.0, 2.0]))
    neurons = sim.Population(2, cell)
    assert neurons.get("AMPA.tau_syn").tolist() == [1.0, 2.0]
    neurons.set(**{"AMPA.e_syn": -10.0})
    assert neurons.get("AMPA.e_syn") == -10.0
    neurons.record(["v", "AMPA.gsyn"])
    sim.run(1.0)
    assert {each.name for each in neurons.get_data().segments[0].analogsignals} == {
        "v",
        "AMPA.gsyn",
    }


@pytest.mark.parametrize("model", ["HH_cond_exp", "EIF_cond_exp_isfa_ista"])
def test_convergence(model: str) -> None:
    """Against time steps of 1 us: the error is the integration's tolerance, not the time step's."""
    sim = pyNN.sparse

    def trace(dt: float) -> Any:
        sim.setup(timestep=dt)
        current = 0.02 if model == "HH_cond_exp" else 0.4  # below threshold
        neurons = sim.Population(1, getattr(sim, model)(i_offset=current))
        neurons.record("v", sampling_interval=1.0)
        sim.run(40.0)
        return neurons.get_data().segments[0].analogsignals[0].magnitude[:, 0]

    exact = trace(0.001)
    deviations = [np.abs(trace(dt) - exact).max() for dt in (0.2, 0.1, 0.05)]
    assert max(deviations) < (2e-3 if model == "HH_cond_exp" else 1e-5)


def test_potentials_that_diverge_are_reported_once() -> None:
    """Also where steps adapt, which cannot be short enough: the run comes to an end."""
    sim = pyNN.sparse
    parts: dict[str, Any] = {"parameters": {}, "state": {"v": 1.0}}
    for made in (
        sim.native_cell_type("Growing", **parts, update="v = v * 1e200"),
        sim.native_cell_type("Singular", **parts, equations="dv/dt = v * v * v"),
    ):
        sim.setup(timestep=0.1)
        neurons = sim.Population(3, made())
        neurons.record("v")
        with pytest.warns(RuntimeWarning, match="v of 3 neurons .* not a finite number any more"):
            sim.run(5.0)
        sim.run(1.0)  # an error, if it warned again


def test_gif_neuron_fires_by_its_hazard() -> None:
    """Without adaptation, at a constant potential: a Poisson process with dead time."""
    sim = pyNN.sparse
    sim.setup(timestep=0.1)
    still = {"a_eta": [0.0] * 3, "a_gamma": [0.0] * 3}
    cell = sim.GIF_cond_exp(v_t_star=-65.0, lambda0=20.0, tau_refrac=4.0, v_reset=-65.0, **still)
    neurons = sim.Population(500, cell)
    neurons.record("spikes")
    sim.run(2000.0)
    # After the spike's step v stays at v_reset for 4 ms, and fires again from the next step on.
    expected = 1000 / (50.0 + 4.1)
    assert neurons.mean_spike_count() / 2 == pytest.approx(expected, rel=0.03)


def test_nest_has_the_same_gif_neuron_but_for_its_random_numbers() -> None:
    """Rates of neurons that adapt, within the standard error."""

    def network(backend: Backend) -> None:
        cell = backend.sim.GIF_cond_exp(i_offset=1.0, v_t_star=-50.0, lambda0=10.0)
        neurons = backend.sim.Population(300, cell)
        backend.watch("neurons", neurons)
        backend.sim.run(500.0)

    rates = []
    for run in (on_nest, on_sparse):
        counts = np.array([len(each) for each in run(network).spikes.values()])
        rates.append((counts.mean(), counts.std() / np.sqrt(len(counts))))
    (nest, error), (sparse, _) = rates
    assert nest > 1
    assert sparse == pytest.approx(nest, abs=6 * error)
