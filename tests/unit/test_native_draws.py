"""Values drawn in the engine: distributions, steps of delays, wrong input."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pynn_sparse.engine.building import connect, laws
from pynn_sparse.engine.building.connect import Rows
from pynn_sparse.errors import ParameterError

stats = pytest.importorskip("scipy.stats")
special = pytest.importorskip("scipy.special")


LEAST_P_VALUE = 0.001  # seeds are fixed, so a test fails always or never


def clipped(mu: float, sigma: float, low: float, high: float) -> Any:
    return stats.truncnorm((low - mu) / sigma, (high - mu) / sigma, mu, sigma).cdf


DISTRIBUTIONS: dict[str, tuple[str, dict[str, float], Any]] = {
    "uniform": ("uniform", {"low": -3.0, "high": 2.0}, stats.uniform(-3, 5).cdf),
    "normal": ("normal", {"mu": 1.5, "sigma": 0.75}, stats.norm(1.5, 0.75).cdf),
    "clipped": (
        "normal_clipped",
        {"mu": 1.5, "sigma": 0.75, "low": 0.1, "high": np.inf},
        clipped(1.5, 0.75, 0.1, np.inf),
    ),
    "far clipped": (
        "normal_clipped",
        {"mu": 0.0, "sigma": 1.0, "low": 2.0, "high": 2.5},
        clipped(0.0, 1.0, 2.0, 2.5),
    ),
    "exponential": ("exponential", {"beta": 0.3}, stats.expon(scale=0.3).cdf),
    "lognormal": ("lognormal", {"mu": 0.2, "sigma": 0.8}, stats.lognorm(0.8, 0, np.exp(0.2)).cdf),
}


def some_rows(n: int, n_source: int = 7) -> Rows:
    """So many synapses, some of them between the same two cells."""
    return connect.fixed_total_number(n_source, 3000, n, 1, 1)


def of_numbers(*arguments: Any) -> NDArray[Any]:
    distribution, parameters, *others = arguments
    return np.asarray(laws.draw(distribution, parameters, 200_001, *others))


def of_synapses(*arguments: Any) -> NDArray[Any]:
    distribution, parameters, *others = arguments
    return np.asarray(laws.draw_weights(distribution, parameters, some_rows(200_001), *others))


@pytest.mark.parametrize("make", [of_numbers, of_synapses])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_distribution(name: str, dtype: Any, make: Any) -> None:
    distribution, parameters, cdf = DISTRIBUTIONS[name]
    values = make(distribution, parameters, 17, 2, dtype)
    assert values.dtype == dtype
    assert stats.kstest(values, cdf).pvalue > LEAST_P_VALUE
    neighbours = np.corrcoef(values[1:], values[:-1])[0, 1]
    assert abs(neighbours) < 4 / np.sqrt(len(values))


def test_tails_of_the_normal_distribution() -> None:
    values = laws.draw("normal", {"mu": 0.0, "sigma": 1.0}, 4_000_000, 3, 2)
    for sign in (-1, 1):
        beyond = [np.count_nonzero(sign * values > limit) for limit in (3, 4, 4.5)]
        p = [stats.norm.sf(limit) for limit in (3, 4, 4.5)]
        for count, probability in zip(beyond, p, strict=True):
            assert stats.binomtest(count, len(values), probability).pvalue > LEAST_P_VALUE


def test_clipped_to_boundary() -> None:
    parameters = {"mu": 0.0, "sigma": 1.0}
    free = laws.draw("normal", parameters, 10_000, 3, 1)
    limits = {"low": -1.0, "high": 0.5}
    held = laws.draw("normal_clipped_to_boundary", parameters | limits, 10_000, 3, 1)
    assert np.array_equal(held, np.clip(free, -1, 0.5))


@pytest.mark.parametrize(("low", "high"), [(-2, 5), (7, 8), (0, 1 << 32)])
def test_uniform_integers(low: int, high: int) -> None:
    values = laws.draw("uniform_int", {"low": low, "high": high}, 70_000, 3, 1)
    assert np.all((values >= low) & (values < high) & (values == np.floor(values)))
    bins = min(high - low, 64)
    counts = np.bincount(((values - low) * bins // (high - low)).astype(int), minlength=bins)
    if bins > 1:
        assert stats.chisquare(counts).pvalue > LEAST_P_VALUE


@settings(deadline=None, max_examples=30)
@pytest.mark.parametrize("name", DISTRIBUTIONS)
@given(n=st.integers(0, 3000), more=st.integers(0, 3000), seed=st.integers(0, 2**64 - 1))
def test_value_depends_on_seed_and_index(name: str, n: int, more: int, seed: int) -> None:
    distribution, parameters, _ = DISTRIBUTIONS[name]
    made = [
        laws.draw(distribution, parameters, n + extra, seed, threads)[:n]
        for extra in (0, more)
        for threads in (1, 2, 3)
    ]
    assert all(np.array_equal(made[0], other) for other in made[1:])
    if n:
        assert not np.array_equal(made[0], laws.draw(distribution, parameters, n, seed ^ 1, 1))


@settings(deadline=None, max_examples=20)
@pytest.mark.parametrize("name", DISTRIBUTIONS)
@given(n=st.integers(1, 5000), cut=st.integers(0, 3000), seed=st.integers(0, 2**64 - 1))
def test_value_depends_on_seed_and_synapse(name: str, n: int, cut: int, seed: int) -> None:
    """Not on which other synapses there are, nor on who draws."""
    distribution, parameters, _ = DISTRIBUTIONS[name]

    def values(rows: Rows, seed: int = seed, threads: int = 1) -> NDArray[Any]:
        return np.asarray(laws.draw_weights(distribution, parameters, rows, seed, threads))

    rows = some_rows(n)
    every = values(rows)
    assert np.array_equal(every, values(rows, threads=3))
    assert len(np.unique(every)) > 0.99 * n  # also between the same two cells
    assert not np.array_equal(every, values(rows, seed ^ 1))
    mine = rows.target >= cut
    part = connect.fixed_total_number(7, 3000, n, 1, 1, onto=(cut, 3000))
    assert np.array_equal(values(part), every[mine])


def test_no_spread() -> None:
    for limits in ({}, {"low": 2.0, "high": 3.0}):
        name = "normal_clipped" if limits else "normal"
        values = laws.draw(name, {"mu": 2.0, "sigma": 0.0} | limits, 100, 1, 1)
        assert np.all(values == 2)


def test_single_precision_has_no_denormal_numbers() -> None:
    """A GPU would make 0 of them."""
    parameters = {"low": 0.0, "high": 2.0**-124}
    double, single = (laws.draw("uniform", parameters, 1000, 3, 2, t) for t in (float, np.float32))
    expected = np.where(double < 2.0**-126, 0, double).astype(np.float32)
    assert np.array_equal(single, expected)
    assert 100 < np.count_nonzero(single == 0) < 400


@settings(deadline=None)
@given(
    n=st.integers(0, 3000),
    seed=st.integers(0, 2**64 - 1),
    steps_per_ms=st.sampled_from([1.0, 10.0, 12.5, 1 / 0.3]),
    high=st.sampled_from([255, 256, 300]),
    threads=st.integers(1, 3),
)
def test_steps_are_rounded_values(
    n: int, seed: int, steps_per_ms: float, high: int, threads: int
) -> None:
    limits = {"low": 1 / steps_per_ms, "high": high / steps_per_ms}
    parameters = {"mu": 5.0, "sigma": 20.0} | limits
    rows = some_rows(n)
    law = "normal_clipped", parameters, rows, seed
    steps = laws.draw_steps(*law, threads, steps_per_ms, 1, high)
    values = laws.draw_weights(*law, 1)
    assert steps.dtype == (np.uint8 if high <= 255 else np.uint16)
    assert np.array_equal(steps, np.floor(values * steps_per_ms + 0.5))


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize(("low", "high"), [(0.04, 1.0), (0.1, 2.0)])
def test_first_delay_outside_is_named(low: float, high: float, threads: int) -> None:
    parameters = {"low": low, "high": high}
    rows = some_rows(5001)
    values = laws.draw_weights("uniform", parameters, rows, 8, 1)
    first = values[(values < 0.1) | (values > 1)][0]
    with pytest.raises(ParameterError, match=rf"^{first:g} ms.*uniform.*0.1 ms to 1 ms$"):
        laws.draw_steps("uniform", parameters, rows, 8, threads, 10.0, 1, 10)


def test_delay_may_be_outside_by_the_error_of_a_decimal() -> None:
    def steps(delay: float) -> NDArray[Any]:
        law = "normal", {"mu": delay, "sigma": 0}, some_rows(3)
        return np.asarray(laws.draw_steps(*law, 1, 1, 10.0, 1, 255))

    assert steps(0.1 - 9e-8).tolist() == [1] * 3
    assert steps(25.5 + 9e-8).tolist() == [255] * 3
    for delay in (0.1 - 2e-7, 25.5 + 2e-7, -5.0, 1e300):
        with pytest.raises(ParameterError, match="ms"):
            steps(delay)


@pytest.mark.parametrize(
    ("distribution", "parameters", "message"),
    [
        ("cauchy", {}, "'cauchy' is not drawn"),
        ("normal", {"mu": 0.0}, "has the parameters mu, sigma; got mu"),
        ("exponential", {}, "got none"),
        ("normal", {"mu": 0.0, "sigma": -1.0}, "sigma must not be negative"),
        ("exponential", {"beta": -1.0}, "beta must not be negative"),
        ("normal", {"mu": np.nan, "sigma": 1.0}, "mu must be a finite number"),
        ("uniform", {"low": 0.0, "high": np.inf}, "high must be a finite number"),
        ("uniform", {"low": 1.0, "high": 0.0}, "low must not be above high"),
        ("uniform", {"low": -1e308, "high": 1e308}, "too large"),
        ("uniform_int", {"low": 0.5, "high": 3}, "whole numbers"),
        ("uniform_int", {"low": 3, "high": 3}, "high must be above low"),
        ("uniform_int", {"low": 0, "high": 1 << 33}, "by at most"),
        ("normal_clipped", {"mu": 0.0, "sigma": 1.0, "low": 9.0, "high": 11.0}, "less than 0.001"),
        ("normal_clipped", {"mu": 0.0, "sigma": 1.0, "low": 1.0, "high": 1.0}, "less than 0.001"),
        ("normal_clipped", {"mu": 0.0, "sigma": 0.0, "low": 1.0, "high": 2.0}, "less than 0.001"),
        ("normal_clipped", {"mu": 0, "sigma": 1, "low": -np.inf, "high": -9.0}, "less than 0.001"),
    ],
)
def test_wrong_distribution(distribution: str, parameters: dict[str, float], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        laws.draw(distribution, parameters, 5, 1, 1)
    with pytest.raises(ParameterError, match=message):
        laws.draw_steps(distribution, parameters, some_rows(5), 1, 1, 10.0, 1, 255)


def test_wrong_range_of_steps() -> None:
    for low, high, steps_per_ms in ((-1, 5, 10.0), (5, 4, 10.0), (1, 65536, 10.0), (1, 5, 0.0)):
        with pytest.raises(ParameterError, match=f"low = {low}, high = {high}"):
            laws.draw_steps("exponential", {"beta": 1}, some_rows(5), 1, 1, steps_per_ms, low, high)


def test_wrong_type_of_values() -> None:
    with pytest.raises(ParameterError, match="dtype = int64"):
        laws.draw("exponential", {"beta": 1}, 5, 1, 1, np.int64)
    with pytest.raises(ParameterError, match="dtype = int64"):
        laws.draw_weights("exponential", {"beta": 1}, some_rows(5), 1, 1, np.int64)


# Hashes of what was made when the rules were written: values stay the same between versions.
KEPT = {
    "uniform": "6bf27f051a34e068",
    "normal": "88b13a621232b5de",
    "clipped": "ea63b6446db53317",
    "far clipped": "d408f1f313489e36",
    "exponential": "52ba46190f6e7b79",
    "lognormal": "5413a1145c789560",
}
KEPT_OF_SYNAPSES = {
    "uniform": "247f1857330f8145",
    "normal": "a3d2f5019850fae7",
    "clipped": "9647d4e68de0490a",
    "far clipped": "522ab96fd4a9f4fc",
    "exponential": "1e1cd89102d3038d",
    "lognormal": "64bd0c896006acff",
}


@pytest.mark.parametrize("name", KEPT)
def test_the_same_on_each_machine_and_in_each_version(name: str) -> None:
    distribution, parameters, _ = DISTRIBUTIONS[name]
    values = laws.draw(distribution, parameters, 3001, 12345678901234567890, 2)
    assert hashlib.sha256(values.astype("<f8").tobytes()).hexdigest()[:16] == KEPT[name]


@pytest.mark.parametrize("name", KEPT_OF_SYNAPSES)
def test_values_of_synapses_stay_the_same(name: str) -> None:
    distribution, parameters, _ = DISTRIBUTIONS[name]
    rows = connect.fixed_number_post(3, 70_000, 1001, 1, 1)
    values = laws.draw_weights(distribution, parameters, rows, 12345678901234567890, 2)
    made = hashlib.sha256(values.astype("<f8").tobytes()).hexdigest()[:16]
    assert made == KEPT_OF_SYNAPSES[name]
