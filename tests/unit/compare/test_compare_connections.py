"""Differences of connections are found, measured and named."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pynn_sparse.compare.connections import Connections, difference

ROWS = st.lists(
    st.tuples(
        st.integers(0, 4),
        st.integers(0, 5),
        st.floats(0.01, 2.0),
        st.integers(1, 30).map(lambda steps: 0.1 * steps),
    ),
    min_size=1,
    max_size=40,
)


def connections(rows, **about) -> Connections:
    return Connections.of(rows, 5, 6, **about)


@given(ROWS, st.randoms())
def test_the_order_of_connections_does_not_matter(rows, random) -> None:
    shuffled = random.sample(rows, len(rows))
    found = difference("p", connections(rows), connections(shuffled), 0.1)
    assert found.same
    assert (found.worst_weight, found.worst_delay) == (0, 0)
    assert (found.weight_factor, found.delay_shift) == (None, None)


@given(ROWS, st.floats(0.5, 1.5).filter(lambda factor: abs(factor - 1) > 1e-3))
def test_a_factor_of_weights_is_named(rows, factor: float) -> None:
    scaled = [(i, j, factor * w, d) for i, j, w, d in rows]
    found = difference("p", connections(rows), connections(scaled), 0.1)
    assert not found.same
    assert found.weight_factor == pytest.approx(factor)
    assert found.same_pairs
    assert found.same_delays


@given(ROWS, st.integers(1, 5))
def test_a_shift_of_delays_is_named(rows, steps: int) -> None:
    later = [(i, j, w, d + 0.1 * steps) for i, j, w, d in rows]
    found = difference("p", connections(rows), connections(later), 0.1)
    assert not found.same
    assert found.delay_shift == steps
    assert found.worst_delay == pytest.approx(steps)


def test_one_weight_among_many() -> None:
    rows = [(i % 5, i % 6, 1.0, 1.0) for i in range(30)]
    other = [*rows[:-1], (*rows[-1][:2], 1.5, 1.0)]
    found = difference("p", connections(rows), connections(other), 0.1)
    assert found.weight_factor is None
    assert found.worst_weight == pytest.approx(0.5 / 1.5)
    assert not found.same
    plastic = [connections(each, plastic=True) for each in (rows, other)]
    assert difference("p", *plastic, 0.1).same


def test_other_cells_with_the_same_degrees() -> None:
    one, two = [(0, 0, 1, 1), (1, 1, 1, 1)], [(0, 1, 1, 1), (1, 0, 1, 1)]
    found = difference("p", connections(one), connections(two), 0.1)
    assert not found.same_pairs
    assert found.same_in_degrees
    assert found.same_out_degrees
    assert found.worst_weight is None
    more = difference("p", connections(one), connections([*one, (0, 0, 1, 1)]), 0.1)
    assert (more.counts, more.degree_difference, more.same_in_degrees) == ((2, 3), 1, False)


def test_no_connections() -> None:
    found = difference("p", connections([]), connections([]), 0.1)
    assert found.same
    assert not difference("p", connections([]), connections([(0, 0, 1, 1)]), 0.1).same


def test_rounding_is_no_difference() -> None:
    rng = np.random.default_rng(1)
    rows = np.column_stack(
        [rng.integers(0, 5, 50), rng.integers(0, 6, 50), rng.random((50, 2)) + 1]
    )
    other = rows * [1, 1, 1 + 1e-12, 1 - 1e-12]
    assert difference("p", connections(rows), connections(other), 0.1).same
