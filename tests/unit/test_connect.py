"""`connect` from cell to cell: many quickly, each the projection that it has always been."""

from __future__ import annotations

from typing import Any
from unittest import mock

import numpy as np
import pyNN.sparse as sim
import pytest
from pyNN.errors import ConnectionError as BadConnection
from pyNN.errors import InvalidParameterValueError
from pyNN.sparse.projections import between_cells
from pyNN.sparse.projections.between_cells import BetweenCells

from pynn_sparse.export.stages.capture import capture

PAIRS = [(k % 7, (3 * k + 1) % 5) for k in range(30)]
TYPES = (None, "excitatory", "inhibitory", "default")
CELLS = (sim.IF_curr_exp, sim.IF_cond_exp, sim.IF_curr_delta)


@pytest.fixture(autouse=True)
def _setup() -> None:
    sim.setup(timestep=0.1)


def populations(cell: Any = sim.IF_curr_exp) -> tuple[Any, Any]:
    pre = sim.Population(7, sim.SpikeSourcePoisson(rate=400.0), label="pre")
    return pre, sim.Population(5, cell(), label="post")


def given(receptor_type: Any, cell: Any) -> list[dict[str, Any]]:
    """Weights and delays of each pair that are valid, of all kinds that users give."""
    conductance = cell is sim.IF_cond_exp
    sign = -1 if receptor_type == "inhibitory" and not conductance else 1
    either = sign if receptor_type in TYPES[1:3] or conductance else -1
    weights = [sign * 0.1, 0.0, either * np.float64(0.2), sign * 2, either * np.float32(0.25)]
    delays = [None, 1.0, 0.34, np.float64(2.05), 3]
    return [
        {"weight": weights[k % 5], "delay": delays[k % 3 + k % 2], "receptor_type": receptor_type}
        for k in range(len(PAIRS))
    ]


def described(projection: Any) -> dict[str, Any]:
    names = ["weight", "delay"]
    (table,) = projection._tables
    return {
        "list": projection.get(names, format="list"),
        "array": [each.tolist() for each in projection.get(names, format="array")],
        "table": [
            *(table.index, table.label, table.pre.index, table.post.index, table.receptor),
            *(table.first_source, table.row_start.tolist(), table.target.tolist()),
            *(table.weight.dtype, table.delay.dtype, table.target.dtype, table.stream.first),
            *(table.waits, table.mixed),
        ],
        "attributes": [
            *(projection.label, projection.receptor_type, projection.shape, projection.source),
            *(repr(projection), len(projection), projection.size(), projection.annotations),
            *(type(projection._connector), type(projection.synapse_type)),
            *(projection.initial_values, repr(projection.synapse_type.parameter_space)),
        ],
        "ends": [
            *(projection.pre.label, projection.post.label, projection.pre.size),
            *(list(projection.pre.all_cells), list(projection.post.all_cells)),
            *(projection._pre_ids.tolist(), projection._post_ids.tolist()),
        ],
    }


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("receptor_type", TYPES)
@pytest.mark.parametrize("precision", ["double", "single"])
def test_a_projection_is_that_which_an_ordinary_one_is(
    cell: Any, receptor_type: Any, precision: str
) -> None:
    def made() -> tuple[list[Any], list[Any], Any]:
        sim.setup(timestep=0.1, precision=precision)
        before = sim.Projection._nProj
        pre, post = populations(cell)
        post.record("v")
        projections = [
            sim.connect(pre[i], post[j], **values)
            for (i, j), values in zip(PAIRS, given(receptor_type, cell), strict=True)
        ]
        assert sim.state.projections == projections
        assert sim.Projection._nProj - before == len(PAIRS)
        sim.run(20.0)
        kinds = [type(each) for each in projections]
        return kinds, [described(each) for each in projections], post.get_data().segments[0]

    kinds, found, segment = made()
    assert kinds.count(BetweenCells) >= len(PAIRS) - 3  # but for the first of each sign
    with ordinarily():
        kinds, expected, same = made()
    assert set(kinds) == {sim.Projection}
    assert found == expected
    assert np.array_equal(segment.analogsignals[0].magnitude, same.analogsignals[0].magnitude)


def ordinarily() -> Any:
    """Have all projections made as the first of each kind is."""
    return mock.patch.object(between_cells, "connected", return_value=None)


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"weight": -0.1, "receptor_type": "excitatory"}, BadConnection),
        ({"weight": 0.1, "receptor_type": "inhibitory"}, BadConnection),
        ({"weight": float("nan")}, InvalidParameterValueError),
        ({"weight": float("inf")}, InvalidParameterValueError),
        ({"weight": 1e200}, BadConnection),
        ({"weight": 10**400}, InvalidParameterValueError),
        ({"weight": 0.1, "delay": 10**400}, InvalidParameterValueError),
        ({"weight": True}, InvalidParameterValueError),
        ({"weight": "heavy"}, Exception),
        ({"weight": 0.1, "delay": 0.01}, BadConnection),
        ({"weight": 0.1, "delay": float("nan")}, InvalidParameterValueError),
        ({"weight": 0.1, "delay": 1e9}, BadConnection),
        ({"weight": 0.1, "receptor_type": "gap"}, BadConnection),
        ({"weight": 0.1, "receptor_type": 3}, BadConnection),
    ],
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_errors_are_the_same_and_nothing_is_made(values: dict[str, Any], error: Any) -> None:
    def message(known: bool) -> tuple[str, int, int]:
        sim.setup(timestep=0.1)
        pre, post = populations()
        if known:
            for weight in (0.1, -0.1, 0.0):
                sim.connect(pre[0], post[1], weight=weight, delay=1.0)
        state = len(sim.state.projections), len(sim.state.network.tables)
        with pytest.raises(error) as caught:
            sim.connect(pre[1], post[2], **values)
        assert (len(sim.state.projections), len(sim.state.network.tables)) == state
        return str(caught.value)

    assert message(known=True) == message(known=False)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_they_can_be_changed_and_looked_at_as_others() -> None:
    pre, post = populations()
    first, second, third = (
        sim.connect(pre[k], post[k], weight=0.1 * (k + 1), delay=1.0) for k in range(3)
    )
    assert isinstance(second, BetweenCells)
    assert "pre" not in vars(second)  # made when it is first looked at
    second.set(weight=0.7)
    third[0].delay = 2.0
    assert [each.weight for each in second.connections] == [0.7]
    assert third.get(["weight", "delay"], format="list") == [(0, 0, pytest.approx(0.3), 2.0)]
    assert first.get("weight", format="list", with_address=False) == [0.1]
    second.label = "mine"
    assert second._tables[0].label == "mine"
    assert second.describe() == second.describe()
    sim.run(1.0)
    second.set(delay=1.5)
    sim.run(1.0)
    assert sim.get_min_delay() == 1.0
    with pytest.raises(AttributeError, match="nonsense"):
        _ = second.nonsense


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_networks_are_exported_and_described_as_before() -> None:
    def made() -> list[Any]:
        sim.setup(timestep=0.1)
        pre, post = populations()
        for i, j in PAIRS:
            sim.connect(pre[i], post[j], weight=0.1, delay=1.0)
        net = capture(sim)
        return [repr(sim.describe_network()), repr(net)]

    found = made()
    with ordinarily():
        assert made() == found


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_cells_of_a_discarded_network_are_refused() -> None:
    pre, post = populations()
    sim.connect(pre[0], post[0], weight=0.1)
    sim.setup(timestep=0.1)
    with pytest.raises(RuntimeError, match="has discarded"):
        sim.connect(pre[1], post[1], weight=0.1)
    pre, post = populations()
    sim.connect(pre[0], post[0], weight=0.1)
    sim.end()
    with pytest.raises(RuntimeError, match="end"):
        sim.connect(pre[1], post[1], weight=0.1)


def test_each_call_warns_that_it_is_deprecated() -> None:
    pre, post = populations()
    for k in range(3):
        with pytest.warns(DeprecationWarning, match=r"connect\(\) is deprecated.*Projection\(\)"):
            sim.connect(pre[k], post[k], weight=0.1)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_little_is_done_for_each_of_many() -> None:
    pre, post = populations()
    sim.connect(pre[0], post[0], weight=0.1)
    forbidden = mock.Mock(side_effect=AssertionError("work that has been done already"))
    with (
        mock.patch.object(sim.AllToAllConnector, "connect", forbidden),
        mock.patch.object(sim.StaticSynapse, "__init__", forbidden),
        mock.patch.object(sim.PopulationView, "__init__", forbidden),
    ):
        made = [sim.connect(pre[i], post[j], weight=0.1) for i, j in PAIRS]
    assert len({each._tables[0].index for each in made}) == len(PAIRS)
