"""Gap junctions: closed forms, and NEST's hh_psc_alpha_gap."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pyNN import errors
from pyNN.random import NumpyRNG, RandomDistribution

from pynn_sparse.engine.neurons.coupling import MOST_COUPLED, mean_conductances
from pynn_sparse.errors import ParameterError

PASSIVE = {"tau_m": 20.0, "cm": 1.0, "v_rest": -65.0, "v_thresh": 1e3}


def potentials(neurons: Any) -> NDArray[np.float64]:
    """Time by neuron."""
    return np.asarray(neurons.get_data().segments[0].analogsignals[0].magnitude)


def junctions(pre: Any, post: Any, conductance: Any, connector: Any = None) -> Any:
    synapse = sim.ElectricalSynapse(weight=conductance)
    return sim.Projection(pre, post, connector or sim.AllToAllConnector(), synapse)


def passive(n: int, v: Any, **parameters: Any) -> Any:
    neurons = sim.Population(n, sim.IF_curr_exp(**PASSIVE | parameters), initial_values={"v": v})
    neurons.record("v")
    return neurons


@pytest.mark.parametrize("precision", ["double", "single"])
def test_two_passive_membranes(precision: str) -> None:
    """The mean decays with tau_m, the difference faster; the error is proportional to the step."""
    deviations = []
    for dt in (0.1, 0.05, 0.025):
        sim.setup(timestep=dt, precision=precision)
        neurons = passive(2, [-60.0, -70.0])
        junctions(neurons[:1], neurons[1:], 0.02)
        sim.run(50.0)
        v = potentials(neurons)
        t = np.arange(len(v)) * dt
        assert np.abs(v.mean(axis=1) + 65.0).max() < (1e-11 if precision == "double" else 1e-4)
        expected = 10.0 * np.exp(-t * (1 / 20.0 + 2 * 0.02 / 1.0))
        deviations.append(np.abs(v[:, 0] - v[:, 1] - expected).max())
    assert deviations[0] < 0.01
    if precision == "double":
        assert deviations[0] / deviations[1] == pytest.approx(2.0, rel=0.01)
        assert deviations[1] / deviations[2] == pytest.approx(2.0, rel=0.01)


@pytest.mark.parametrize("conductance", [6.0, 100.0, 1e6, 1e12])
def test_membranes_that_share_their_charge_within_a_step(conductance: float) -> None:
    """Of any capacitances: their mean, weighted with these, decays as if they were one."""
    sim.setup(timestep=0.1)
    small, large = passive(1, -60.0, cm=0.2), passive(2, [-70.0, -75.0])
    junctions(small, large[:1], conductance)
    junctions(large[:1], large[1:], conductance)
    sim.run(20.0)
    v = np.hstack([potentials(small), potentials(large)])
    t = np.arange(len(v)) * 0.1
    begin = (0.2 * 5.0 - 5.0 - 10.0) / 2.2
    mean = v @ [0.2 / 2.2, 1.0 / 2.2, 1.0 / 2.2] + 65.0
    assert mean == pytest.approx(begin * np.exp(-t / 20.0), abs=1e-10)
    assert np.abs(v[10:] - v[10:, :1]).max() < 1e-2 * np.exp(-0.5)
    assert v.min() >= -75.0
    assert v.max() <= -60.0


@settings(max_examples=30, deadline=None)
@given(
    n=st.integers(2, 8),
    strength=st.floats(-3.0, 15.0).map(lambda x: 10.0**x),
    seed=st.integers(0, 1000),
)
def test_mean_conductances_are_those_of_the_exponential(n: int, strength: float, seed: int) -> None:
    rng = np.random.RandomState(seed)
    half = np.triu(rng.uniform(0, strength, (n, n)) * (rng.uniform(size=(n, n)) < 0.5), 1)
    conductance, cm, dt = half + half.T, rng.uniform(0.1, 2.0, n), 0.1
    mean = mean_conductances(conductance, cm, dt)
    assert np.array_equal(mean, mean.T)
    assert mean.min() >= 0
    assert (dt * mean.sum(axis=1) / cm).max() <= 1 + 1e-12
    root = np.sqrt(cm)
    symmetric = (np.diag(conductance.sum(axis=0)) - conductance) / np.outer(root, root)
    rates, modes = np.linalg.eigh(symmetric)
    relaxed = (modes * np.exp(-dt * np.maximum(rates, 0.0))) @ modes.T
    expected = relaxed * np.outer(root, root) / dt
    np.fill_diagonal(expected, 0.0)
    if strength < 1e4:  # above, the modes' rates have too few digits
        assert mean == pytest.approx(expected, abs=1e-9)


def test_steady_state_of_a_ring() -> None:
    """Populations of different kinds, conductances of each junction, and an injected current.

    At rest (G + diag(g_leak)) v = I, with the Laplacian G of the conductances.
    """
    sim.setup(timestep=0.1)
    one, two = passive(3, -65.0), passive(4, -65.0, tau_m=10.0)
    rng = np.random.RandomState(1)
    pairs = [(i, j, rng.uniform(0.001, 0.01)) for i in range(3) for j in range(4)]
    junctions(one, two, 0.0, sim.FromListConnector(pairs, column_names=["weight"]))
    junctions(two[:1], two[2:], 0.004)
    one[:1].inject(sim.DCSource(amplitude=0.1))
    sim.run(2000.0)
    laplacian = np.zeros((7, 7))
    for i, j, g in [*((i, 3 + j, g) for i, j, g in pairs), (3, 5, 0.004), (3, 6, 0.004)]:
        laplacian[[i, j], [i, j]] += g
        laplacian[[i, j], [j, i]] -= g
    leak = np.diag([1 / 20.0] * 3 + [1 / 10.0] * 4)
    expected = np.linalg.solve(laplacian + leak, [0.1, 0, 0, 0, 0, 0, 0])
    found = np.concatenate([potentials(each)[-1] for each in (one, two)]) + 65.0
    assert found == pytest.approx(expected, abs=1e-9)


HH = """
    x = v - 75.5
    alpha_m = 40 * x / (1 - exp(-x / 13.5))
    beta_m = 1.2262 / exp(v / 42.248)
    alpha_h = 0.0035 / exp(v / 24.186)
    y = 51.25 + v
    beta_h = 0.017 * y / (1 - exp(-y / 5.2))
    z = v - 95
    alpha_p = z / (1 - exp(-z / 11.8))
    beta_p = 0.025 / exp(v / 22.222)
    w = v + 44
    alpha_n = 0.014 * w / (1 - exp(-w / 2.3))
    beta_n = 0.0043 / exp(w / 34)
    i_na = 4.5 * m * m * m * h * (v - 74)
    i_k = (0.009 * n * n * n * n + 9 * p * p) * (v + 90)
    dv/dt = (-i_na - i_k - 0.01 * (v + 70) + i_offset + current) / cm
    dm/dt = alpha_m * (1 - m) - beta_m * m
    dh/dt = alpha_h * (1 - h) - beta_h * h
    dp/dt = alpha_p * (1 - p) - beta_p * p
    dn/dt = alpha_n * (1 - n) - beta_n * n
"""
START = {"v": -69.60401191631222, "m": 0.019198766985083732, "h": 0.868462041294399} | {
    "n": 0.0005741576228359767,
    "p": 0.0002511318227150632,
}
NAMES = {"v": "V_m", "m": "Act_m", "h": "Inact_h", "n": "Act_n", "p": "Inact_p"}


def of_nest(dt: float, currents: list[float], start: list[float], duration: float) -> Any:
    """Potentials on NEST, whose neurons solve for their junctions by iteration."""
    import nest

    nest.ResetKernel()
    nest.set(resolution=dt, use_wfr=True, wfr_tol=1e-6, verbosity=nest.VerbosityLevel.ERROR)
    neurons = nest.Create("hh_psc_alpha_gap", len(currents))
    neurons.I_e = [1000 * each for each in currents]
    neurons.V_m = start
    nest.Connect(
        neurons[0],
        neurons[1],
        {"rule": "one_to_one", "make_symmetric": True},
        {"synapse_model": "gap_junction", "weight": 4.0},
    )
    meter = nest.Create("multimeter", params={"record_from": ["V_m"], "interval": dt})
    nest.Connect(meter, neurons)
    nest.Simulate(duration + dt)
    v = np.array(meter.events["V_m"])[np.argsort(meter.events["senders"], kind="stable")]
    return v.reshape(2, -1).T


def test_hodgkin_huxley_neurons_as_on_nest() -> None:
    """Two that fire, which the junction synchronises; the difference shrinks with the step."""
    currents, start = [0.2, 0.15], [-69.6, -60.0]
    worst = []
    for dt in (0.02, 0.01):
        sim.setup(timestep=dt)
        cell = sim.native_cell_type(
            "HHGap",
            parameters={"cm": (0.04, "nF"), "i_offset": (0.0, "nA")},
            state=START,
            equations=HH,
            threshold="v > 1e6",
            receptors={"unused": "v = v + 0 * weight"},
        )
        neurons = sim.Population(2, cell(i_offset=currents), initial_values={"v": start})
        neurons.record("v")
        junctions(neurons[:1], neurons[1:], 0.004)
        sim.run(40.0)
        ours, nests = potentials(neurons)[1:], of_nest(dt, currents, start, 40.0)
        n = min(len(ours), len(nests))
        assert ours[:n].max() > 0  # they fire
        worst.append(np.sqrt(np.mean((ours[:n] - nests[:n]) ** 2)))
    assert worst[1] < 0.6 * worst[0]
    assert worst[1] < 0.5


@pytest.mark.parametrize("threads", [2, 3])
def test_the_same_for_any_number_of_threads(threads: int) -> None:
    def run(n: int) -> Any:
        sim.setup(timestep=0.1, threads=n)
        rng = NumpyRNG(seed=1)
        neurons = sim.Population(400, sim.HH_cond_exp(i_offset=0.5))
        neurons.initialize(v=RandomDistribution("uniform", (-70.0, -60.0), rng=rng))
        conductance = RandomDistribution("uniform", (0.0, 0.001), rng=rng)
        connector = sim.FixedProbabilityConnector(0.05, rng=rng)
        junctions(neurons[:300], neurons, conductance, connector)
        neurons.record("v")
        sim.run(30.0)
        return potentials(neurons)

    assert np.array_equal(run(1), run(threads))


def test_conductances_may_change_and_resets_keep_them() -> None:
    sim.setup(timestep=0.1)
    neurons = passive(2, [-60.0, -70.0])
    projection = junctions(neurons[:1], neurons[1:], 0.0)
    sim.run(10.0)
    apart = potentials(neurons)
    assert apart[-1, 0] - apart[-1, 1] == pytest.approx(10.0 * np.exp(-0.5), rel=1e-9)
    projection.set(weight=0.5)
    assert projection.get("weight", format="array").tolist() == [[0.5]]
    sim.run(10.0)
    v = potentials(neurons)
    assert abs(v[-1, 0] - v[-1, 1]) < 0.01
    sim.reset()
    sim.run(10.0)
    v = np.asarray(neurons.get_data().segments[1].analogsignals[0].magnitude)
    assert abs(v[-1, 0] - v[-1, 1]) < 0.01


def test_checkpoint(tmp_path: Any) -> None:
    def build() -> Any:
        sim.setup(timestep=0.1)
        neurons = passive(2, [-60.0, -70.0])
        return neurons, junctions(neurons[:1], neurons[1:], 0.01)

    neurons, projection = build()
    projection.set(weight=0.02)
    sim.run(5.0)
    sim.save_state(tmp_path / "state.npz")
    sim.run(5.0)
    expected = potentials(neurons)
    neurons, projection = build()
    sim.load_state(tmp_path / "state.npz")
    assert projection.get("weight", format="list", with_address=False) == [0.02]
    sim.run(5.0)
    assert np.array_equal(potentials(neurons), expected)


def test_description() -> None:
    sim.setup()
    neurons = passive(3, -65.0)
    junctions(neurons, neurons, 0.001)
    text = str(sim.describe_network())
    assert "gap junctions" in text
    assert sim.describe_network().synapses == 9


def bad(
    make: Callable[[], Any], words: str, error: type[Exception] = errors.ConnectionError
) -> None:
    with pytest.raises(error, match=words):
        make()


def test_bad_input() -> None:
    sim.setup(timestep=0.1)
    neurons = passive(3, -65.0)
    sources = sim.Population(3, sim.SpikeSourcePoisson())
    bad(lambda: junctions(neurons, neurons, -1.0), "weight = -1 .*must be positive")
    bad(lambda: junctions(neurons, sources, 1.0), "no membrane potential")
    bad(lambda: junctions(sources, neurons, 1.0), "no membrane potential")
    electrical = sim.ElectricalSynapse(weight=0.1)
    ends = neurons, neurons, sim.AllToAllConnector(), electrical
    bad(lambda: sim.Projection(*ends, receptor_type="inhibitory"), "receptor_type = 'inhibitory'")
    projection = junctions(neurons, neurons, 0.1)
    bad(lambda: projection.get("delay", format="list"), "delay", errors.NonExistentParameterError)
    sim.run(1.0)


def test_more_neurons_than_are_solved_together() -> None:
    sim.setup(timestep=0.1)
    neurons = passive(MOST_COUPLED + 1, -65.0)
    ring = [(k, k + 1) for k in range(MOST_COUPLED)]
    projection = junctions(neurons, neurons, 4.0, sim.FromListConnector(ring))
    sim.run(1.0)
    projection.set(weight=6.0)
    words = "have 12 uS: must be at most cm/timestep = 10 uS in a group of more than 300"
    bad(lambda: sim.run(1.0), words, ParameterError)
    projection.set(weight=4.0)
    sim.run(1.0)
