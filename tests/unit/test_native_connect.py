"""Connectivity and values drawn in the engine: exact properties, statistics, wrong input."""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from support.connections import MADE, matrix, networks, pairs, same

from pynn_sparse.engine import kernels
from pynn_sparse.engine.building import connect, laws
from pynn_sparse.engine.building.connect import Rows
from pynn_sparse.errors import ParameterError

stats = pytest.importorskip("scipy.stats")
special = pytest.importorskip("scipy.special")

RANDOM = sorted(MADE.keys() - {"all"})
LEAST_P_VALUE = 0.001  # seeds are fixed, so a test fails always or never


# --- exact properties -------------------------------------------------------------------------


@settings(deadline=None)
@pytest.mark.parametrize("rule", MADE)
@given(network=networks(), seed=st.integers(0, 2**64 - 1))
def test_rows_are_in_order_and_skip_the_cell_itself(
    rule: str, network: tuple[Any, ...], seed: int
) -> None:
    m, k, n, skip = network
    rows = MADE[rule](m, k, n, seed, 2, skip)
    assert rows.row_start.dtype == np.int64
    assert rows.target.dtype == np.uint16
    assert len(rows.row_start) == m + 1
    assert (rows.row_start[0], rows.row_start[-1]) == (0, len(rows.target))
    source, target = pairs(rows)
    assert np.all(target < k)
    assert np.all(np.diff(source * k + target) >= ("total" not in rule and "repl" not in rule))
    if skip is not None and rule != "total":
        assert not np.any(skip[source] == target)


@settings(deadline=None)
@given(network=networks(), seed=st.integers(0, 2**64 - 1), replaced=st.booleans())
def test_numbers_are_exact(network: tuple[Any, ...], seed: int, replaced: bool) -> None:
    m, k, n, skip = network
    suffix = " replaced" if replaced else ""
    post = matrix(MADE["post" + suffix](m, k, n, seed, 2, skip), k)
    assert np.all(post.sum(1) == (n if replaced else min(n, k - 1)))
    pre = matrix(MADE["pre" + suffix](m, k, n, seed, 2, skip), k)
    assert np.all(pre.sum(0) == (n if replaced else min(n, m - 1)))
    assert matrix(MADE["total"](m, k, n, seed, 2, skip), k).sum() == 7 * n


@pytest.mark.parametrize("rule", RANDOM)
@settings(deadline=None, max_examples=30)
@given(network=networks(), seed=st.integers(0, 2**64 - 1))
def test_threads_make_the_same(rule: str, network: tuple[Any, ...], seed: int) -> None:
    m, k, n, skip = network
    one = MADE[rule](m, k, n, seed, 1, skip)
    assert all(same(one, MADE[rule](m, k, n, seed, threads, skip)) for threads in (2, 3))


@pytest.mark.parametrize("rule", RANDOM)
def test_threads_make_the_same_large_network(rule: str) -> None:
    skip = np.arange(3000)[::-1].copy()
    made = [MADE[rule](3000, 70000, 200, 5, threads, skip) for threads in (1, 2, 3, 8)]
    assert all(same(made[0], other) for other in made[1:])


@pytest.mark.parametrize("rule", RANDOM)
def test_seed_decides(rule: str) -> None:
    seeds = [0, 1, 1 << 32, 1 << 63]
    made = [MADE[rule](50, 60, 20, seed, 1, None) for seed in seeds]
    assert len({rows.target.tobytes() for rows in made}) == len(seeds)
    assert same(made[0], MADE[rule](50, 60, 20, 0, 1, None))


def test_all_subsets_that_leave_out_none_or_one() -> None:
    skip = np.array([1, -1, 0])
    expected = np.array([[1, 0, 1, 1], [1, 1, 1, 1], [0, 1, 1, 1]])
    rules = [
        connect.all_to_all(3, 4, skip_self=skip),
        connect.fixed_probability(3, 4, 1.0, 0, 1, skip_self=skip),
        connect.fixed_probability(3, 4, 1 - 2.0**-53, 0, 1, skip_self=skip),
    ]
    assert all(np.array_equal(matrix(rows, 4), expected) for rows in rules)
    assert np.all(matrix(connect.fixed_number_post(3, 4, 4, 0, 1), 4) == 1)
    assert np.all(matrix(connect.fixed_number_pre(3, 4, 3, 0, 1), 4) == 1)


@pytest.mark.parametrize("p", [0.0, 5e-324, 1e-300, 1e-20])
def test_probability_too_small_for_any(p: float) -> None:
    assert len(connect.fixed_probability(1000, 1 << 32, p, 1, 2).target) == 0


@pytest.mark.parametrize(("m", "k"), [(3, 5), (5, 3), (4, 4), (0, 4), (4, 0)])
def test_one_to_one(m: int, k: int) -> None:
    rows = connect.one_to_one(m, k)
    assert np.array_equal(matrix(rows, k), np.eye(m, k))


@pytest.mark.parametrize("rule", MADE)
def test_no_sources(rule: str) -> None:
    rows = MADE[rule](0, 5, 0, 1, 2, np.zeros(0, np.int64))
    assert (rows.row_start.tolist(), len(rows.target)) == ([0], 0)


def test_no_cells() -> None:
    for rows in (
        connect.fixed_number_post(0, 5, 3, 1, 1),
        connect.fixed_number_pre(5, 0, 3, 1, 1),
        connect.fixed_probability(5, 0, 0.5, 1, 1),
        connect.fixed_total_number(5, 0, 0, 1, 1),
        connect.all_to_all(5, 0),
    ):
        assert len(rows.target) == 0
        assert not rows.row_start.any()


@pytest.mark.parametrize(("k", "dtype"), [(65536, np.uint16), (65537, np.uint32)])
def test_targets_take_as_few_bits_as_they_can(k: int, dtype: Any) -> None:
    made = [
        connect.fixed_probability(40, k, 0.1, 1, 1),
        connect.fixed_number_post(3, k, k - 1, 1, 1),
        connect.fixed_number_pre(3, k, 1, 1, 1),
        connect.fixed_total_number(3, k, 2 * k, 1, 1),
        connect.all_to_all(2, k),
        connect.one_to_one(k, k),
    ]
    assert {rows.target.dtype for rows in made} == {np.dtype(dtype)}
    assert all(rows.target.max() > k - 1000 for rows in made)


def test_largest_indices() -> None:
    k = 1 << 32
    for replaced in (False, True):
        rows = connect.fixed_number_post(20, k, 500, 1, 2, with_replacement=replaced)
        _, target = pairs(rows)
        assert target.max() > k - k // 1000
        assert target.min() < k // 1000
    sparse = connect.fixed_probability(1000, k, 1e-9, 1, 2)
    assert abs(len(sparse.target) - 4295) < 4 * 4295**0.5


# --- statistics -------------------------------------------------------------------------------


@pytest.mark.parametrize("p", [1e-4, 0.003, 0.1, 0.5, 0.9, 0.999])
def test_probability_of_a_connection(p: float) -> None:
    rows = connect.fixed_probability(2000, 1999, p, 11, 2)
    assert stats.binomtest(len(rows.target), 2000 * 1999, p).pvalue > LEAST_P_VALUE
    made = matrix(rows, 1999)
    for sums, n in ((made.sum(1), 1999), (made.sum(0), 2000)):
        squares = np.sum((sums - n * p) ** 2) / (n * p * (1 - p))
        assert stats.chi2.sf(squares, len(sums)) > LEAST_P_VALUE
        assert stats.chi2.cdf(squares, len(sums)) > LEAST_P_VALUE


@pytest.mark.parametrize("p", [0.02, 0.3, 0.8])
def test_gaps_are_geometric(p: float) -> None:
    _, target = pairs(connect.fixed_probability(1, 1_000_000, p, 7, 1))
    gaps = np.bincount(np.diff(target))[1:]
    tail = int(np.argmax(gaps < 20))
    expected = gaps.sum() * p * (1 - p) ** np.arange(len(gaps))
    seen, wanted = [np.append(x[:tail], x[tail:].sum()) for x in (gaps, expected)]
    wanted[-1] = gaps.sum() - wanted[:-1].sum()
    assert stats.chisquare(seen, wanted).pvalue > LEAST_P_VALUE


FREQUENCIES: dict[str, tuple[Callable[[int], Rows], float]] = {
    "probability": (lambda seed: connect.fixed_probability(6, 9, 0.3, seed, 1), 0.3),
    "few": (lambda seed: connect.fixed_number_post(6, 9, 2, seed, 1), 2 / 9),
    "most": (lambda seed: connect.fixed_number_post(6, 9, 7, seed, 1), 7 / 9),
    "pre": (lambda seed: connect.fixed_number_pre(6, 9, 4, seed, 1), 4 / 6),
}


@pytest.mark.parametrize("rule", FREQUENCIES)
def test_each_pair_is_as_likely(rule: str) -> None:
    make, p = FREQUENCIES[rule]
    n = 4000
    made = sum(matrix(make(seed), 9) for seed in range(n))
    z = (made - n * p) / np.sqrt(n * p * (1 - p))
    assert np.abs(z).max() < stats.norm.isf(LEAST_P_VALUE / 2 / z.size)
    # Where the sum of a row is fixed the deviations depend on each other, but are as large.
    assert 0.5 < np.mean(z**2) < 1.6


@pytest.mark.parametrize(("n", "k"), [(6, 2), (6, 4), (5, 3)])
def test_each_subset_is_as_likely(n: int, k: int) -> None:
    rows = connect.fixed_number_post(100_000, n, k, 3, 2)
    subsets = (1 << rows.target.reshape(-1, k).astype(np.int64)).sum(1)
    counts = np.unique(subsets, return_counts=True)[1]
    assert len(counts) == special.comb(n, k, exact=True)
    assert stats.chisquare(counts).pvalue > LEAST_P_VALUE


@pytest.mark.parametrize(
    ("k", "n"), [(2_000_000, 40), (20_000, 40), (20_000, 18_000)], ids=["hashed", "bits", "others"]
)
def test_subsets_of_many(k: int, n: int) -> None:
    rows = connect.fixed_number_post(500, k, n, 3, 2)
    target = rows.target.reshape(-1, n).astype(np.int64)
    assert np.all(np.diff(target, axis=1) > 0)
    counts = np.bincount(target.ravel() * 50 // k, minlength=50)
    assert stats.chisquare(counts).pvalue > LEAST_P_VALUE


@pytest.mark.parametrize("rule", ["post replaced", "pre replaced", "total"])
def test_pairs_are_uniform_and_independent(rule: str) -> None:
    made = matrix(MADE[rule](20, 30, 20_000, 9, 2, None), 30)
    assert stats.chisquare(made.ravel()).pvalue > LEAST_P_VALUE
    if rule == "total":
        assert stats.chisquare(made.sum(1)).pvalue > LEAST_P_VALUE
        assert stats.chi2_contingency(made).pvalue > LEAST_P_VALUE


def test_multapses_are_as_frequent_as_in_independent_pairs() -> None:
    made = matrix(connect.fixed_total_number(300, 400, 240_000, 2, 2), 400)
    counts = np.bincount(made.ravel(), minlength=9)
    expected = made.size * stats.binom.pmf(np.arange(9), 240_000, 1 / made.size)
    counts[8], expected[8] = counts[8:].sum(), made.size - expected[:8].sum()
    assert stats.chisquare(counts[:9], expected).pvalue > LEAST_P_VALUE


# --- values -----------------------------------------------------------------------------------


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


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_distribution(name: str, dtype: Any) -> None:
    distribution, parameters, cdf = DISTRIBUTIONS[name]
    values = laws.draw(distribution, parameters, 200_001, 17, 2, dtype)
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


# --- delays -----------------------------------------------------------------------------------


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
    steps = laws.draw_steps("normal_clipped", parameters, n, seed, threads, steps_per_ms, 1, high)
    values = laws.draw("normal_clipped", parameters, n, seed, 1)
    assert steps.dtype == (np.uint8 if high <= 255 else np.uint16)
    assert np.array_equal(steps, np.floor(values * steps_per_ms + 0.5))


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize(("low", "high"), [(0.04, 1.0), (0.1, 2.0)])
def test_first_delay_outside_is_named(low: float, high: float, threads: int) -> None:
    parameters = {"low": low, "high": high}
    values = laws.draw("uniform", parameters, 5001, 8, 1)
    first = values[(values < 0.1) | (values > 1)][0]
    with pytest.raises(ParameterError, match=rf"^{first:g} ms.*uniform.*0.1 ms to 1 ms$"):
        laws.draw_steps("uniform", parameters, 5001, 8, threads, 10.0, 1, 10)


def test_delay_may_be_outside_by_the_error_of_a_decimal() -> None:
    def steps(delay: float) -> NDArray[Any]:
        return laws.draw_steps("normal", {"mu": delay, "sigma": 0}, 3, 1, 1, 10.0, 1, 255)

    assert steps(0.1 - 9e-8).tolist() == [1] * 3
    assert steps(25.5 + 9e-8).tolist() == [255] * 3
    for delay in (0.1 - 2e-7, 25.5 + 2e-7, -5.0, 1e300):
        with pytest.raises(ParameterError, match="ms"):
            steps(delay)


# --- wrong input ------------------------------------------------------------------------------


@pytest.mark.parametrize("p", [-0.1, 1.5, np.nan, np.inf])
def test_wrong_probability(p: float) -> None:
    with pytest.raises(ParameterError, match=f"p = {p}"):
        connect.fixed_probability(3, 4, p, 1, 1)


def test_too_many_without_replacement() -> None:
    skip = np.array([0, -1, 2])
    calls: list[Callable[[], Rows]] = [
        lambda: connect.fixed_number_post(3, 4, 5, 1, 1),
        lambda: connect.fixed_number_post(3, 5, 5, 1, 1, skip_self=skip),
        lambda: connect.fixed_number_pre(4, 3, 5, 1, 1),
    ]
    for call in calls:
        with pytest.raises(ParameterError, match="n = 5: must be at most 4"):
            call()
    with pytest.raises(ParameterError, match="n = 3: must be at most 2"):
        connect.fixed_number_pre(3, 4, 3, 1, 1, skip_self=skip)
    self = np.array([0])
    with pytest.raises(ParameterError, match="n = 1: must be at most 0"):
        connect.fixed_number_post(1, 1, 1, 1, 1, with_replacement=True, skip_self=self)
    with pytest.raises(ParameterError, match="n = 1: must be at most 0"):
        connect.fixed_total_number(5, 0, 1, 1, 1)


def test_wrong_sizes() -> None:
    with pytest.raises(ParameterError, match="n = -1"):
        connect.fixed_number_post(3, 4, -1, 1, 1)
    with pytest.raises(ParameterError, match="n_target = 4294967297"):
        connect.one_to_one(3, (1 << 32) + 1)
    with pytest.raises(ParameterError, match="threads = 0"):
        connect.fixed_probability(3, 4, 0.5, 1, 0)
    with pytest.raises(ParameterError, match=r"skip_self has the shape \(2,\)"):
        connect.all_to_all(3, 4, skip_self=np.array([0, 1]))
    with pytest.raises(ParameterError, match="skip_self has 4"):
        connect.all_to_all(3, 4, skip_self=np.array([0, 1, 4]))
    with pytest.raises(ParameterError, match="names a target twice"):
        connect.fixed_number_pre(3, 4, 1, 1, 1, skip_self=np.array([1, 1, -1]))


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
        laws.draw_steps(distribution, parameters, 5, 1, 1, 10.0, 1, 255)


def test_wrong_range_of_steps() -> None:
    for low, high, steps_per_ms in ((-1, 5, 10.0), (5, 4, 10.0), (1, 65536, 10.0), (1, 5, 0.0)):
        with pytest.raises(ParameterError, match=f"low = {low}, high = {high}"):
            laws.draw_steps("exponential", {"beta": 1}, 5, 1, 1, steps_per_ms, low, high)


def test_wrong_type_of_values() -> None:
    with pytest.raises(ParameterError, match="dtype = int64"):
        laws.draw("exponential", {"beta": 1}, 5, 1, 1, np.int64)


# --- arithmetic -------------------------------------------------------------------------------

FUNCTIONS = ("log_of", "log_of_complement", "exp_of", "normal_quantile")


@pytest.fixture(scope="module")
def arithmetic(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """The functions of draws.h for the plainest processor, one number at a time."""
    folder = tmp_path_factory.mktemp("draws")
    body = "for (int64 i = 0; i < n; ++i) y[i] = {};"
    exported = "EXPORT void {}s(const double* x, double* y, int64 n) {{ {} }}\n"
    normals = body.format("normal_quantile(open_uniform(philox(7, Purpose::kDraw, 0, i / 2), i))")
    (folder / "unit.cpp").write_text(
        '#include "core/draws.h"\n'
        + "".join(exported.format(name, body.format(f"{name}(x[i])")) for name in FUNCTIONS)
        + f"EXPORT void normals(double* y, int64 n) {{ {normals} }}\n"
    )
    compiler = os.environ.get("CXX") or shutil.which("g++") or "c++"
    flags = "-std=c++17 -O1 -ffp-contract=off -fPIC -shared".split()
    command = [compiler, *flags, f"-I{kernels.source_folder()}", "unit.cpp", "-o", "unit.so"]
    subprocess.run(command, check=True, cwd=folder)
    return ctypes.CDLL(str(Path(folder) / "unit.so"))


def applied(library: ctypes.CDLL, name: str, x: NDArray[np.float64]) -> NDArray[np.float64]:
    y = np.empty_like(x)
    address = [ctypes.c_void_p(array.ctypes.data) for array in (x, y)]
    getattr(library, name + "s")(*address, ctypes.c_int64(len(x)))
    return y


def error(found: NDArray[np.float64], expected: NDArray[np.float64]) -> float:
    return float(np.max(np.abs(found - expected) / np.abs(expected)))


def test_logarithm(arithmetic: ctypes.CDLL) -> None:
    random = np.random.RandomState(1)
    small = 2.0 ** random.uniform(-53, 0, 100_000)
    x = np.concatenate([small, 1 - small / 2, 1 / small, [2.0**-53, 1 - 2.0**-53, 2.0**-1022]])
    assert error(applied(arithmetic, "log_of", x), np.log(x)) < 1e-15
    assert applied(arithmetic, "log_of", np.ones(1))[0] == 0
    p = np.concatenate([small / 2, 1 - small / 2, 10.0 ** random.uniform(-300, 0, 1000)])
    assert error(applied(arithmetic, "log_of_complement", p), np.log1p(-p)) < 1e-15


def test_exponential_function(arithmetic: ctypes.CDLL) -> None:
    x = np.concatenate([np.random.RandomState(1).uniform(-708, 709, 100_000), [1e-9, -1e-300]])
    assert error(applied(arithmetic, "exp_of", x), np.exp(x)) < 1e-15
    special_values = np.array([0, -745.2, -1e9, 710, 1e9, -np.inf, np.inf])
    expected = [1, 0, 0, np.inf, np.inf, 0, np.inf]
    assert applied(arithmetic, "exp_of", special_values).tolist() == expected
    assert applied(arithmetic, "exp_of", np.array([-740.0]))[0] == pytest.approx(np.exp(-740.0))


def test_normal_quantile(arithmetic: ctypes.CDLL) -> None:
    u = np.random.RandomState(1).uniform(0, 1, 100_000)
    u = np.concatenate([u, 2.0 ** -np.arange(2, 54.0), [0.075, 0.925, np.exp(-25), 1 - 2.0**-53]])
    found = applied(arithmetic, "normal_quantile", u)
    assert np.allclose(found, special.ndtri(u), rtol=4e-15, atol=1e-16)
    assert applied(arithmetic, "normal_quantile", np.array([0.5]))[0] == 0


def test_values_are_those_of_a_plain_processor(arithmetic: ctypes.CDLL) -> None:
    plain = np.empty(100_000)
    arithmetic.normals(ctypes.c_void_p(plain.ctypes.data), ctypes.c_int64(len(plain)))
    values = laws.draw("normal", {"mu": 0.0, "sigma": 1.0}, len(plain), 7, 1)
    assert np.array_equal(plain, values)


# Hashes of what was made when the rules were written: networks stay the same between versions.
KEPT = {
    "all": "687d049d51c8fec2",
    "post": "7f84fb8f22d0642d",
    "post replaced": "32d371f598532cce",
    "pre": "d415df3308e63f7c",
    "pre replaced": "48c13e0a374ef579",
    "probability": "566b6efc5616e5c4",
    "total": "5dc3ac70f961c9ea",
    "uniform": "6bf27f051a34e068",
    "normal": "88b13a621232b5de",
    "clipped": "ea63b6446db53317",
    "far clipped": "d408f1f313489e36",
    "exponential": "52ba46190f6e7b79",
    "lognormal": "5413a1145c789560",
}


@pytest.mark.parametrize("name", KEPT)
def test_the_same_on_each_machine_and_in_each_version(name: str) -> None:
    assert hash_of(name) == KEPT[name]


def hash_of(name: str) -> str:
    """Of a network, or of values."""
    if name in MADE:
        rows = MADE[name](300, 400, 120, 12345678901234567890, 2, np.arange(300))
        made = rows.row_start.astype("<i8").tobytes() + rows.target.astype("<u4").tobytes()
    else:
        distribution, parameters, _ = DISTRIBUTIONS[name]
        values = laws.draw(distribution, parameters, 3001, 12345678901234567890, 2)
        made = values.astype("<f8").tobytes()
    return hashlib.sha256(made).hexdigest()[:16]
