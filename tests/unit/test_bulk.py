"""Connections that the engine draws for `NativeRNG`: what they must be, for all kinds of ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
from numpy.typing import NDArray
from pyNN.errors import ConnectionError
from pyNN.random import RandomDistribution

from pynn_sparse.network.rows import OwnRows, Rows


def uniform(low: float, high: float, rng: Any) -> RandomDistribution:
    return RandomDistribution("uniform", (low, high), rng=rng)


def project(
    connector: Callable[[Any], Any],
    ends: Callable[[Any], Any] = lambda population: population,
    threads: int = 1,
    seed: int = 7,
    **options: Any,
) -> Any:
    """A projection of a population of 60 cells, or a part of it, onto itself."""
    sim.setup(timestep=0.1, threads=threads, **options)
    rng = sim.NativeRNG(seed)
    cells = ends(sim.Population(60, sim.IF_curr_exp()))
    synapse = sim.StaticSynapse(weight=uniform(0.1, 0.2, rng), delay=uniform(0.5, 3.0, rng))
    return sim.Projection(cells, cells, connector(rng), synapse, receptor_type="excitatory")


def table(projection: Any) -> NDArray[np.float64]:
    """Connections as rows of pre, post, weight, delay."""
    return np.array(projection.get(["weight", "delay"], format="list"))


ENDS: dict[str, Callable[[Any], Any]] = {
    "population": lambda p: p,
    "part": lambda p: p[10:50],
    "scattered": lambda p: p[[3, 40, 7, 22, 9, 58, 1, 30, 31]],
    "assembly": lambda p: p[:5] + p[20:30],
}
CONNECTORS: dict[str, Callable[[Any], Any]] = {
    "all": lambda rng: sim.AllToAllConnector(allow_self_connections=False),
    "one": lambda rng: sim.OneToOneConnector(),
    "probability": lambda rng: sim.FixedProbabilityConnector(
        0.3, allow_self_connections=False, rng=rng
    ),
    "pre": lambda rng: sim.FixedNumberPreConnector(4, allow_self_connections=False, rng=rng),
    "post": lambda rng: sim.FixedNumberPostConnector(4, with_replacement=True, rng=rng),
    "total": lambda rng: sim.FixedTotalNumberConnector(200, rng=rng),
}


def counts(name: str, found: NDArray[np.float64], n: int) -> None:
    """Each connector's own promise, for n cells."""
    pre, post = found[:, 0].astype(int), found[:, 1].astype(int)
    match name:
        case "all":
            assert len(found) == n * (n - 1)
        case "one":
            assert (pre == post).all()
            assert len(found) == n
        case "probability":
            assert len(found) == pytest.approx(0.3 * n * (n - 1), abs=5 * np.sqrt(n * n / 4))
            assert len(found) == len(set(zip(pre, post, strict=True)))
        case "pre":
            assert (np.bincount(post, minlength=n) == 4).all()
        case "post":
            assert (np.bincount(pre, minlength=n) == 4).all()
        case "total":
            assert len(found) == 200
    if name in ("all", "probability", "pre"):
        assert (pre != post).all()


@pytest.mark.parametrize("ends", ENDS)
@pytest.mark.parametrize("name", CONNECTORS)
def test_what_is_made(name: str, ends: str) -> None:
    projection = project(CONNECTORS[name], ENDS[ends])
    found = table(projection)
    counts(name, found, projection.shape[0])
    weight, delay = found[:, 2], found[:, 3]
    assert ((weight >= 0.1) & (weight < 0.2)).all()
    assert len(np.unique(weight)) == len(weight)
    assert ((delay >= 0.5) & (delay <= 3.0)).all()
    assert len(np.unique(delay)) > 3
    order = np.lexsort((weight, delay, found[:, 0], found[:, 1]))
    assert (order == np.arange(len(found))).all(), "by target, source, delay, weight"


@pytest.mark.parametrize("name", CONNECTORS)
def test_same_for_all_numbers_of_threads_and_another_for_another_seed(name: str) -> None:
    one = table(project(CONNECTORS[name]))
    for threads in (2, 3):
        assert np.array_equal(one, table(project(CONNECTORS[name], threads=threads)))
    other = table(project(CONNECTORS[name], seed=8))
    assert one.shape != other.shape or (one != other).any()


def test_draws_of_one_generator_differ() -> None:
    sim.setup()
    rng = sim.NativeRNG(3)
    cells = sim.Population(50, sim.IF_curr_exp())
    connector = sim.FixedProbabilityConnector(0.5, rng=rng)
    first, second = (sim.Projection(cells, cells, connector, sim.StaticSynapse()) for _ in range(2))
    assert table(first).shape != table(second).shape or (table(first) != table(second)).any()


def test_single_precision_stores_single_weights() -> None:
    double, single = (project(CONNECTORS["all"], precision=p) for p in ("double", "single"))
    assert single._tables[0].weight.dtype == np.float32
    assert np.array_equal(table(single)[:, 2], table(double)[:, 2].astype(np.float32))


def test_other_distributions_and_constants() -> None:
    sim.setup()
    rng = sim.NativeRNG(3)
    cells = sim.Population(50, sim.IF_curr_exp())
    drawn = RandomDistribution("gamma", (2.0, 0.1), rng=rng)
    synapse = sim.StaticSynapse(weight=drawn, delay=1.5)
    projection = sim.Projection(cells, cells, sim.AllToAllConnector(), synapse)
    weight = table(projection)[:, 2]
    assert weight.mean() == pytest.approx(0.2, rel=0.1)
    assert set(table(projection)[:, 3]) == {1.5}


@pytest.mark.parametrize(
    ("weight", "delay", "message"),
    [
        (("uniform", (-1.0, 1.0)), ("uniform", (1.0, 2.0)), "Weights must be positive"),
        (("uniform", (0.0, 1.0)), ("uniform", (0.0, 2.0)), "must be from 0.1 ms"),
        (("normal_clipped", (0.0, 1.0, 90.0, 99.0)), ("uniform", (1.0, 2.0)), "less than 0.001"),
    ],
)
def test_wrong_values_are_refused_before_anything_is_made(
    weight: Any, delay: Any, message: str
) -> None:
    sim.setup(timestep=0.1)
    rng = sim.NativeRNG(3)
    cells = sim.Population(50, sim.IF_curr_exp())
    drawn = {
        "weight": RandomDistribution(*weight, rng=rng),
        "delay": RandomDistribution(*delay, rng=rng),
    }
    with pytest.raises(ConnectionError, match=message):
        sim.Projection(
            cells,
            cells,
            sim.AllToAllConnector(),
            sim.StaticSynapse(**drawn),
            receptor_type="excitatory",
        )
    assert not sim.simulator.state.network.tables


def test_runs_as_the_same_connections_from_a_list() -> None:
    """Rows from the engine and rows from a list are the same network."""

    def spikes(rebuild: bool) -> list[list[float]]:
        projection = project(CONNECTORS["probability"])
        if rebuild:
            rows = [tuple(row) for row in table(projection).tolist()]
            sim.setup(timestep=0.1)
            cells = sim.Population(60, sim.IF_curr_exp())
            sim.Projection(cells, cells, sim.FromListConnector(rows), sim.StaticSynapse())
        else:
            cells = projection.pre
        cells.set(i_offset=1.2)
        cells.initialize(v=np.linspace(-70, -50, 60))
        cells.record("spikes")
        sim.run(200.0)
        return [train.magnitude.tolist() for train in cells.get_data().segments[0].spiketrains]

    first = spikes(rebuild=False)
    assert sum(map(len, first)) > 300
    assert first == spikes(rebuild=True)


def test_arrays_elsewhere_come_back() -> None:
    """A table gives the same arrays whoever holds them."""

    class Elsewhere(OwnRows):
        def own(self) -> OwnRows:
            return OwnRows(*self.arrays())

        def write(self, name: str, values: Any) -> Rows:
            return self.own().write(name, values)

    (lent,) = project(CONNECTORS["total"])._tables
    before, order = lent.arrays(), lent.order()
    lent.rows = elsewhere = Elsewhere(*before)
    assert np.array_equal(lent.weight, before[1])
    assert np.array_equal(lent.order(), order)
    assert len(lent) == 200
    lent.update(weight=before[1] * 2)
    assert lent.rows is not elsewhere
    assert np.array_equal(lent.weight, before[1] * 2)
