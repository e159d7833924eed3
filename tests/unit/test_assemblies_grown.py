"""Assemblies that are made by adding one population after the other."""

from __future__ import annotations

import pyNN.sparse as sim
import pytest
from pyNN.sparse.populations import members


@pytest.fixture(autouse=True)
def _setup() -> None:
    sim.setup(timestep=0.1)


def cells(n: int) -> list[sim.Population]:
    return [sim.Population(1, sim.IF_curr_exp(), label=f"p{k}") for k in range(n)]


def test_sums_have_the_populations_in_order_and_leave_their_terms() -> None:
    a, b, c, d = cells(4)
    first = a + b
    second, third = first + c, first + d
    fourth = second + d
    fourth += a
    assert [each.label for each in first.populations] == ["p0", "p1"]
    assert [each.label for each in second.populations] == ["p0", "p1", "p2"]
    assert [each.label for each in third.populations] == ["p0", "p1", "p3"]
    assert [each.label for each in fourth.populations] == ["p0", "p1", "p2", "p3"]
    assert list(third.all_cells) == [a[0], b[0], d[0]]


def test_views_are_added_where_none_of_their_cells_is_there() -> None:
    population = sim.Population(10, sim.IF_curr_exp())
    first = population[0:3] + population[3:5]
    second = first + population[5:7]
    other = first + population[6:8]
    assert (first.size, second.size, other.size) == (5, 7, 7)
    assert (second + population[4:9]).size == 7
    assert (first + population[7:9]).size == 7
    assert (sim.Assembly(population) + population[1:2]).size == 10


def test_a_long_sum_copies_no_members(monkeypatch: pytest.MonkeyPatch) -> None:
    added = []
    add = members.Members.add
    monkeypatch.setattr(members.Members, "add", lambda self, m: (added.append(m), add(self, m)))
    parts = cells(50)
    whole = parts[0] + parts[1]
    for each in parts[2:]:
        whole = whole + each
    assert len(added) == 50
    assert list(whole.all_cells) == [each[0] for each in parts]
