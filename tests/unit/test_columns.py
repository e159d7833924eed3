"""Random values for all columns at once are those that PyNN draws column by column."""

from __future__ import annotations

from copy import deepcopy
from typing import Any
from unittest import mock

import numpy as np
import pyNN.sparse as sim
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyNN.errors import InvalidParameterValueError
from pyNN.parameters import LazyArray
from pyNN.random import NumpyRNG, RandomDistribution
from pyNN.sparse.synapses import columns
from pyNN.sparse.synapses.columns import CLIPPED, ONE_BY_ONE, of_columns

LAWS = {
    "uniform": (-1.0, 2.0),
    "uniform_int": (3, 900),
    "normal": (1.5, 0.7),
    "normal_clipped_to_boundary": (1.5, 0.7, 1.0, 2.0),
    "exponential": (0.3,),
    "lognormal": (0.1, 0.5),
    "gamma": (0.7, 2.0),
    CLIPPED: (1.5, 0.75, 0.1, np.inf),
}
COUNTS = st.lists(st.integers(0, 60), min_size=1, max_size=40)


def column_by_column(lazy: Any, counts: list[int]) -> list[float]:
    """As PyNN's `MapConnector` draws."""
    found: list[float] = []
    for target, count in enumerate(counts):
        if count:
            found += lazy[np.arange(count), target].tolist()
    return found


def lazy_array(law: str, parameters: Any, counts: list[int], seed: int = 1) -> Any:
    rng = NumpyRNG(seed=seed)
    rng.rng.normal(size=seed % 3)  # so that half of a pair of normal numbers may be left
    shape = max(counts) + 1, len(counts)
    return LazyArray(RandomDistribution(law, parameters, rng=rng), shape)


def drawn(lazy: Any, counts: list[int]) -> list[float]:
    source = np.concatenate([np.arange(n, dtype=np.uint32) for n in counts])
    return of_columns("label", "weight", lazy, source, np.array(counts)).tolist()


def test_all_laws_that_are_drawn_at_once_are_compared() -> None:
    assert set(LAWS) == {*ONE_BY_ONE, CLIPPED}


@pytest.mark.parametrize("law", LAWS)
@settings(max_examples=20)
@given(counts=COUNTS, seed=st.integers(1, 1000))
def test_numbers_are_those_of_column_after_column(law: str, counts: list[int], seed: int) -> None:
    lazy = lazy_array(law, LAWS[law], counts, seed)
    with mock.patch.object(columns, "at_pairs", side_effect=AssertionError):
        assert drawn(deepcopy(lazy), counts) == column_by_column(lazy, counts)


@settings(max_examples=50)
@given(
    counts=COUNTS,
    mu=st.floats(-1.0, 1.0),
    low=st.floats(-2.0, 0.5),
    width=st.floats(1.0, 4.0),
    seed=st.integers(1, 1000),
)
def test_clipped_numbers_whatever_is_drawn_again(
    counts: list[int], mu: float, low: float, width: float, seed: int
) -> None:
    lazy = lazy_array(CLIPPED, (mu, 1.0, low, low + width), counts, seed)
    expected = column_by_column(deepcopy(lazy), counts)
    assert drawn(lazy, counts) == expected
    assert all(low <= each <= low + width for each in expected)


def test_limits_that_hardly_any_number_meets_give_an_error() -> None:
    lazy = lazy_array(CLIPPED, (0.0, 1.0, 50.0, 51.0), [3, 4])
    with pytest.raises(InvalidParameterValueError, match=r"label: weight: .*redraws exceeded"):
        drawn(lazy, [3, 4])


def test_a_law_with_parameters_that_it_cannot_have_gives_an_error() -> None:
    lazy = lazy_array("normal", (0.0, -1.0), [3, 4])
    with pytest.raises(InvalidParameterValueError, match="label: weight: must be a number"):
        drawn(lazy, [3, 4])


def values_of(connector: Any, threads: int) -> list[Any]:
    sim.setup(timestep=0.1, threads=threads)
    rng = NumpyRNG(seed=7)
    weight = RandomDistribution("normal_clipped", (0.2, 0.1, 0.0, np.inf), rng=rng)
    delay = RandomDistribution("uniform", (0.2, 3.0), rng=rng)
    pre, post = (sim.Population(n, sim.IF_curr_exp()) for n in (40, 30))
    synapse = sim.TsodyksMarkramSynapse(weight=weight, delay=delay, U=lambda d: 0.1 + 0.01 * d)
    made = sim.Projection(pre, post, connector(rng), synapse)
    return list(made.get(["weight", "delay", "U"], format="list"))


CONNECTORS = {
    "all": lambda rng: sim.AllToAllConnector(),
    "probability": lambda rng: sim.FixedProbabilityConnector(0.3, rng=rng),
    "no self": lambda rng: sim.FixedProbabilityConnector(
        0.3, rng=rng, allow_self_connections=False
    ),
    "pre": lambda rng: sim.FixedNumberPreConnector(7, rng=rng),
    "post": lambda rng: sim.FixedNumberPostConnector(7, rng=rng),
    "total": lambda rng: sim.FixedTotalNumberConnector(300, rng=rng),
    "one to one": lambda rng: sim.OneToOneConnector(),
}


@pytest.mark.parametrize("name", CONNECTORS)
def test_projections_have_the_values_of_column_after_column(name: str) -> None:
    found = values_of(CONNECTORS[name], threads=2)
    with mock.patch.object(columns, "all_at_once", return_value=False):
        assert values_of(CONNECTORS[name], threads=1) == found


def test_no_column_is_evaluated_alone() -> None:
    sim.setup(timestep=0.1)
    rng = NumpyRNG(seed=7)
    cells = sim.Population(50, sim.IF_curr_exp())
    weight = RandomDistribution("normal_clipped", (0.2, 0.1, 0.0, np.inf), rng=rng)
    synapse = sim.StaticSynapse(weight=weight, delay=1.0)
    for connector in CONNECTORS.values():
        made = connector(rng)
        with mock.patch.object(columns, "at_pairs", side_effect=AssertionError):
            assert len(sim.Projection(cells, cells, made, synapse)) >= 50


def test_callbacks_are_called_for_each_column() -> None:
    sim.setup(timestep=0.1)
    cells, rng = sim.Population(20, sim.IF_curr_exp()), NumpyRNG(seed=7)
    weight = RandomDistribution("uniform", (0.1, 0.2), rng=rng)
    for kind, more in ((sim.FixedTotalNumberConnector, {"n": 60}), (sim.AllToAllConnector, {})):
        called: list[float] = []
        connector = kind(callback=called.append, **more)
        sim.Projection(cells, cells, connector, sim.StaticSynapse(weight=weight))
        assert called == [k / 20 for k in range(20)]
