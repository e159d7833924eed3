"""NEST's rounding rules, found by running it (its finest unit of time is 1 us)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pynn_sparse.network import TimeGrid

TENTH = TimeGrid(0.1)


@pytest.mark.parametrize(
    ("delay", "steps"), [(0.1, 1), (0.149, 1), (0.15, 2), (0.25, 3), (0.35, 4), (1.5, 15), (0.0, 0)]
)
def test_nearest_with_halves_up(delay: float, steps: int) -> None:
    assert TENTH.nearest(delay) == steps


@pytest.mark.parametrize(
    ("period", "steps"),
    [(0.0, 0), (0.05, 1), (0.1, 1), (0.14, 2), (0.3, 3), (2.0, 20), (2.04, 21), (2.0004, 20)],
)
def test_at_least(period: float, steps: int) -> None:
    assert TENTH.at_least(period) == steps


def test_at_least_where_a_step_is_no_whole_number_of_microseconds() -> None:
    assert TimeGrid(1 / 32).at_least(2 / 32) == 2
    assert TimeGrid(1 / 3).at_least(2 / 3) == 2


@given(st.sampled_from([0.1, 0.05, 0.01, 0.025, 0.2, 1.0, 0.5]), st.integers(0, 10**7))
def test_multiples_of_the_step_are_found_exactly(dt: float, steps: int) -> None:
    grid = TimeGrid(dt)
    time = grid.time(steps)
    assert grid.nearest(time) == steps
    assert grid.at_least(time) == steps


@given(st.floats(1e-4, 5.0), st.floats(0, 1e4))
def test_nearest_is_within_half_a_step(dt: float, time: float) -> None:
    grid = TimeGrid(dt)
    assert abs(grid.nearest(time) * dt - time) <= dt / 2 * (1 + 1e-6) + 1e-9


@pytest.mark.parametrize("time", [1e19, 1e30, 1e308, np.inf])
def test_times_that_no_simulation_reaches_are_never(time: float) -> None:
    for rule in (TENTH.nearest, TENTH.nearest_below, TENTH.next):
        assert rule(time) == 2**62


@pytest.mark.parametrize(
    ("time", "steps"),
    [(0.0, 0), (0.3, 3), (0.1 * 3, 3), (0.3000009, 3), (0.3000011, 4), (0.35, 4), (0.2999, 3)],
)
def test_next(time: float, steps: int) -> None:
    assert TENTH.next(time) == steps


@pytest.mark.parametrize(
    ("time", "steps"), [(3.04, 30), (3.05, 30), (3.06, 31), (3.15, 31), (3.25, 32), (0.0, 0)]
)
def test_nearest_with_halves_down(time: float, steps: int) -> None:
    assert TENTH.nearest_below(time) == steps


def test_times_have_no_rounding_noise() -> None:
    assert TENTH.time(np.array([3, 7])).tolist() == [0.3, 0.7]


@given(st.floats(1e-4, 10.0), st.integers(0, 2**31 - 1))
def test_the_time_of_one_step_is_that_of_the_same_among_many(dt: float, step: int) -> None:
    grid = TimeGrid(dt)
    assert grid.time(step) == grid.time(np.array([step, 0]))[0]
