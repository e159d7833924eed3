"""Connections drawn in the engine: exact properties, statistics, wrong input."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.connections import MADE, matrix, networks, onto_part, pairs, same

from pynn_sparse.engine.building import connect
from pynn_sparse.engine.building.connect import Rows
from pynn_sparse.errors import ParameterError

stats = pytest.importorskip("scipy.stats")


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


@pytest.mark.parametrize("rule", MADE)
@settings(deadline=None, max_examples=30)
@given(
    network=networks(), seed=st.integers(0, 2**64 - 1), cuts=st.tuples(*[st.integers(0, 250)] * 2)
)
def test_part_of_the_targets(
    rule: str, network: tuple[Any, ...], seed: int, cuts: tuple[int, int]
) -> None:
    """Whoever wants connections onto some targets draws those of the whole network."""
    m, k, n, skip = network
    first, end = sorted(cuts)
    whole = MADE[rule](m, k, n, seed, 1, skip)
    assert same(MADE[rule](m, k, n, seed, 2, skip, (first, end)), onto_part(whole, first, end))


# n_source, n_target, n: chunks of bits, of values, of most targets.
LARGE = {"bits": (40, 20_000, 900), "values": (40, 500_000, 300), "most": (3, 20_000, 18_000)}


@pytest.mark.parametrize("rule", MADE)
@pytest.mark.parametrize("size", LARGE)
def test_part_of_many_targets(rule: str, size: str) -> None:
    m, k, n = LARGE[size]
    if "pre" in rule or rule == "all":
        m, k = k, m if "pre" in rule else 3 * m
    skip = np.arange(m) + (k - m) // 2
    skip[(skip < 0) | (skip >= k)] = -1
    whole = MADE[rule](m, k, n, 5, 2, skip)
    for first, end in ((0, k // 3), (k // 3, k - 1), (k - 1, k), (k // 2, k // 2)):
        assert same(MADE[rule](m, k, n, 5, 2, skip, (first, end)), onto_part(whole, first, end))


def test_part_of_pairs_and_of_equal_numbers() -> None:
    source, target = (np.random.RandomState(seed).randint(0, 90, 400) for seed in (1, 2))
    rules: list[Callable[..., Rows]] = [
        lambda **onto: connect.from_pairs(90, 90, source, target, **onto),
        lambda **onto: connect.one_to_one(90, 70, **onto),
        lambda **onto: connect.one_to_one(50, 90, **onto),
    ]
    for make in rules:
        for first, end in ((0, 40), (40, 80), (80, 90)):
            assert same(make(onto=(first, end)), onto_part(make(), first, end))


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
    assert len(counts) == math.comb(n, k)
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


@pytest.mark.parametrize(
    ("n", "k"), [(2000, 300), (3000, 2900), (1 << 32, 500)], ids=["few", "most", "most cells"]
)
@pytest.mark.parametrize("replaced", [False, True])
def test_targets_are_divided_as_if_drawn_one_by_one(n: int, k: int, replaced: bool) -> None:
    """Among the first of the targets and the others, at the border of chunks and elsewhere."""
    rows = 4000
    _, target = pairs(connect.fixed_number_post(rows, n, k, 3, 2, with_replacement=replaced))
    for border in (n // 2, 1024, n - 77):
        if not n < border * k < (k - 1) * n:
            continue
        counts = np.bincount((target.reshape(rows, k) < border).sum(1), minlength=k + 1)
        law = stats.binom(k, border / n) if replaced else stats.hypergeom(n, border, k)
        if n == 1 << 32:  # which is the same, as scipy can tell
            law = stats.binom(k, border / n)
        expected = rows * law.pmf(np.arange(k + 1))
        common = expected > 5
        seen = np.append(counts[common], counts[~common].sum())
        wanted = np.append(expected[common], expected[~common].sum())
        if wanted[-1] < 1:
            seen, wanted = seen[:-1], wanted[:-1]
        assert stats.chisquare(seen, wanted * seen.sum() / wanted.sum()).pvalue > LEAST_P_VALUE


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


# Hashes of what was made when the rules were written: networks stay the same between versions.
KEPT = {
    "all": "687d049d51c8fec2",
    "post": "6e3493e9c62a6c69",
    "post replaced": "9351fed00550abc9",
    "pre": "8ad8c959a1472ced",
    "pre replaced": "3fcbe9bee7f0685c",
    "probability": "72dcb923e34d6e32",
    "total": "5dc3ac70f961c9ea",
}


@pytest.mark.parametrize("rule", KEPT)
def test_the_same_on_each_machine_and_in_each_version(rule: str) -> None:
    rows = MADE[rule](300, 400, 120, 12345678901234567890, 2, np.arange(300))
    made = rows.row_start.astype("<i8").tobytes() + rows.target.astype("<u4").tobytes()
    assert hashlib.sha256(made).hexdigest()[:16] == KEPT[rule]
