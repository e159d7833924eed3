"""Measures against closed forms and SciPy; the yardstick of seeds on activity with known rates."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from recorded import DURATION, poisson

from pynn_sparse.compare.activity import Activity
from pynn_sparse.compare.findings import Tolerances
from pynn_sparse.compare.statistics import (
    cliffs_delta,
    correlations,
    cvs,
    frequencies,
    measures,
    rates,
    spectrum,
)

pytest.importorskip("elephant")

VALUES = st.lists(st.integers(-5, 5), min_size=1, max_size=30)


@given(VALUES, VALUES)
def test_cliffs_delta_counts_pairs(a: list[int], b: list[int]) -> None:
    counted = np.mean([np.sign(y - x) for x in a for y in b])
    assert cliffs_delta(np.array(a, float), np.array(b, float)) == pytest.approx(counted)


def test_rates_and_cvs() -> None:
    regular = np.arange(10.0, DURATION, 10)
    alternating = np.cumsum(np.tile([5.0, 15.0], 50))
    found = Activity(0, DURATION, {0: regular, 1: alternating, 2: np.array([4.0])})
    assert rates([found]) == pytest.approx([len(regular) / 2, 50, 0.5])
    expected = scipy.stats.variation(np.diff(alternating))
    assert cvs([found]) == pytest.approx([0, expected])
    twice = [found, Activity(0, DURATION, {0: regular})]
    assert rates(twice)[0] == pytest.approx(len(regular) / 2)


def test_correlations_of_copies_and_of_independent_trains() -> None:
    found = poisson(20, 30, seed=1)
    found.trains[1] = found.trains[0].copy()
    found.trains[2] = np.array([])
    pairs = correlations([found])
    assert len(pairs) == 29 * 28 / 2
    assert pairs[0] == pytest.approx(1)
    # 400 bins: an independent pair has a standard deviation of 1 / 20.
    assert np.std(pairs[1:]) == pytest.approx(0.05, rel=0.2)
    assert abs(np.mean(pairs[1:])) < 0.01


def test_spectrum_shows_a_rhythm_and_the_level_of_poisson_trains() -> None:
    neurons, rate = 100, 30
    flat = spectrum([poisson(rate, neurons, seed=3, duration=20_000)])
    # Of independent Poisson trains, one-sided: twice the rate, by the number of neurons.
    assert np.mean(flat) == pytest.approx(10 * np.log10(2 * rate / neurons), abs=0.5)
    times = np.arange(25.0, 20_000, 25)
    rhythm = spectrum([Activity(0, 20_000, dict.fromkeys(range(10), times))])
    assert frequencies()[np.argmax(rhythm)] in (40, 80, 120, 160, 200, 240)
    assert len(frequencies()) == len(rhythm) == len(flat)


def test_spectrum_of_too_little() -> None:
    assert len(spectrum([poisson(10, 5, seed=1, duration=100)])) == 0
    assert len(spectrum([Activity(0, DURATION, {0: np.array([])})])) == 0


def runs(rate: float, seeds: range) -> list[list[Activity]]:
    return [[poisson(rate, 60, seed)] for seed in seeds]


def differing(a: list[list[Activity]], b: list[list[Activity]], **options: float) -> set[str]:
    return {each.name for each in measures("cells", a, b, Tolerances(**options)) if each.differs}


def test_other_seeds_are_no_difference_but_another_rate_is() -> None:
    one = runs(20, range(3))
    assert differing(one, runs(20, range(10, 13))) == set()
    assert "rate" in differing(one, runs(24, range(10, 13)))
    assert differing(one, runs(24, range(10, 13)), relative=0.3, spread=30) == set()


def test_with_one_seed_the_test_decides() -> None:
    (found, *_) = measures("cells", runs(20, range(1)), runs(26, range(5, 6)), Tolerances())
    assert (found.name, found.within, found.differs) == ("rate", None, True)
    assert found.p_value < 1e-3
    assert found.effect > 0.5
    assert differing(runs(20, range(1)), runs(20, range(5, 6))) == set()


def test_false_alarms_are_rare() -> None:
    """The same rates with other seeds: with three seeds, a measure seldom counts by chance."""
    alarms = sum(
        bool(differing(runs(20, range(k, k + 3)), runs(20, range(k + 3, k + 6))))
        for k in range(100, 220, 6)
    )
    assert alarms <= 1  # of 20


def test_a_silent_population_differs_from_an_active_one() -> None:
    silent = [[Activity(0, DURATION, {i: np.array([]) for i in range(60)})]] * 2
    assert {"rate", "CV of intervals"} <= differing(runs(20, range(2)), silent)
    assert differing(silent, silent) == set()


def test_identical_activity_has_no_distance() -> None:
    for each in measures("cells", runs(20, range(2)), runs(20, range(2)), Tolerances()):
        assert each.between == (0, 0)
        assert each.effect == 0
        assert not each.differs
