"""Every argument of every connector does what PyNN documents."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import numpy as np
import pyNN.mock as mock
import pyNN.sparse as sim
import pytest
from pyNN import errors
from pyNN.core import IndexBasedExpression
from pyNN.random import NumpyRNG, RandomDistribution
from pyNN.space import Line

GENERATORS = [lambda: NumpyRNG(seed=3), lambda: sim.NativeRNG(seed=3)]


class Likely(IndexBasedExpression):
    """Connects most pairs."""

    def __call__(self, i: Any, j: Any) -> Any:
        return 0.8 + 0.0 * (i - j)


# With these, nearly all pairs of a few cells are connected, by each kind of connector.
DENSE: dict[str, Any] = {
    "all to all": lambda **more: sim.AllToAllConnector(**without(more, "rng")),
    "probability": lambda **more: sim.FixedProbabilityConnector(0.8, **more),
    "distance": lambda **more: sim.DistanceDependentProbabilityConnector("0.8 + 0*d", **more),
    "index": lambda **more: sim.IndexBasedProbabilityConnector(Likely(), **more),
    "displacement": lambda **more: sim.DisplacementDependentProbabilityConnector(
        lambda d: 0.8 + 0 * d[0], **more
    ),
}
BY_NUMBER: dict[str, Any] = {
    "pre": lambda n=4, **more: sim.FixedNumberPreConnector(n, **more),
    "pre replaced": lambda n=4, **more: sim.FixedNumberPreConnector(
        n, with_replacement=True, **more
    ),
    "post": lambda n=4, **more: sim.FixedNumberPostConnector(n, **more),
    "post replaced": lambda n=4, **more: sim.FixedNumberPostConnector(
        n, with_replacement=True, **more
    ),
    "total": lambda n=20, **more: sim.FixedTotalNumberConnector(n, with_replacement=False, **more),
    "total replaced": lambda n=40, **more: sim.FixedTotalNumberConnector(n, **more),
}
ENDS: dict[str, Any] = {
    "population": lambda cells: (cells, cells),
    "view and population": lambda cells: (cells[1:6], cells),
    "overlapping views": lambda cells: (cells[0:6], cells[2:]),
    "views in another order": lambda cells: (cells[[5, 2, 0, 7, 1]], cells[[1, 2, 3, 5, 6]]),
    "assembly and part": lambda cells: (
        cells[0:3] + sim.Population(3, sim.IF_curr_exp()),
        cells[0:5],
    ),
}


def without(arguments: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: each for key, each in arguments.items() if key != name}


def connect(connector: Any, ends: str = "population", **synapse: Any) -> list[tuple[int, int]]:
    """Cells that are connected, by their IDs."""
    sim.setup(timestep=0.1)
    cells = sim.Population(8, sim.IF_curr_exp(), structure=Line())
    pre, post = ENDS[ends](cells)
    return pairs(sim.Projection(pre, post, connector, sim.StaticSynapse(**synapse)))


def pairs(projection: Any) -> list[tuple[int, int]]:
    pre, post = (np.array(each.all_cells, int) for each in (projection.pre, projection.post))
    columns = projection.get([], "columns")
    i, j = columns["presynaptic_index"], columns["postsynaptic_index"]
    return list(zip(pre[i].tolist(), post[j].tolist(), strict=True))


@pytest.mark.parametrize("generator", GENERATORS)
@pytest.mark.parametrize("ends", ENDS)
@pytest.mark.parametrize("kind", [*DENSE, *BY_NUMBER])
@pytest.mark.parametrize("weight", ["one", "drawn"])
def test_no_cell_is_connected_to_itself(kind: str, ends: str, generator: Any, weight: str) -> None:
    make = (DENSE | BY_NUMBER)[kind]
    law = RandomDistribution("uniform", (0.1, 0.2), rng=generator())
    values = {"weight": 0.1 if weight == "one" else law}
    with_self = connect(make(rng=generator()), ends, **values)
    found = connect(make(rng=generator(), allow_self_connections=False), ends, **values)
    assert any(i == j for i, j in with_self), "the network is such that there might be some"
    assert found
    assert all(i != j for i, j in found)
    if kind in BY_NUMBER:
        assert len(found) == len(with_self)


@pytest.mark.parametrize("ends", ENDS)
@pytest.mark.parametrize("kind", DENSE)
def test_no_two_cells_are_connected_in_both_directions(kind: str, ends: str) -> None:
    found = connect(DENSE[kind](rng=NumpyRNG(seed=3), allow_self_connections="NoMutual"), ends)
    assert len(found) > 5
    assert not {(j, i) for i, j in found} & set(found)
    if kind == "all to all":  # one of each two, and all that have no counterpart
        sim.setup()
        pre, post = ENDS[ends](sim.Population(8, sim.IF_curr_exp()))
        possible = set(itertools.product(map(int, pre.all_cells), map(int, post.all_cells)))
        other = {(i, j) for i, j in possible if (j, i) not in possible}
        both = {frozenset(pair) for pair in possible - other if pair[0] != pair[1]}
        assert len(found) == len(other) + len(both)


def test_no_mutual_connections_are_those_of_upstream_within_a_population() -> None:
    found = []
    for backend in (mock, sim):
        backend.setup()
        cells = backend.Population(9, backend.IF_curr_exp())
        connector = backend.FixedProbabilityConnector(
            0.5, allow_self_connections="NoMutual", rng=NumpyRNG(seed=2)
        )
        made = backend.Projection(cells, cells, connector, backend.StaticSynapse())
        found.append(sorted(row[:2] for row in made.get("weight", "list")))
    assert found[0] == found[1]


@pytest.mark.parametrize("kind", BY_NUMBER)
def test_a_number_of_connections_takes_no_other_word(kind: str) -> None:
    with pytest.raises(NotImplementedError, match="allow_self_connections = 'NoMutual': must be"):
        BY_NUMBER[kind](allow_self_connections="NoMutual")


class TestTotalNumber:
    @pytest.mark.parametrize("generator", GENERATORS)
    @pytest.mark.parametrize("n", [0, 1, 20, 40, 55, 56])
    def test_different_pairs_of_different_cells(self, n: int, generator: Any) -> None:
        connector = sim.FixedTotalNumberConnector(
            n, with_replacement=False, allow_self_connections=False, rng=generator()
        )
        found = connect(connector)
        assert len(found) == len(set(found)) == n
        assert all(i != j for i, j in found)

    @pytest.mark.parametrize("generator", GENERATORS)
    def test_more_than_there_are(self, generator: Any) -> None:
        more = {"with_replacement": False, "rng": generator()}
        connector = sim.FixedTotalNumberConnector(57, allow_self_connections=False, **more)
        with pytest.raises(errors.ConnectionError, match=r"n = 57: must be at most 56, .* pairs"):
            connect(connector)
        with pytest.raises(errors.ConnectionError, match=r"n = 65: must be at most 64, .* pairs"):
            connect(sim.FixedTotalNumberConnector(65, **more))
        assert len(connect(sim.FixedTotalNumberConnector(200, rng=generator()))) == 200

    @pytest.mark.parametrize("generator", GENERATORS)
    @pytest.mark.parametrize("replaced", [True, False])
    def test_each_pair_is_equally_likely(self, replaced: bool, generator: Any) -> None:
        """By chi-squared with 55 degrees of freedom; 99.9 % are below 93."""
        rng, count = generator(), np.zeros((8, 8))
        sim.setup()
        cells = sim.Population(8, sim.IF_curr_exp())
        for _ in range(300):
            connector = sim.FixedTotalNumberConnector(
                14, with_replacement=replaced, allow_self_connections=False, rng=rng
            )
            columns = sim.Projection(cells, cells, connector).get([], "columns")
            np.add.at(count, (columns["presynaptic_index"], columns["postsynaptic_index"]), 1)
        assert not count.diagonal().any()
        other = count[~np.eye(8, dtype=bool)]
        assert ((other - 75) ** 2 / 75).sum() < 93

    def test_a_number_that_is_drawn(self) -> None:
        law = RandomDistribution("uniform_int", (5, 8), rng=NumpyRNG(seed=1))
        assert len(connect(sim.FixedTotalNumberConnector(law, rng=NumpyRNG(seed=1)))) in (5, 6, 7)


class TestNumbers:
    @pytest.mark.parametrize("generator", GENERATORS)
    @pytest.mark.parametrize("kind", BY_NUMBER)
    def test_none(self, kind: str, generator: Any) -> None:
        assert connect(BY_NUMBER[kind](n=0, rng=generator())) == []
        assert connect(BY_NUMBER[kind](n=np.int64(0), rng=generator())) == []

    @pytest.mark.parametrize("generator", GENERATORS)
    @pytest.mark.parametrize("kind", [kind for kind in BY_NUMBER if "total" not in kind])
    def test_numbers_that_are_drawn(self, kind: str, generator: Any) -> None:
        law = RandomDistribution("uniform_int", (0, 4), rng=NumpyRNG(seed=1))
        connector = BY_NUMBER[kind](n=law, rng=generator(), allow_self_connections=False)
        found = connect(connector)
        side = 1 if "pre" in kind else 0
        counts = np.bincount([pair[side] for pair in found], minlength=8)
        assert set(counts) == {0, 1, 2, 3}

    @pytest.mark.parametrize("kind", BY_NUMBER)
    @pytest.mark.parametrize(
        "law",
        [
            RandomDistribution("uniform", (0.0, 4.0)),
            RandomDistribution("normal", (0.0, 4.0)),
            RandomDistribution("normal", (1.0, -4.0)),
            RandomDistribution("uniform_int", (-3, 2)),
        ],
    )
    def test_distributions_of_other_numbers(self, kind: str, law: Any) -> None:
        with pytest.raises(errors.InvalidParameterValueError, match=r"Number\w+: n = RandomDistr"):
            BY_NUMBER[kind](n=law)

    @pytest.mark.parametrize("generator", GENERATORS)
    @pytest.mark.parametrize("kind", [kind for kind in BY_NUMBER if "total" not in kind])
    def test_a_single_cell_and_itself(self, kind: str, generator: Any) -> None:
        sim.setup()
        cell = sim.Population(1, sim.IF_curr_exp())
        connector = BY_NUMBER[kind](n=2, allow_self_connections=False, rng=generator())
        with pytest.raises(errors.ConnectionError, match="n = 2: must be"):
            sim.Projection(cell, cell, connector)

    @pytest.mark.parametrize("kind", ["pre replaced", "post replaced"])
    def test_repeated_draws_leave_out_the_cell_itself(self, kind: str) -> None:
        """Upstream's code fails, or goes on for ever, if a number has to be drawn again twice."""
        for seed in range(20):
            connector = BY_NUMBER[kind](n=50, allow_self_connections=False, rng=NumpyRNG(seed=seed))
            sim.setup()
            cells = sim.Population(2, sim.IF_curr_exp())
            found = pairs(sim.Projection(cells, cells, connector))
            assert sorted(found) == [(0, 1)] * 50 + [(1, 0)] * 50


ANY_KIND = {
    **DENSE,
    **BY_NUMBER,
    "one to one": lambda **more: sim.OneToOneConnector(**without(more, "rng")),
    "list": lambda **more: sim.FromListConnector([(0, 1, 0.1, 1.0)], **without(more, "rng")),
    "array": lambda **more: sim.ArrayConnector(np.eye(8), **without(more, "rng")),
}


@pytest.mark.parametrize("kind", ANY_KIND)
class TestCommonArguments:
    def test_a_location_is_refused(self, kind: str) -> None:
        with pytest.raises(NotImplementedError, match="location_selector = 'soma': must be None"):
            ANY_KIND[kind](location_selector="soma")

    @pytest.mark.parametrize("weight", [0.1, RandomDistribution("uniform", (0.1, 0.2))])
    def test_progress_is_told(self, kind: str, weight: Any) -> None:
        seen: list[float] = []
        connect(ANY_KIND[kind](callback=seen.append, rng=NumpyRNG(seed=1)), weight=weight)
        assert seen
        assert all(0 <= each <= 1 for each in seen)
        assert seen == sorted(seen)

    @pytest.mark.parametrize("name", ["callback", "safe", "allow_self_connections", "rng"])
    def test_what_cannot_be_meant_is_refused(self, kind: str, name: str) -> None:
        known = {*("callback", "safe"), *(() if "to" in kind else ("rng",))}
        if kind not in ("one to one", "list", "array"):
            known.add("allow_self_connections")
        if name not in known or (kind in ("list", "array") and name == "rng"):
            pytest.skip("it has no such argument")
        with pytest.raises(TypeError, match=f"Connector: {name} = 3: must be"):
            ANY_KIND[kind](**{name: 3})

    @pytest.mark.parametrize("weight", [-0.1, RandomDistribution("uniform", (-0.2, -0.1))])
    def test_safe(self, kind: str, weight: Any) -> None:
        """Signs of weights are checked, if they are to be."""

        def make(safe: bool) -> Any:
            sim.setup()
            cells = sim.Population(8, sim.IF_curr_exp())
            connector = ANY_KIND[kind](safe=safe, rng=NumpyRNG(seed=1))
            if kind == "list":
                connector = sim.FromListConnector([(0, 1)], safe=safe)
            synapse = sim.StaticSynapse(weight=weight)
            return sim.Projection(cells, cells, connector, synapse, receptor_type="excitatory")

        with pytest.raises(errors.ConnectionError, match="Weights must be positive"):
            make(safe=True)
        assert max(make(safe=False).get("weight", "list", with_address=False)) < 0


class TestProbabilities:
    def test_a_displacement_may_be_an_expression(self) -> None:
        """As PyNN documents; its code takes functions only."""
        found = [
            connect(sim.DisplacementDependentProbabilityConnector(each, rng=NumpyRNG(seed=1)))
            for each in ("exp(-abs(d[0]))", lambda d: np.exp(-np.abs(d[0])))
        ]
        assert found[0] == found[1] != []

    def test_a_function_of_the_distance(self) -> None:
        found = [
            connect(sim.DistanceDependentProbabilityConnector(each, rng=NumpyRNG(seed=1)))
            for each in ("exp(-d/2)", lambda d: np.exp(-d / 2))
        ]
        assert found[0] == found[1] != []
        near = connect(sim.DistanceDependentProbabilityConnector(lambda d: d < 1.5))
        assert set(near) == {(i, j) for i in range(8) for j in range(8) if abs(i - j) < 1.5}

    def test_more_than_1_is_said(self) -> None:
        with pytest.warns(UserWarning, match=r"d_expression = .*up to 1.5 in .*is taken as 1"):
            connect(sim.DistanceDependentProbabilityConnector("1.5*exp(-d/9)"))

    @pytest.mark.parametrize(
        ("expression", "words"),
        [
            ("exq(-d)", "'exq' is not known. Did you mean 'exp'"),
            ("exp(-x)", "'x' is not known"),
            ("exp(-d", "it is not a Python expression"),
            ("", "it is not a Python expression"),
            ("d.__class__", "'d.__class__' is not a function"),
            ("__import__('os')", "not known|no number"),
            ("[0.1 for k in d]", "it contains ListComp"),
            ("lambda: 0.1", "it contains Lambda"),
            ("9**9**9**9*d", "OverflowError"),
            ("-1", "it gives -1"),
            ("log(d - 1)", "it gives nan"),
            ("sqrt(-1) + 0*d", "it gives nan"),
            ("1j*d", "is not a number"),
            ("[0.1, 0.2, 0.3]", "shape"),
        ],
    )
    def test_expressions_that_give_none(self, expression: str, words: str) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with pytest.raises(
                errors.InvalidParameterValueError, match=f"d_expression = .*({words})"
            ):
                connect(sim.DistanceDependentProbabilityConnector(expression))

    @pytest.mark.parametrize(
        "function",
        [
            lambda d: None,
            lambda d: "a",
            lambda d: np.full(3, 0.1),
            lambda d: 1j * d,
            lambda d: np.nan * d,
            lambda d: 1 / 0,
            lambda: 0.1,
        ],
    )
    @pytest.mark.parametrize("kind", ["Distance", "Displacement"])
    def test_functions_that_give_none(self, function: Any, kind: str) -> None:
        make = getattr(sim, f"{kind}DependentProbabilityConnector")
        with pytest.raises(errors.InvalidParameterValueError, match=r"\w = <function.* a probabil"):
            connect(make(function))


def test_a_clone_has_as_many_connections_between_two_cells() -> None:
    sim.setup()
    cells = sim.Population(3, sim.IF_curr_exp())
    first = sim.Projection(cells, cells, sim.FixedTotalNumberConnector(30, rng=NumpyRNG(seed=1)))
    second = sim.Projection(cells, cells, sim.CloneConnector(first))
    assert sorted(pairs(first)) == sorted(pairs(second))
    with pytest.raises(TypeError, match="CloneConnector: reference_projection = 3: must be"):
        sim.CloneConnector(3)


def test_a_connector_that_pynn_has_not_written() -> None:
    with pytest.raises(NotImplementedError, match="SmallWorldConnector"):
        connect(sim.SmallWorldConnector(2, 0.1))


# What connectors are derived from, which scripts see since PyNN's other modules have the names.
BASES = {"Connector", "FixedNumberConnector", "MapConnector"}
CONNECTORS = {name for name in dir(sim) if name.endswith("Connector")} - BASES - {"CSAConnector"}


@pytest.mark.parametrize("name", sorted(CONNECTORS))
def test_unknown_arguments_are_named(name: str) -> None:
    with pytest.raises(TypeError, match=f"{name}: 'colour' is not an argument: must be one of"):
        getattr(sim, name)(colour=1)
