"""Rules that users write: against NEST's, the built-in ones, and a plain statement of each."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from support.driven import DT, Driven, on_nest, trains
from support.synapse_rules import LIMITS, PAIR, TRIPLET, Course, eligible, pair, triplet


def number(value: Any) -> float:
    return float(value[0] if isinstance(value, tuple) else value)


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
