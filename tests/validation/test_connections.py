"""The same `NumpyRNG` seed gives the connections, weights and delays that `pyNN.nest` makes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyNN.sparse
import pytest
from pyNN.random import NumpyRNG, RandomDistribution
from pyNN.space import Line, RandomStructure, Space, Sphere
from support.comparison import pynn_nest

CONNECTORS: dict[str, Callable[[Any, NumpyRNG], Any]] = {
    "all to all": lambda sim, rng: sim.AllToAllConnector(),
    "all to all others": lambda sim, rng: sim.AllToAllConnector(allow_self_connections=False),
    "one to one": lambda sim, rng: sim.OneToOneConnector(),
    "probability": lambda sim, rng: sim.FixedProbabilityConnector(0.3, rng=rng),
    "distance": lambda sim, rng: sim.DistanceDependentProbabilityConnector("exp(-d/3)", rng=rng),
    "displacement": lambda sim, rng: sim.DisplacementDependentProbabilityConnector(
        lambda d: np.exp(-np.abs(d[0]) / 3), rng=rng
    ),
    "number pre": lambda sim, rng: sim.FixedNumberPreConnector(5, rng=rng),
    "number pre replaced": lambda sim, rng: sim.FixedNumberPreConnector(
        5, with_replacement=True, rng=rng
    ),
    "number post": lambda sim, rng: sim.FixedNumberPostConnector(
        RandomDistribution("uniform_int", (1, 6), rng=rng), rng=rng
    ),
    "total number": lambda sim, rng: sim.FixedTotalNumberConnector(60, rng=rng),
    "list": lambda sim, rng: sim.FromListConnector(
        [(i, (3 * i) % 11, 0.1 + i / 10, 0.5 + i / 4) for i in range(12)]
    ),
    "array": lambda sim, rng: sim.ArrayConnector(rng.next(12 * 11).reshape(12, 11) < 0.3),
}


def random_synapse(sim: Any, rng: NumpyRNG) -> Any:
    """Weights and delays drawn one after the other, delays off the grid."""
    weight = RandomDistribution("normal_clipped", (0.3, 0.2, 0.0, 1.0), rng=rng)
    delay = RandomDistribution("uniform", (0.1, 4.0), rng=rng)
    return sim.StaticSynapse(weight=weight, delay=delay)


def distance_synapse(sim: Any, rng: NumpyRNG) -> Any:
    """Weights and delays from distances."""
    return sim.StaticSynapse(weight="0.1 + 0.03*d", delay="0.2 + 0.17*d")


def connections(sim: Any, connector: str, synapse: Any, ends: str, **setup: Any) -> Any:
    """Rows (pre, post, weight, delay), sorted; and a number drawn afterwards."""
    sim.setup(timestep=0.1, min_delay=0.1, max_delay=20.0, **setup)
    rng = NumpyRNG(seed=1234)
    pre = sim.Population(12, sim.IF_cond_exp(), structure=Line(dx=0.8))
    structure = RandomStructure(Sphere(4.0), rng=NumpyRNG(seed=5))
    post = sim.Population(11, sim.IF_cond_exp(), structure=structure)
    if ends == "same":
        post = pre
    if ends == "views":
        pre, post = pre[1:11], post[::2]
    arguments = (pre, post, CONNECTORS[connector](sim, rng), synapse(sim, rng))
    projection = sim.Projection(*arguments, receptor_type="excitatory", space=Space())
    rows = projection.get(["weight", "delay"], format="list")
    return np.array(sorted(tuple(map(float, row)) for row in rows)), rng.next()


@pytest.mark.parametrize("ends", ["populations", "same", "views"])
@pytest.mark.parametrize("synapse", [random_synapse, distance_synapse])
@pytest.mark.parametrize("connector", CONNECTORS)
def test_like_nest(connector: str, synapse: Any, ends: str) -> None:
    if ends == "views" and connector in ("array", "list"):
        ends = "same"  # their indices are for populations of 12 and at least 11 cells
    if connector == "array" and ends == "same":
        ends = "populations"
    arguments = (connector, synapse, ends)
    expected, next_on_nest = connections(pynn_nest(), *arguments, spike_precision="on_grid")
    found, next_on_sparse = connections(pyNN.sparse, *arguments)
    assert found.shape == expected.shape
    assert np.array_equal(found[:, :2], expected[:, :2])
    assert np.allclose(found[:, 2:], expected[:, 2:], rtol=0, atol=1e-12)
    assert next_on_nest == next_on_sparse  # later draws are the same, too


def test_random_parameters_and_initial_values() -> None:
    """Drawn when a population is made, in the order in which NEST's backend draws them."""

    def draw(sim: Any, **setup: Any) -> list[Any]:
        sim.setup(timestep=0.1, **setup)
        rng = NumpyRNG(seed=5)
        cell = sim.IF_curr_exp(
            tau_m=RandomDistribution("uniform", (5.0, 25.0), rng=rng),
            tau_refrac=RandomDistribution("normal_clipped", (2.0, 1.0, 0.1, 9.0), rng=rng),
        )
        population = sim.Population(20, cell)
        population[5:10].set(cm=RandomDistribution("uniform", (0.5, 2.0), rng=rng))
        return [*population.get(["tau_m", "tau_refrac", "cm"]), rng.next()]

    expected = draw(pynn_nest(), spike_precision="on_grid")
    found = draw(pyNN.sparse)
    for first, second in zip(expected, found, strict=True):
        assert np.allclose(first, second, rtol=1e-12)
