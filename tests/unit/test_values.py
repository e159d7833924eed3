"""Values of synapses in bulk: read as columns and matrices, set from all that PyNN takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
from numpy.typing import NDArray
from pyNN import errors
from pyNN.parameters import LazyArray
from pyNN.random import NumpyRNG, RandomDistribution
from pyNN.sparse.synapses import values

ENDS: dict[str, Callable[[Any], Any]] = {
    "population": lambda p: p,
    "part": lambda p: p[10:35],
    "scattered": lambda p: p[[3, 30, 7, 22, 9, 38, 1]],
    "assembly": lambda p: p[:5] + p[20:30] + sim.Population(6, sim.IF_curr_exp()),
}
LAWS: dict[str, tuple[float, ...]] = {
    "binomial": (9, 0.3),
    "gamma": (2.0, 0.5),
    "exponential": (0.5,),
    "lognormal": (0.0, 0.5),
    "normal_clipped": (0.1, 0.5, 0.0, 0.4),
    "normal_clipped_to_boundary": (0.1, 0.5, 0.0, 0.4),
    "poisson": (3.0,),
    "uniform": (0.0, 1.0),
    "uniform_int": (1, 9),
}


def project(ends: str = "population", synapses: int = 150, threads: int = 1, **options: Any) -> Any:
    """`synapses` connections of a population of 40 cells, or a part of it, with itself."""
    sim.setup(timestep=0.1, threads=threads, **options)
    rng = sim.NativeRNG(5)
    cells = ENDS[ends](sim.Population(40, sim.IF_curr_exp()))
    synapse = sim.StaticSynapse(
        weight=RandomDistribution("uniform", (0.1, 0.2), rng=rng),
        delay=RandomDistribution("uniform", (0.5, 30.0), rng=rng),
    )
    connector = sim.FixedTotalNumberConnector(synapses, rng=rng)
    return sim.Projection(cells, cells, connector, synapse, receptor_type="excitatory")


def pairs_of(projection: Any) -> list[tuple[int, int]]:
    """Connected pairs of cells, by pre- and then by postsynaptic index, each once."""
    columns = projection.get([], format="columns")
    return sorted(set(zip(*(each.tolist() for each in columns.values()), strict=True)))


def weights(projection: Any) -> NDArray[np.float64]:
    return np.array(projection.get("weight", format="list", with_address=False))


class TestColumns:
    @pytest.mark.parametrize("ends", ENDS)
    def test_are_those_of_the_list(self, ends: str) -> None:
        projection = project(ends)
        listed = np.array(projection.get(["delay", "weight"], format="list"))
        columns = projection.get(["delay", "weight"], format="columns")
        assert list(columns) == ["presynaptic_index", "postsynaptic_index", "delay", "weight"]
        assert np.array_equal(np.column_stack(list(columns.values())), listed)
        assert [each.dtype for each in columns.values()] == [np.int64] * 2 + [np.float64] * 2

    def test_without_addresses(self) -> None:
        projection = project()
        (column,) = projection.get("weight", format="columns", with_address=False).items()
        assert column[0] == "weight"
        assert np.array_equal(column[1], weights(projection))

    def test_belong_to_the_caller(self) -> None:
        projection = project()
        before = weights(projection)
        projection.get("weight", format="columns")["weight"][:] = 7.0
        assert np.array_equal(weights(projection), before)

    def test_of_a_projection_without_synapses(self) -> None:
        sim.setup()
        cells = sim.Population(3, sim.IF_curr_exp())
        connector = sim.FixedProbabilityConnector(0.0, rng=NumpyRNG(seed=1))
        projection = sim.Projection(cells, cells, connector, sim.StaticSynapse())
        columns = projection.get("weight", format="columns")
        assert {name: (len(each), each.dtype) for name, each in columns.items()} == {
            "presynaptic_index": (0, np.int64),
            "postsynaptic_index": (0, np.int64),
            "weight": (0, np.float64),
        }
        projection.set(weight=RandomDistribution("uniform", (0, 1), rng=NumpyRNG(seed=1)))

    def test_other_formats_are_named(self) -> None:
        with pytest.raises(ValueError, match=r"format = 'dict': must be one of 'list', 'array', "):
            project().get("weight", format="dict")


@pytest.mark.parametrize("ends", ENDS)
@pytest.mark.parametrize("how", ["sum", "first", "last", "min", "max"])
def test_matrix_of_several_synapses(how: str, ends: str) -> None:
    projection = project(ends, synapses=400)
    expected = np.full(projection.shape, np.nan)
    combine: dict[str, Callable[[float, float], float]] = {
        "sum": lambda a, b: a + b,
        "first": lambda a, b: a,
        "last": lambda a, b: b,
        "min": min,
        "max": max,
    }
    for pre, post, weight in projection.get("weight", format="list"):
        before = expected[pre, post]
        expected[pre, post] = weight if np.isnan(before) else combine[how](before, weight)
    found = projection.get("weight", format="array", multiple_synapses=how)
    assert np.array_equal(found, expected, equal_nan=True)


@pytest.mark.parametrize("synapses", [30, 400])
@pytest.mark.parametrize("ends", ENDS)
@pytest.mark.parametrize("run", [False, True])
class TestSet:
    """Also after a run, which rearranges what is stored, and of several synapses of a pair."""

    def projection(self, ends: str, synapses: int, run: bool) -> Any:
        projection = project(ends, synapses, threads=2)
        if run:
            sim.run(1.0)
        return projection

    def test_a_value_for_each_pair(self, ends: str, synapses: int, run: bool) -> None:
        projection = self.projection(ends, synapses, run)
        pairs = pairs_of(projection)
        new = np.arange(len(pairs)) * 0.25
        projection.set(weight=new, delay=list(1.0 + new))
        expected = dict(zip(pairs, new, strict=True))
        for pre, post, weight, delay in projection.get(["weight", "delay"], format="list"):
            assert weight == expected[pre, post]
            assert delay == pytest.approx(1.0 + weight, abs=0.0501)

    def test_matrix(self, ends: str, synapses: int, run: bool) -> None:
        projection = self.projection(ends, synapses, run)
        new = np.arange(np.prod(projection.shape), dtype=float).reshape(projection.shape)
        projection.set(weight=new)
        for pre, post, weight in projection.get("weight", format="list"):
            assert weight == new[pre, post]

    def test_function_of_distance(self, ends: str, synapses: int, run: bool) -> None:
        projection = self.projection(ends, synapses, run)
        projection.set(weight=lambda d: 0.5 + 2.0 * d)
        pre, post = projection.pre.positions.T, projection.post.positions.T
        for i, j, weight in projection.get("weight", format="list"):
            assert weight == pytest.approx(0.5 + 2.0 * np.linalg.norm(pre[i] - post[j]))

    @pytest.mark.parametrize("law", LAWS)
    def test_numpys_numbers_are_those_of_a_whole_matrix(
        self, law: str, ends: str, synapses: int, run: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(values, "NUMBERS_AT_ONCE", 37)
        projection = self.projection(ends, synapses, run)
        n_pre, n_post = projection.shape
        one, two = (RandomDistribution(law, LAWS[law], rng=NumpyRNG(seed=8)) for _ in range(2))
        expected = one.next(n_pre * n_post).reshape(n_pre, n_post)
        projection.set(weight=two)
        for pre, post, weight in projection.get("weight", format="list"):
            assert weight == expected[pre, post]
        assert one.next() == two.next(), "the generator has moved on as far"


def test_native_numbers_do_not_depend_on_threads_or_on_what_was_run() -> None:
    found = []
    for threads, run in ((1, False), (2, False), (3, True)):
        projection = project(synapses=400, threads=threads)
        if run:
            sim.run(1.0)
        rng = sim.NativeRNG(seed=3)
        projection.set(weight=RandomDistribution("normal_clipped", (0.1, 0.1, 0, 1), rng=rng))
        found.append(weights(projection))
    assert np.array_equal(found[0], found[1])
    assert np.array_equal(found[0], found[2])
    assert len(np.unique(found[0])) == len(pairs_of(projection))


def test_operations_on_random_numbers() -> None:
    projection = project()
    shape = projection.shape
    one, two = (RandomDistribution("uniform", (0, 1), rng=NumpyRNG(seed=8)) for _ in range(2))
    scale = np.arange(1.0, 1.0 + np.prod(shape)).reshape(shape)
    expected = (one.next(scale.size).reshape(shape) + 1.0) * scale
    projection.set(weight=(LazyArray(two, shape=shape) + 1.0) * LazyArray(scale, shape=shape))
    for pre, post, weight in projection.get("weight", format="list"):
        assert weight == expected[pre, post]


def test_nothing_of_the_size_of_the_matrix_is_made() -> None:
    """300,000 x 300,000 numbers would take 670 GiB."""
    n = 300_000
    sim.setup()
    cells = sim.Population(n, sim.IF_curr_exp())
    projection = sim.Projection(cells, cells, sim.OneToOneConnector(), sim.StaticSynapse())
    projection.set(weight=np.arange(n, dtype=float), delay=2.0)
    assert np.array_equal(projection.get("weight", format="columns")["weight"], np.arange(n))
    projection.set(weight=RandomDistribution("uniform", (0, 1), rng=sim.NativeRNG(1)))
    drawn = projection.get("weight", format="columns")["weight"]
    assert drawn.mean() == pytest.approx(0.5, abs=0.01)


def test_limits_that_are_never_met() -> None:
    projection = project()
    law = RandomDistribution("normal_clipped", (0.0, 1.0, 50.0, 51.0), rng=NumpyRNG(seed=1))
    before = weights(projection)
    with pytest.raises(errors.InvalidParameterValueError, match="low=50, high=51"):
        projection.set(weight=law)
    assert np.array_equal(weights(projection), before)


def test_wrong_number_of_values() -> None:
    projection = project()
    n = len(pairs_of(projection))
    before = weights(projection)
    with pytest.raises(errors.InvalidDimensionsError, match=f"weight has 3 values.* {n} pairs"):
        projection.set(delay=1.0, weight=[0.1, 0.2, 0.3])
    assert np.array_equal(weights(projection), before)


def test_one_connection_after_a_run() -> None:
    projection = project(synapses=400, threads=2)
    sim.run(1.0)
    expected = weights(projection)
    projection[17].weight = expected[17] = 0.75
    assert np.array_equal(weights(projection), expected)
