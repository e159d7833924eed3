"""Projections of most pairs of cells, whose rows are stored as a matrix, with the same bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pynn_sparse.engine.synapses import dense
from pynn_sparse.network import dense as network_dense
from pynn_sparse.network.dense import DenseRows, narrowed

N_PRE, N_POST = 13, 37
Graded = sim.native_cell_type(
    "Sender",
    parameters={"theta": 0.5},
    state={"v": 0.0},
    update="v = 0.9 * v",
    receptors={"input": "v += weight"},
    signed=("input",),
    threshold="v > theta",
    send="-v",
    reset="v = 0",
    unit=2.0**-9,
    limit=1000.0,
    conductance_based=False,
)
RNG = np.random.default_rng(3)
NORMAL = RNG.normal(0, 1, (N_POST, N_POST))
NORMAL[0, 0] = 0.0
WEIGHTS = {  # of a factor, what is stored
    "float64": 0.01 * NORMAL,
    "float32": (0.01 * NORMAL).astype(np.float32).astype(float),
    "int8": np.rint(30 * NORMAL) / 4096,
    "int16": np.rint(5000 * NORMAL).clip(-32767, 32767) * float(np.float32(2.1e-6)),
    "weak": 3e-9 * NORMAL,
}


def all_rows() -> list[Any]:
    """What the tables of the present network are stored as."""
    return [each.rows for each in sim.simulator.state.network.tables]


def results(precision: str, weights: NDArray[np.float64], there: NDArray[np.bool_]) -> list[Any]:
    """States of cells that several sources and each other drive, at all times."""
    sim.setup(timestep=1.0, precision=precision)
    sources = [
        sim.Population(N_PRE, sim.SpikeSourcePoisson(rate=900.0)),
        sim.Population(N_PRE, sim.SpikeSourceArray(spike_times=[[k, k + 3.0] for k in range(13)])),
    ]
    cells = sim.Population(N_POST, Graded())
    targets = [cells, sim.Population(N_POST, sim.IF_curr_delta(v_rest=0.0, v_thresh=1e3))]
    for post in targets:
        for number, pre in enumerate((*sources, cells)):
            scaled, pairs = weights[: pre.size], there[: pre.size]
            receptor, sign = ("input", scaled) if post is cells else ("excitatory", abs(scaled))
            synapse = sim.StaticSynapse(weight=sign, delay=2.0 + number)
            connector = sim.ArrayConnector(pairs)
            sim.Projection(pre, post, connector, synapse, receptor_type=receptor)
    targets[1].initialize(v=0.0)
    for post in targets:
        post.record("v")
    sim.run(40.0)
    segments = [post.get_data().segments[0] for post in targets]
    return [segment.filter(name="v")[0].magnitude for segment in segments]


@pytest.mark.parametrize("stored", WEIGHTS)
@pytest.mark.parametrize("precision", ["double", "single"])
def test_bits_are_those_of_lists(
    device: str, precision: str, stored: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = np.ones_like(NORMAL, bool)
    if stored == "int8":  # not all pairs
        there = RNG.random(NORMAL.shape) < 0.8
        there[0], there[:, -1] = True, True
    found = results(precision, WEIGHTS[stored], there)
    rows = all_rows()
    assert all(isinstance(each, DenseRows) for each in rows)
    if precision == "double":
        assert {each.item.dtype.name for each in rows} == {stored.replace("weak", "float64")}
    monkeypatch.setattr(dense, "may_be_dense", lambda table: False)
    expected = results(precision, WEIGHTS[stored], there)
    for mine, theirs in zip(found, expected, strict=True):
        assert np.array_equal(mine, theirs)
        assert len(np.unique(mine)) > 100


def test_what_is_not_dense(fresh: None) -> None:
    cells = sim.Population(5, sim.IF_curr_delta())
    weights = np.arange(25.0).reshape(5, 5)
    made = {
        "same weight": (sim.AllToAllConnector(), 1.0, 1.0),
        "several delays": (sim.AllToAllConnector(), weights, 1.0 + weights),
        "one twice": (
            sim.FromListConnector([(i, max(j, 1), i + j, 1.0) for i in range(5) for j in range(5)]),
            None,
            None,
        ),
        "plastic": (
            sim.AllToAllConnector(),
            sim.STDPMechanism(
                sim.SpikePairRule(),
                sim.AdditiveWeightDependence(w_max=30.0),
                weight=weights,
                delay=1.0,
            ),
            None,
        ),
    }
    for name, (connector, weight, delay) in made.items():
        kind = weight if isinstance(weight, sim.STDPMechanism) else sim.StaticSynapse()
        if delay is not None:
            kind = sim.StaticSynapse(weight=weight, delay=delay)
        sim.Projection(cells, cells, connector, kind, label=name)
    one_missing = sim.ArrayConnector(weights != 7)
    sim.Projection(cells, cells, one_missing, sim.StaticSynapse(weight=weights, delay=1.0))
    sim.run(1.0)
    rows = all_rows()
    assert [isinstance(each, DenseRows) for each in rows] == [False] * len(made) + [True]


def connections(projection: Any) -> list[Any]:
    return sorted(projection.get(["weight", "delay"], format="list"))


@pytest.mark.parametrize(
    ("small", "stored"), [(1, [True, False, False]), (99, [True, True, False])]
)
def test_large_ones_are_dense_from_half_of_the_pairs_on(
    small: int, stored: list[bool], fresh: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network_dense, "SMALL", small)
    cells = sim.Population(9, sim.IF_curr_delta())
    for n in (5, 4, 1):
        there = (np.arange(9) - np.arange(9)[:, None]) % 9 < n
        kind = sim.StaticSynapse(weight=np.arange(81.0).reshape(9, 9), delay=1.0)
        sim.Projection(cells, cells, sim.ArrayConnector(there), kind)
    sim.run(1.0)
    assert [isinstance(each, DenseRows) for each in all_rows()] == stored


def test_what_users_see_does_not_change(fresh: None) -> None:
    """Weights can be read and set, also one of them, and where synapses are is known."""
    pre, post = (sim.Population(n, sim.IF_curr_delta()) for n in (6, 9))
    there = RNG.random((6, 9)) < 0.7
    there[0], there[-1] = True, True
    weights = RNG.integers(0, 100, there.shape) / 8
    kind = sim.StaticSynapse(weight=weights, delay=0.3)
    made = sim.Projection(pre, post, sim.ArrayConnector(there), kind)
    before = connections(made)
    for _ in range(2):
        sim.run(0.5)
        (rows,) = all_rows()
        assert isinstance(rows, DenseRows)
        assert connections(made) == before
        matrix = made.get("weight", format="array")
        assert np.array_equal(np.isnan(matrix), ~there)
        assert np.array_equal(matrix[there], weights[there])
        assert rows.nbytes <= 6 * 9 + 7 + 1
    for connection in made.connections:
        if (connection.presynaptic_index, connection.postsynaptic_index) == (0, 4):
            connection.weight = 17.0
    sim.run(0.5)
    before = [(i, j, 17.0 if (i, j) == (0, 4) else w, d) for i, j, w, d in before]
    assert connections(made) == before
    made.set(weight=3.0)
    sim.run(0.5)
    assert {w for _, _, w, _ in connections(made)} == {3.0}


def test_weights_may_change_between_runs(fresh: None) -> None:
    sources = sim.Population(3, sim.SpikeSourceArray(spike_times=[1.0, 5.0]))
    cells = sim.Population(4, sim.IF_curr_delta(v_thresh=1e3, tau_m=1e9, v_rest=0.0))
    cells.initialize(v=0.0)
    weights = np.arange(12.0).reshape(3, 4)
    kind = sim.StaticSynapse(weight=weights, delay=1.0)
    made = sim.Projection(sources, cells, sim.AllToAllConnector(), kind)
    cells.record("v")
    sim.run(4.0)
    made.set(weight=10 * weights)
    sim.run(4.0)
    v = cells.get_data().segments[0].filter(name="v")[0].magnitude
    assert v[-1] == pytest.approx(11 * weights.sum(axis=0), rel=1e-6)


@pytest.mark.parametrize("gaps", [False, True])
def test_other_weights_and_delays_leave_a_matrix(fresh: None, gaps: bool) -> None:
    sources = sim.Population(N_PRE, sim.SpikeSourceArray(spike_times=[1.0, 21.0, 31.0]))
    cells = sim.Population(N_POST, sim.IF_curr_exp())
    there = RNG.random((N_PRE, N_POST)) < (0.7 if gaps else 2.0)
    weights = abs(NORMAL[:N_PRE])
    kind = sim.StaticSynapse(weight=weights.astype(np.float32), delay=1.0)
    made = sim.Projection(sources, cells, sim.ArrayConnector(there), kind)
    table = made._tables[0]
    dense_rows = DenseRows.of(table)
    assert dense_rows is not None
    table.rows = dense_rows
    for values, item in ((weights, np.float64), (np.rint(9 * weights) / 8, np.int8)):
        made.set(weight=values, delay=3.0)
        assert isinstance(table.rows, DenseRows)
        assert table.rows.item.dtype == item
        assert np.array_equal(table.rows.item * table.rows.grid, np.where(there, values, 0.0))
        found = made.get(["weight", "delay"], format="array", with_address=False)
        assert np.array_equal(np.nan_to_num(found[0]), np.where(there, values, 0.0))
        assert set(found[1][there]) == {3.0}
    made.set(delay=RNG.integers(1, 4, there.shape).astype(float))
    assert not isinstance(table.rows, DenseRows)
    made.set(weight=2.0)
    assert {w for _, _, w, _ in connections(made)} == {2.0}


FLOATS = st.floats(allow_nan=False, allow_infinity=False, width=64)
NUMBERS = st.lists(st.integers(-32767, 32767), min_size=1, max_size=9)


@given(st.lists(FLOATS, min_size=1, max_size=9), st.sampled_from([np.float64, np.float32]))
def test_narrowed_weights_are_the_weights(values: list[float], dtype: Any) -> None:
    with np.errstate(over="ignore"):
        weights = np.array(values).astype(dtype)
    weights = weights[np.isfinite(weights)]
    if len(weights):
        check_narrowed(weights)


@given(NUMBERS, st.integers(1, 2**24 - 1), st.integers(-60, 30))
def test_multiples_of_a_number_become_integers(numbers: list[int], odd: int, exponent: int) -> None:
    weights = np.array(numbers) * np.ldexp(float(odd), exponent)
    items = check_narrowed(weights)
    assert items.dtype == np.int8 or np.abs(numbers).max() > 127
    assert items.dtype.kind == "i"


def check_narrowed(weights: NDArray[Any]) -> NDArray[Any]:
    items, grid = narrowed(weights)
    assert np.array_equal(np.asarray(items * grid, weights.dtype), weights)
    assert items.dtype.itemsize <= weights.dtype.itemsize
    return items
