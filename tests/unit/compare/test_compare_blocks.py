"""`compare_blocks` on recorded data as users have them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from recorded import block, poisson

from pynn_sparse.compare import Tolerances, compare_blocks
from pynn_sparse.compare.activity import Activity, Signal

pytest.importorskip("elephant")


def moved(activity: Activity, by: float) -> Activity:
    trains = {neuron: times + by for neuron, times in activity.trains.items()}
    return Activity(activity.start, activity.stop + by, trains)


def test_the_same_block() -> None:
    recorded = block(poisson(20, 30, seed=1), dt=0.1)
    found = compare_blocks(recorded, recorded)
    assert found.same
    assert found.identical
    assert found.timestep == 0.1
    assert "exactly the same" in found.verdict


def test_a_lag_of_a_step_is_named() -> None:
    one = poisson(20, 30, seed=1)
    found = compare_blocks(block(one), block(moved(one, 0.1)), timestep=0.1, names=("A", "B"))
    assert not found.same
    assert found.spikes[0][0].lag == 1
    assert "later on B than on A, by 0.1 ms: as with other delays" in found.verdict
    # Where times are not on the same grid, a step is no difference.
    off_grid = compare_blocks(block(one), block(moved(one, 0.1)), timestep=0.1, on_grid=False)
    assert off_grid.same
    assert not off_grid.identical


def test_random_input_and_seeds() -> None:
    runs = [{"cells": block(poisson(20, 60, seed))} for seed in range(6)]
    faster = [{"cells": block(poisson(25, 60, seed))} for seed in range(3)]
    options = {"timestep": 0.1, "random": True}
    same = compare_blocks(runs[:3], runs[3:6], **options)
    assert same.same
    assert not same.identical
    assert same.seeds == 3
    different = compare_blocks(runs[:3], faster, **options)
    assert not different.same
    assert "rate is" in different.verdict
    assert compare_blocks(runs[:3], faster, **options, tolerances=Tolerances(0.3, 30)).same
    # Without random input, such spikes are no rounding errors.
    assert not compare_blocks(runs[:3], runs[3:6], timestep=0.1).same
    identical = Tolerances(identical=True)
    assert not compare_blocks(runs[:3], runs[3:6], **options, tolerances=identical).same


def with_v(factor: float = 1.0, shift: int = 0) -> Activity:
    """v after an input at 20 ms, in three neurons that do not spike."""
    times = 0.1 * np.arange(1001)
    since = np.maximum(times - 20 - 0.1 * shift, 0)
    deflection = factor * (np.exp(-since / 20) - np.exp(-since / 5))
    values = -65 + deflection[:, None] * [1, 2, 3]
    return Activity(0, 100, {0: np.array([])}, {"v": Signal(times, np.arange(3), values, "mV")})


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (with_v(factor=1.05), "moves 1.05 times as far from rest as on A: weights differ"),
        (with_v(factor=0.9), "moves 0.9 times as far from rest as on A: weights differ"),
        (with_v(shift=1), "that on A, 1 time step later: delays differ"),
        (with_v(shift=-3), "that on A, 3 time steps earlier: delays differ"),
    ],
)
def test_traces_prove_weights_and_delays(other: Activity, said: str) -> None:
    found = compare_blocks(block(with_v()), block(other), timestep=0.1, names=("A", "B"))
    assert not found.same
    assert said in found.verdict


def with_resets(period: int, late: int = 0) -> Activity:
    """Regular spikes, after which v stays at -65 mV for a period (steps) and then rises."""
    v = np.concatenate([np.full(period + 1, -65.0), np.linspace(-64.9, -50.1, 80)])
    values = np.tile(v, 10)[:, None]
    times = 0.1 * np.arange(len(values))
    train = 0.1 * len(v) * np.arange(1, 10)
    signals = {"v": Signal(times, np.arange(1), np.roll(values, late, axis=0), "mV")}
    return Activity(0, times[-1], {0: train}, signals)


def test_traces_prove_a_refractory_period() -> None:
    found = compare_blocks(block(with_resets(20)), block(with_resets(25)), timestep=0.1)
    assert "20 steps on reference and 25 steps on other: the refractory" in found.verdict
    # A backend whose samples are taken before the reset has the same period.
    sampled_before = block(with_resets(20, late=1))
    found = compare_blocks(block(with_resets(20)), sampled_before, timestep=0.1, on_grid=False)
    assert found.same


def test_a_small_difference_of_traces_is_none() -> None:
    found = compare_blocks(block(with_v()), block(with_v(factor=1.0001)), timestep=0.1)
    assert found.same


def test_figures_are_json() -> None:
    one, two = (block(poisson(20, 30, seed)) for seed in (1, 2))
    figures = compare_blocks(one, two, timestep=0.1).figures()
    assert json.loads(json.dumps(figures, allow_nan=False)) == figures


def test_what_cannot_be_compared() -> None:
    recorded = block(poisson(20, 5, seed=1))
    with pytest.raises(ValueError, match="timestep: must be given"):
        compare_blocks(recorded, recorded)
    with pytest.raises(ValueError, match=r"timestep = -1: must be a number of milliseconds"):
        compare_blocks(recorded, recorded, timestep=-1)
    with pytest.raises(ValueError, match="no population in common"):
        compare_blocks({"a": recorded}, {"b": recorded}, timestep=0.1)
    with pytest.raises(ValueError, match="2 seeds of reference, 1 of other"):
        compare_blocks([recorded] * 2, [recorded], timestep=0.1)
    with pytest.raises(ValueError, match=r"must be a neo\.Block"):
        compare_blocks(7, recorded, timestep=0.1)


@pytest.mark.parametrize("option", ["relative", "p_value", "beginning", "spread", "signal"])
def test_tolerances_out_of_range(option: str) -> None:
    with pytest.raises(ValueError, match=f"{option} = -1: must be"):
        Tolerances(**{option: -1})
