"""Networks of many small populations and projections: what their work is made of."""

from __future__ import annotations

import itertools
import sys
from typing import Any
from unittest import mock

import numpy as np
import pyNN.random
import pyNN.sparse as sim
import pytest

from pynn_sparse.network import SynapseTable


@pytest.fixture(autouse=True)
def _setup() -> None:
    sim.setup(timestep=0.1)


def lines_of(function: Any) -> int:
    """How many lines of Python are executed."""
    count = 0

    def note(frame: Any, event: str, argument: Any) -> Any:
        nonlocal count
        count += event == "line"
        return note

    before = sys.gettrace()
    sys.settrace(note)
    try:
        function()
    finally:
        sys.settrace(before)
    return count


def chain(n: int) -> list[Any]:
    """So many populations of one cell, each connected to the next."""
    cells = [sim.Population(1, sim.IF_curr_exp()) for _ in range(n)]
    synapse = sim.StaticSynapse(weight=0.1, delay=1.0)
    for pre, post in itertools.pairwise(cells):
        sim.Projection(pre, post, sim.AllToAllConnector(), synapse)
    return cells


def test_the_work_of_the_first_run_is_in_proportion_to_populations_and_projections() -> None:
    work = []
    for n in (50, 100, 200):
        sim.setup(timestep=0.1)
        chain(n)
        work.append(lines_of(lambda: sim.run(0.1)))
    assert work[2] - work[1] < 2.2 * (work[1] - work[0])


def test_connections_of_assemblies_are_divided_in_one_go() -> None:
    cells = chain(40)
    whole = sim.Assembly(*cells)
    with mock.patch.object(np, "flatnonzero", wraps=np.flatnonzero) as searched:
        made = sim.Projection(whole, whole, sim.FixedProbabilityConnector(0.1, rng=sim.NumpyRNG(1)))
    assert searched.call_count < 10
    pairs = made.get([], format="columns")
    expected = {
        (int(i), int(j))
        for i, j in zip(pairs["presynaptic_index"], pairs["postsynaptic_index"], strict=True)
    }
    assert len(made) == len(expected) == len(made._tables)
    assert {_ends(table, cells) for table in made._tables} == expected


def _ends(table: SynapseTable, cells: list[Any]) -> tuple[int, int]:
    """Indices of the populations, of one cell each, that a table connects."""
    blocks = [each._block for each in cells]
    return blocks.index(table.pre), blocks.index(table.post)


@pytest.mark.parametrize("order", [[2, 0, 1], [1, 2, 0]])
def test_populations_of_an_assembly_in_any_order_are_connected_alike(order: list[int]) -> None:
    cells = [sim.Population(size, sim.IF_curr_exp()) for size in (3, 1, 4)]
    whole = sim.Assembly(*(cells[k] for k in order))
    weights = np.arange(64.0).reshape(8, 8)
    connector, synapse = sim.ArrayConnector(weights % 3 == 0), sim.StaticSynapse(weight=weights)
    made = sim.Projection(whole, whole, connector, synapse)
    found = made.get("weight", format="array")
    assert np.array_equal(found, np.where(weights % 3 == 0, weights, np.nan), equal_nan=True)


class _Attempts:
    """Finds no module, and counts how often mpi4py is looked for."""

    def __init__(self) -> None:
        self.count = 0

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        self.count += name.partition(".")[0] == "mpi4py"


def test_connectors_look_for_mpi4py_once_and_no_more() -> None:
    cells = sim.Population(3, sim.IF_curr_exp())
    first = pyNN.random.get_mpi_config()
    attempts: Any = _Attempts()
    sys.meta_path.insert(0, attempts)
    try:
        for seed in range(10):
            sim.NumpyRNG(seed)
            sim.Projection(cells, cells, sim.FixedProbabilityConnector(0.5))
    finally:
        sys.meta_path.remove(attempts)
    assert attempts.count == 0
    assert pyNN.random.get_mpi_config() == first == (0, 1)


@pytest.mark.parametrize("value", [0.5, 3, np.float32(0.25)])
def test_parameters_that_are_numbers_reach_connections_as_given(value: Any) -> None:
    cells = sim.Population(2, sim.IF_curr_exp())
    synapse = sim.StaticSynapse(weight=value, delay=1.0)
    for connector in (
        sim.AllToAllConnector(),
        sim.FixedNumberPreConnector(2),
        sim.OneToOneConnector(),
    ):
        assert set(
            sim.Projection(cells, cells, connector, synapse).get(
                "weight", "list", with_address=False
            )
        ) == {float(value)}


def test_the_generator_of_a_synapse_type_gives_each_projection_the_same_weights() -> None:
    cells = sim.Population(4, sim.IF_curr_exp())
    law = sim.RandomDistribution("uniform", (0.1, 0.2), rng=sim.NumpyRNG(5))
    synapse = sim.StaticSynapse(weight=law)
    one, two = (
        sim.Projection(cells, cells, sim.AllToAllConnector(), synapse).get("weight", "array")
        for _ in range(2)
    )
    expected = sim.NumpyRNG(5).next(16, "uniform", {"low": 0.1, "high": 0.2}).reshape(4, 4).T
    assert one.tolist() == two.tolist() == expected.tolist()
