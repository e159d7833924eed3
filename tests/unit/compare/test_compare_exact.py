"""Spike trains and signals are compared as they should be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pynn_sparse.compare.activity import Activity, Signal
from pynn_sparse.compare.exact import beginning, compare_signals, compare_spikes

STEP = 0.1
STEPS = st.lists(st.integers(1, 2000), unique=True, max_size=30).map(sorted)


def activity(*trains: list[float]) -> Activity:
    return Activity(0.0, 200.0, {i: np.array(each, float) for i, each in enumerate(trains)})


def compare(a: Activity, b: Activity):
    return compare_spikes("cells", 0, a, b, STEP)


@given(st.lists(STEPS, min_size=1, max_size=5), st.floats(-0.04, 0.04))
def test_times_in_the_same_step_are_identical(steps: list[list[int]], jitter: float) -> None:
    a = activity(*[[STEP * k for k in train] for train in steps])
    b = activity(*[[STEP * k + jitter for k in train] for train in steps])
    found = compare(a, b)
    assert found.same
    assert found.within_step == found.neurons == len(steps)
    assert (found.first_difference, found.first_divergence, found.lag) == (None, None, None)


@given(STEPS.filter(len), st.integers(-3, 3).filter(bool))
def test_a_common_lag_is_found(steps: list[int], lag: int) -> None:
    a = activity([STEP * (k + 5) for k in steps])
    b = activity([STEP * (k + 5 + lag) for k in steps])
    found = compare(a, b)
    assert found.lag == lag
    assert found.identical == 0
    assert found.within_step == (abs(lag) == 1)
    assert found.first_difference == pytest.approx(STEP * (min(steps) + 5 + min(lag, 0)))


@given(STEPS.filter(lambda steps: len(steps) > 1), st.data())
def test_a_missing_spike_is_where_trains_diverge(steps: list[int], data: st.DataObject) -> None:
    spaced = [10 * k for k in steps]
    gone = data.draw(st.integers(0, len(spaced) - 1))
    a = activity([STEP * k for k in spaced])
    b = activity([STEP * k for i, k in enumerate(spaced) if i != gone])
    found = compare(a, b)
    assert found.first_divergence == pytest.approx(STEP * spaced[gone])
    assert found.neuron == 0
    assert compare(b, a).first_divergence == found.first_divergence


def test_difference_and_divergence_are_of_the_earliest_neuron() -> None:
    a = activity([10.0, 20.0, 30.0], [15.0, 25.0], [5.0])
    b = activity([10.0, 20.1, 30.0], [15.0, 25.5], [5.0])
    found = compare(a, b)
    assert (found.identical, found.within_step, found.neurons) == (1, 2, 3)
    assert (found.first_difference, found.first_divergence, found.neuron) == (20.0, 25.0, 1)


def test_only_neurons_recorded_on_both_count() -> None:
    a = Activity(0, 100, {3: np.array([1.0]), 7: np.array([2.0])})
    b = Activity(0, 100, {7: np.array([2.0]), 8: np.array([50.0])})
    found = compare(a, b)
    assert (found.neurons, found.spikes, found.same) == (1, (1, 1), True)


def test_beginning_is_a_share_of_the_first_spikes() -> None:
    one = np.arange(1.0, 11.0)
    moved = np.where(one == 4.0, 4.2, one)
    assert beginning([(one, one)], 10, 0.05) == 1
    assert beginning([(one, moved)], 10, 0.05) == pytest.approx(0.9)
    assert beginning([(one, moved)], 3, 0.05) == 1  # it comes later
    assert beginning([(one, np.array([]))], 10, 0.05) == 0
    assert beginning([(np.array([]), one)], 10, 0.05) == 0
    assert beginning([(one[:2], np.array([1.0, 2.0]))] * 2, 10, 0.05) == 1
    assert beginning([(np.array([]), np.array([]))], 10, 0.05) is None


def test_an_additional_spike_lowers_the_beginning() -> None:
    one, two = np.array([1.0, 9.0]), np.array([1.0, 3.0, 9.0])
    assert beginning([(one, two)], 10, 0.05) == pytest.approx(1 / 2)


def signal(values: np.ndarray, start: float = 0.0, interval: float = STEP) -> Activity:
    times = start + interval * np.arange(len(values))
    neurons = np.arange(values.shape[1])
    return Activity(0, times[-1], signals={"v": Signal(times, neurons, values, "mV")})


def test_signals_until_a_time_and_in_all() -> None:
    values = np.zeros((101, 2))
    other = values.copy()
    other[0] = 7.0  # not simulated
    other[10, 1], other[80, 0] = 1.0, -5.0
    (found,) = compare_signals("cells", 0, signal(values), signal(other), until=5.0)
    assert (found.worst, found.worst_all) == (1.0, 5.0)
    assert found.rms == pytest.approx(np.sqrt(1 / (49 * 2)))  # samples 1 to 49
    assert found.rms_all == pytest.approx(np.sqrt(26 / 200))
    (never,) = compare_signals("cells", 0, signal(values), signal(other), until=np.inf)
    assert (never.worst, never.until) == (5.0, 10.0)


def test_signals_are_compared_at_common_times() -> None:
    fine, coarse = np.arange(101.0)[:, None], np.arange(0.0, 101.0, 5)[:, None]
    (found,) = compare_signals("c", 0, signal(fine), signal(coarse, interval=0.5), until=np.inf)
    assert found.worst_all == 0
    assert compare_signals("c", 0, signal(fine), signal(fine, start=0.03), np.inf) == []
