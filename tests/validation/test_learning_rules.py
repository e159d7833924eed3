"""Rules that users write: against NEST's, the built-in ones, and a plain statement of each."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pyNN.parameters import Sequence
from support.synapse_rules import LIMITS, PAIR, TRIPLET, Course, eligible, pair, triplet

DT = 0.1
STRONG = 500.0  # mV, of what makes targets fire


def number(value: Any) -> float:
    return float(value[0] if isinstance(value, tuple) else value)


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


def trains(seed: int, n: int, spikes: int, steps: int) -> list[list[int]]:
    rng = np.random.default_rng(seed)
    return [sorted(rng.choice(np.arange(2, steps), spikes, False).tolist()) for _ in range(n)]


@pytest.mark.parametrize("fraction", [1.0, 0.35, 0.0])
def test_pairs_are_the_built_in_ones(fraction: float) -> None:
    """With a thread or two; weights and delays differ, and so do the amplitudes of synapses."""
    pre, post = trains(1, 7, 60, 3000), trains(2, 5, 90, 3000)
    rng = np.random.default_rng(3)
    common: dict[str, Any] = {
        "weight": rng.uniform(0.3, 0.7, (7, 5)),
        "delay": rng.uniform(0.1, 8.0, (7, 5)).round(1),
        "dendritic_delay_fraction": fraction,
    }
    amplitudes = {name: rng.uniform(0.02, 0.05, (7, 5)) for name in ("A_plus", "A_minus")}
    found = []
    for threads in (1, 2):
        net = Driven(pair()(**amplitudes, **common), pre, post, threads)
        sim.run(300.0)
        found.append(net.get("weight"))
    built_in = sim.STDPMechanism(
        sim.SpikePairRule(tau_plus=15.0, tau_minus=25.0, **amplitudes),
        sim.AdditiveWeightDependence(**LIMITS),
        **common,
    )
    net = Driven(built_in, pre, post)
    sim.run(300.0)
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_allclose(found[0], net.get("weight"), rtol=0, atol=1e-12)
    assert found[0].std() > 0.05


def on_nest(
    model: str, parameters: dict[str, float], tau_minus: dict[str, float], *trains: Any
) -> NDArray[np.float64]:
    """Weights of NEST's synapses between parrots, after the last spike of the sources."""
    nest = pytest.importorskip("nest")
    nest.set_verbosity("M_ERROR")
    nest.ResetKernel()
    nest.resolution = DT
    populations = []
    for spikes in trains:
        generators = nest.Create("spike_generator", len(spikes))
        parrots = nest.Create("parrot_neuron", len(spikes), params=tau_minus)
        for generator, train in zip(generators, spikes, strict=True):
            generator.spike_times = [round((step + 10) * DT, 1) for step in train]
        nest.Connect(generators, parrots, "one_to_one", {"delay": 1.0})
        populations.append(parrots)
    pre, post = populations
    nest.CopyModel(model, "tested", parameters)
    spec = {"synapse_model": "tested", "weight": 0.5, "delay": 3.2, "receptor_type": 1}
    nest.Connect(pre, post, "all_to_all", spec)
    nest.Simulate(330.0)
    weights = np.zeros((len(pre), len(post)))
    for each in nest.GetConnections(pre, post):
        weights[pre.index(each.source), post.index(each.target)] = each.weight
    return weights


RULES: dict[str, Any] = {
    "stdp_synapse": (
        pair,
        {"lambda": 0.05, "alpha": 0.8, "mu_plus": 0.0, "mu_minus": 0.0, "tau_plus": 15.0},
        {"tau_minus": 25.0},
    ),
    "stdp_triplet_synapse": (
        triplet,
        {"Aplus": 0.05, "Aminus": 0.04, "Aplus_triplet": 0.06, "Aminus_triplet": 0.01}
        | {"tau_plus": 15.0, "tau_plus_triplet": 101.0},
        {"tau_minus": 25.0, "tau_minus_triplet": 114.0},
    ),
    "stdp_nn_symm_synapse": (
        lambda: pair(nearest=("x", "y")),
        {"lambda": 0.05, "alpha": 0.8, "mu_plus": 0.0, "mu_minus": 0.0, "tau_plus": 15.0},
        {"tau_minus": 25.0},
    ),
}


@pytest.mark.parametrize("model", RULES)
def test_rules_are_nests(model: str) -> None:
    """After a last spike of all sources, and none of the targets in between."""
    made, parameters, tau_minus = RULES[model]
    pre, post = trains(4, 6, 50, 2900), trains(5, 4, 70, 2900)
    pre = [sorted({*train, 3100}) for train in pre]
    expected = on_nest(model, {**parameters, "Wmax": 1.0}, tau_minus, pre, post)
    net = Driven(made()(weight=0.5, delay=3.2, w_min=0.0), pre, post)
    sim.run(310.1)
    np.testing.assert_allclose(net.get("weight"), expected, rtol=0, atol=1e-12)
    assert expected.std() > 0.05
    net.check()


KINDS = {
    "Pair": (pair, PAIR),
    "Nearest": (lambda: pair(nearest=("x", "y")), PAIR),
    "Triplet": (triplet, TRIPLET),
    "Eligible": (eligible, PAIR | {"tau_c": 50.0, "rate": 0.02}),
}
STEPS = st.lists(st.integers(2, 60), max_size=8, unique=True).map(sorted)


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None, max_examples=15, derandomize=True)
@given(
    pre=st.lists(STEPS, min_size=1, max_size=3),
    post=st.lists(STEPS, min_size=1, max_size=3),
    delay=st.integers(1, 20),
    fraction=st.sampled_from([1.0, 0.5, 0.3, 0.05]),
    looks=st.lists(st.integers(1, 90), max_size=3),
    change=st.integers(1, 80),
)
def test_any_rule_by_its_statement(
    kind: str, pre: Any, post: Any, delay: int, fraction: float, looks: list[int], change: int
) -> None:
    """Whenever it is looked at, also after weights have been set in between."""
    made, given_parameters = KINDS[kind]
    p = {name: number(value) for name, value in (given_parameters | LIMITS).items()}
    dendritic = int(np.floor(fraction * delay + 0.5))
    assume(dendritic)  # else a spike of the target counts after one of the source that it meets
    axonal = delay - dendritic
    synapse = made()(weight=0.5, delay=delay * DT, dendritic_delay_fraction=fraction)
    net = Driven(synapse, pre, post)
    courses = {(i, j): Course(kind, p, 0.5) for i in range(len(pre)) for j in range(len(post))}
    reached = dict.fromkeys(courses, 0)

    def compare(until: int) -> None:
        sim.run_until(until * DT)
        weights, found_c = net.get("weight"), net.get("c") if kind == "Eligible" else None
        for (i, j), course in courses.items():
            at_synapse = [s + axonal for s in pre[i]], [s + dendritic for s in post[j]]
            course.run(*at_synapse, until, DT, reached[i, j])
            reached[i, j] = until
            assert weights[i, j] == pytest.approx(course.weight, abs=1e-12), (i, j, until)
            if found_c is not None:
                assert found_c[i, j] == pytest.approx(course.s["c"], abs=1e-12)

    for until in sorted({*looks, change}):
        compare(until)
        if until == change:
            net.projection.set(weight=0.4)
            for course in courses.values():
                course.weight = 0.4
    compare(100)
    net.check()
