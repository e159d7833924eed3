"""Single connections: found without sorting all each time, in an order that stays."""

from __future__ import annotations

from typing import Any
from unittest import mock

import numpy as np
import pyNN.sparse as sim
import pytest
from pyNN.common import Connection
from pyNN.errors import ConnectionError as BadConnection
from pyNN.random import NumpyRNG

from pynn_sparse.network import SynapseTable


@pytest.fixture(autouse=True)
def _setup() -> None:
    sim.setup(timestep=0.1)


def projection(plastic: bool = False, assembly: bool = False) -> Any:
    pre = sim.Population(12, sim.SpikeSourcePoisson(rate=200.0))
    post: Any = sim.Population(9, sim.IF_curr_exp())
    if assembly:
        post = post + sim.Population(4, sim.IF_curr_exp())
    synapse = sim.StaticSynapse(weight="0.01*(1+d)", delay=1.0)
    if plastic:
        synapse = sim.STDPMechanism(
            sim.SpikePairRule(A_plus=0.01, A_minus=0.01),
            sim.AdditiveWeightDependence(w_max=200.0),
            weight="0.1*(1+d)",
            delay=2.0,
            dendritic_delay_fraction=0.5,
        )
    connector = sim.FixedProbabilityConnector(0.6, rng=NumpyRNG(seed=3))
    return sim.Projection(pre, post, connector, synapse)


KINDS = [{}, {"plastic": True}, {"assembly": True}, {"plastic": True, "assembly": True}]


@pytest.mark.parametrize("kind", KINDS)
def test_connections_are_those_of_the_list_before_and_after_runs(kind: dict[str, bool]) -> None:
    made = projection(**kind)
    for _ in range(3):
        listed = made.get(["weight", "delay"], format="list")
        names = ("presynaptic_index", "postsynaptic_index", "weight", "delay")
        assert [each.as_tuple(*names) for each in made.connections] == listed
        sim.run(20.0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("at", [0.0, 15.0])
def test_a_change_of_one_connection_is_seen_and_leaves_the_others(
    kind: dict[str, bool], at: float
) -> None:
    made = projection(**kind)
    if at:
        sim.run(at)
    expected = [list(each) for each in made.get(["weight", "delay"], format="list")]
    for k in (5, 0, len(made) - 1, 5):
        assert made[k].weight == expected[k][2]
        made[k].weight = expected[k][2] = 1.0 + k
        made[k].delay = expected[k][3] = 2.1 if kind.get("plastic") else 3.0 + k
        assert (made[k].weight, made[k].delay) == tuple(expected[k][2:])
    found = [list(each) for each in made.get(["weight", "delay"], format="list")]
    assert found == expected
    assert [each.weight for each in made.connections] == [each[2] for each in expected]


@pytest.mark.parametrize("changed", ["one", "all"])
def test_a_simulation_goes_on_with_the_changed_value(changed: str) -> None:
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[1.0, 6.0]))
    cells = sim.Population(2, sim.IF_curr_exp())
    synapse = sim.StaticSynapse(weight=0.1, delay=1.0)
    made = sim.Projection(source, cells, sim.AllToAllConnector(), synapse)
    cells.record("v")
    sim.run(5.0)
    if changed == "one":
        made[1].weight = 0.2
        made[1].delay = 2.0
    else:
        made.set(weight=np.array([[0.1, 0.2]]), delay=np.array([[1.0, 2.0]]))
    sim.run(10.0)
    v = cells.get_data().segments[0].analogsignals[0].magnitude
    assert np.array_equal(v[:71, 0], v[:71, 1])
    assert v[79, 0] > v[79, 1]
    assert sim.get_min_delay() == 1.0
    found.setdefault("v", v)
    assert np.array_equal(found["v"], v)


found: dict[str, Any] = {}


def test_the_least_delay_follows_single_changes() -> None:
    made = projection()
    for each in made.connections:
        each.delay = 4.0
    assert sim.get_min_delay() == 4.0


def test_reset_goes_back_to_the_weight_that_one_connection_was_given() -> None:
    made = projection(plastic=True)
    before = made.get("weight", format="list", with_address=False)
    sim.run(30.0)
    made[3].weight = 7.0
    sim.run(30.0)
    sim.reset()
    before[3] = (7.0,) if isinstance(before[3], tuple) else 7.0
    assert made.get("weight", format="list", with_address=False) == before


def test_connections_of_one_pair_keep_their_order_when_their_weights_change() -> None:
    source, cells = sim.Population(1, sim.SpikeSourceArray()), sim.Population(1, sim.IF_curr_exp())
    rows = [(0, 0, weight, 1.0) for weight in (0.1, 0.2, 0.3)]
    made = sim.Projection(source, cells, sim.FromListConnector(rows))
    first = made[0].weight
    made[0].weight = 0.9
    assert made[0].weight == 0.9
    sim.run(1.0)
    assert made[0].weight == 0.9
    assert sorted([first, made[1].weight, made[2].weight]) == [0.1, 0.2, 0.3]


def test_no_change_or_look_sorts_or_copies_all() -> None:
    made = projection()
    made[0].weight = made[1].weight + 0.1
    made[0].delay = 2.0
    values = made._tables[0].weight
    forbidden = mock.Mock(side_effect=AssertionError("work on all connections"))
    with (
        mock.patch.object(SynapseTable, "order", forbidden),
        mock.patch.object(SynapseTable, "update", forbidden),
        mock.patch.object(type(made), "_stored", forbidden),
    ):
        for each in made.connections:
            each.weight = 0.1 + each.weight
            each.delay = 3.0
    assert made._tables[0].weight is values


@pytest.mark.parametrize(("name", "value"), [("weight", -1.0), ("weight", float("nan"))])
def test_a_bad_value_for_one_connection_changes_nothing(name: str, value: float) -> None:
    made = projection()
    before = made.get(["weight", "delay"], format="list")
    with pytest.raises(BadConnection, match=f"{name} = "):
        setattr(made[2], name, value)
    with pytest.raises(BadConnection, match="delays must be from"):
        made[2].delay = 0.0
    assert made.get(["weight", "delay"], format="list") == before


def test_the_axonal_part_of_one_delay_stays() -> None:
    made = projection(plastic=True)
    with pytest.raises(ValueError, match="delays of synapses that learn cannot be changed"):
        made[0].delay = 5.0
    made[0].delay = 2.1
    assert made[0].delay == 2.1


def test_values_are_fetched_once_for_all_connections() -> None:
    made = projection(plastic=True)
    sim.run(20.0)
    expected = made.get("weight", format="list", with_address=False)
    with mock.patch.object(
        type(made), "_stored", autospec=True, side_effect=type(made)._stored
    ) as s:
        assert [each.weight for each in made.connections] == expected
        assert [each.weight for each in made] == expected
        assert [made[k].weight for k in range(len(made))] == expected
        assert s.call_count == 1
        sim.run(20.0)
        now = [each.weight for each in made.connections]
        assert s.call_count == 2
    assert now == made.get("weight", format="list", with_address=False) != expected


def test_what_a_connection_has() -> None:
    made = projection()
    connection = made[-1]
    assert isinstance(connection, Connection)
    assert connection.as_tuple("weight", "delay") == (made[len(made) - 1].weight, 1.0)
    with pytest.raises(AttributeError, match="presynaptic_index cannot be set"):
        connection.presynaptic_index = 3
    with pytest.raises(AttributeError, match="U is not an attribute of a connection"):
        _ = connection.U


def test_parameters_of_a_rule_are_columns_too() -> None:
    cells = sim.Population(3, sim.IF_curr_exp())
    synapse = sim.TsodyksMarkramSynapse(U=lambda d: 0.1 + 0.1 * d, tau_rec=100.0, weight=0.1)
    made = sim.Projection(cells, cells, sim.AllToAllConnector(), synapse)
    listed = made.get("U", format="list", with_address=False)
    assert [each.U for each in made.connections] == listed
    made[4].U = 0.75
    listed[4] = 0.75
    assert [each.U for each in made.connections] == listed
    made.set(U=0.5)
    assert {each.U for each in made.connections} == {0.5}


def test_a_weight_in_single_precision_is_that_which_is_stored() -> None:
    sim.setup(timestep=0.1, precision="single")
    made = projection()
    made[2].weight = 0.1
    assert made[2].weight == float(np.float32(0.1))
    assert made.get("weight", format="list", with_address=False)[2] == made[2].weight


def test_connections_of_a_plastic_projection_go_with_their_network() -> None:
    made = projection(plastic=True)
    connection = made[0]
    assert connection.weight > 0
    sim.setup(timestep=0.1)
    with pytest.raises(RuntimeError, match="has discarded"):
        _ = connection.weight
