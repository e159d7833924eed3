"""Short-term plasticity and stochastic synapses: NEST where it has them, else expected values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyNN.sparse
import pytest
from numpy.typing import NDArray
from pyNN.parameters import Sequence
from pyNN.random import NumpyRNG, RandomDistribution
from support.comparison import Backend, Network, compare

BOUND = 1e-9  # mV


def depressing(values: dict[str, Any]) -> Network:
    """Sources at irregular times onto neurons, through TsodyksMarkramSynapses."""

    def network(backend: Backend) -> None:
        sim, random = backend.sim, np.random.RandomState(2)
        times = [np.unique(np.round(random.uniform(1, 280, 40), 1)) for _ in range(4)]
        sources = sim.Population(
            4, sim.SpikeSourceArray(spike_times=[backend.spike_times(each) for each in times])
        )
        neurons = sim.Population(3, sim.IF_curr_exp(i_offset=0.4, tau_syn_E=2.0, tau_syn_I=5.0))
        rng = NumpyRNG(seed=3)
        for receptor, weight in (("excitatory", 20.0), ("inhibitory", -1.0)):
            given = {
                name: RandomDistribution("uniform", value, rng=rng)
                if isinstance(value, tuple)
                else value
                for name, value in values.items()
            }
            synapse = sim.TsodyksMarkramSynapse(weight=weight, delay=1.5, **given)
            connector = sim.AllToAllConnector()
            sim.Projection(sources, neurons, connector, synapse, receptor_type=receptor)
        backend.watch("neurons", neurons, "v")
        sim.run(150.0)
        sim.run(150.0)

    return network


@pytest.mark.parametrize(
    "values",
    [
        {"U": 0.5, "tau_rec": 100.0, "tau_facil": 0.0},
        {"U": 0.04, "tau_rec": 50.0, "tau_facil": 200.0},
        {"U": 1.0, "tau_rec": 800.0, "tau_facil": 0.0},
        {"U": (0.1, 0.9), "tau_rec": (20.0, 400.0), "tau_facil": (1.0, 300.0)},
    ],
)
def test_tsodyks_markram_as_on_nest(values: dict[str, Any]) -> None:
    assert compare(depressing(values), BOUND).n_spikes > 10


def amplitudes(
    synapse: Any, n: int = 400, times: Any = (10.0, 20.0, 60.0), threads: int = 1
) -> NDArray[np.float64]:
    """What each of n synapses transmits of a weight of 1 mV at each spike, [times, n]."""
    sim = pyNN.sparse
    sim.setup(timestep=0.1, threads=threads)
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=Sequence(times)))
    neurons = sim.Population(n, sim.IF_curr_delta(tau_m=1e9, v_thresh=1e6))
    projection = sim.Projection(source, neurons, sim.AllToAllConnector(), synapse(sim))
    assert projection.size() == n
    neurons.record("v")
    sim.run(max(times) + 5.0)
    v = neurons.get_data().segments[0].analogsignals[0].magnitude
    steps = [round((time + 1.0) / 0.1) for time in times]
    return np.array([v[step + 2] - v[step - 2] for step in steps])


def test_simple_stochastic() -> None:
    found = amplitudes(lambda sim: sim.SimpleStochasticSynapse(weight=1.0, delay=1.0, p=0.3), 2000)
    sent = found > 0.5
    assert np.abs(found - sent).max() < 1e-6  # all or nothing
    assert sent.mean() == pytest.approx(0.3, abs=4 * np.sqrt(0.3 * 0.7 / sent.size))
    assert np.abs(np.corrcoef(sent)[np.triu_indices(3, 1)]).max() < 0.1  # independent


def test_two_synapses_between_two_neurons_are_independent() -> None:
    sim = pyNN.sparse
    sim.setup(timestep=0.1)
    times = np.arange(10.0, 1000.0, 1.0)
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=Sequence(times)))
    neuron = sim.Population(1, sim.IF_curr_delta(tau_m=1e9, v_thresh=1e6))
    twice = sim.FromListConnector([(0, 0, 1.0, 1.0, 0.5)] * 2, ["weight", "delay", "p"])
    sim.Projection(source, neuron, twice, sim.SimpleStochasticSynapse())
    neuron.record("v")
    sim.run(1005.0)
    v = neuron.get_data().segments[0].analogsignals[0].magnitude[:, 0]
    steps = np.round((times + 1.0) / 0.1).astype(int)
    sent = np.round(v[steps + 2] - v[steps - 2])
    counts = np.bincount(sent.astype(int), minlength=3) / len(times)
    assert counts == pytest.approx([0.25, 0.5, 0.25], abs=0.06)


def test_stochastic_tsodyks_markram() -> None:
    """One site: after a release it has recovered with the probability 1 - exp(-t / tau_rec)."""
    found = amplitudes(
        lambda sim: sim.StochasticTsodyksMarkramSynapse(
            weight=1.0, delay=1.0, U=0.6, tau_rec=30.0, tau_facil=0.0
        ),
        5000,
    )
    sent = found > 0.5
    assert sent[0].mean() == pytest.approx(0.6, abs=0.03)
    after = sent[1][sent[0]].mean()
    assert after == pytest.approx(0.6 * (1 - np.exp(-10.0 / 30.0)), abs=0.03)
    assert sent[1][~sent[0]].mean() == pytest.approx(0.6, abs=0.03)


def test_multi_quantal() -> None:
    """n sites: the mean is that of the deterministic model, the first variance binomial."""
    n, use, tau = 5, 0.4, 50.0
    found = amplitudes(
        lambda sim: sim.MultiQuantalSynapse(
            weight=1.0, delay=1.0, U=use, n=n, tau_rec=tau, tau_facil=0.0
        ),
        5000,
    )
    released = np.round(found)
    assert np.abs(found - released).max() < 1e-5
    assert released[0].mean() == pytest.approx(n * use, abs=0.08)
    assert released[0].var() == pytest.approx(n * use * (1 - use), rel=0.1)
    full = 1 - use * np.exp(-10.0 / tau)
    assert released[1].mean() == pytest.approx(n * use * full, abs=0.08)


@pytest.mark.parametrize("name", ["SimpleStochasticSynapse", "MultiQuantalSynapse"])
def test_reproducible_for_any_number_of_threads(name: str) -> None:
    def synapse(sim: Any) -> Any:
        return getattr(sim, name)(weight=1.0, delay=1.0)

    first, second, third = (amplitudes(synapse, threads=n) for n in (1, 1, 3))
    assert np.array_equal(first, second)
    assert np.array_equal(first, third)


def test_parameters_and_states_of_a_projection() -> None:
    sim = pyNN.sparse
    sim.setup(timestep=0.1)
    source = sim.Population(2, sim.SpikeSourceArray(spike_times=[10.0]))
    neurons = sim.Population(3, sim.IF_curr_delta(tau_m=1e9, v_thresh=1e6))
    neurons.record("v")
    synapse = sim.TsodyksMarkramSynapse(weight=1.0, delay=1.0, U=0.5)
    projection = sim.Projection(source, neurons, sim.AllToAllConnector(), synapse)
    matrix = np.arange(6.0).reshape(2, 3) / 10
    projection.set(U=matrix, tau_rec=70.0)
    assert np.array_equal(projection.get("U", format="array"), matrix)
    assert set(projection.get("tau_rec", format="list", with_address=False)) == {70.0}
    assert projection[0].as_tuple("weight", "delay") == (1.0, 1.0)
    projection.initialize(u=0.5)
    traces = []
    for _ in range(2):
        sim.run(15.0)
        traces.append(neurons.get_data().segments[-1].analogsignals[0].magnitude[-1] + 65)
        sim.reset()
    # u = 0.5 long ago has decayed to nothing: tau_facil = 0.
    assert traces[0] == pytest.approx(matrix.sum(axis=0), abs=1e-5)
    assert np.array_equal(*traces)


@pytest.mark.parametrize(
    ("name", "values", "word"),
    [
        ("TsodyksMarkramSynapse", {"U": 1.5}, "U = 1.5: must be from 0 to 1"),
        ("TsodyksMarkramSynapse", {"tau_rec": 0.0}, "tau_rec = 0"),
        ("SimpleStochasticSynapse", {"p": -0.1}, "p = -0.1"),
        ("MultiQuantalSynapse", {"n": 2.5}, "n = 2.5: must be an integer"),
        ("MultiQuantalSynapse", {"tau_facil": -1.0}, "tau_facil = -1"),
    ],
)
def test_bad_values(name: str, values: dict[str, float], word: str) -> None:
    from pyNN import errors

    sim = pyNN.sparse
    sim.setup()
    cells = sim.Population(3, sim.IF_curr_exp())
    synapse = getattr(sim, name)
    with pytest.raises(errors.InvalidParameterValueError, match=word):
        sim.Projection(cells, cells, sim.AllToAllConnector(), synapse(delay=1.0, **values))
    projection = sim.Projection(cells, cells, sim.AllToAllConnector(), synapse(delay=1.0))
    (given,) = values
    before = projection.get(given, format="array")
    with pytest.raises(errors.InvalidParameterValueError, match=word):
        projection.set(**values)
    assert np.array_equal(projection.get(given, format="array"), before)
