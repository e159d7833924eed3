"""Networks built by CUDA kernels, thread by thread on the CPU: the bits of the CPU's library."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.connections import MADE, networks, same
from support.emulated import DeviceArray, EmulatedRuntime

from pynn_sparse.engine import describe_devices
from pynn_sparse.engine.building import connect, laws
from pynn_sparse.engine.building.connect import Rows
from pynn_sparse.engine.devices import gpu_builder
from pynn_sparse.engine.devices.gpu_builder import GpuBuilder
from pynn_sparse.engine.devices.runtime import CupyRuntime
from pynn_sparse.errors import ParameterError

# Threads in both orders; or hardly any memory, so that rows are drawn one after the other.
RUNTIMES = {
    "forwards": lambda: EmulatedRuntime(),
    "backwards": lambda: EmulatedRuntime(backwards=True),
    "little memory": lambda: EmulatedRuntime(backwards=True, memory=20_000),
}


@pytest.fixture(params=[*RUNTIMES, "cuda"], scope="module")
def builder(request: pytest.FixtureRequest) -> GpuBuilder:
    """A GPU, or one that is executed by the CPU."""
    if request.param in RUNTIMES:
        return GpuBuilder(RUNTIMES[request.param]())
    found = describe_devices()[0]
    if not found.usable:
        pytest.skip(found.detail)
    return GpuBuilder(CupyRuntime())


def alike(make: Callable[[Any], Rows], builder: GpuBuilder) -> bool:
    """Whether two threads of the CPU and a GPU make the same rows."""
    expected, found = make(2), make(builder)
    return same(expected, Rows(found.row_start, builder.get(found.target)))


# --- connectivity -----------------------------------------------------------------------------


@settings(deadline=None, max_examples=25)
@pytest.mark.parametrize("rule", MADE)
@given(network=networks(), seed=st.integers(0, 2**64 - 1))
def test_rows(rule: str, network: tuple[Any, ...], seed: int, builder: GpuBuilder) -> None:
    m, k, n, skip = network
    assert alike(lambda by: MADE[rule](m, k, n, seed, by, skip), builder)


@settings(deadline=None, max_examples=15)
@pytest.mark.parametrize("rule", MADE)
@given(
    network=networks(), seed=st.integers(0, 2**64 - 1), cuts=st.tuples(*[st.integers(0, 250)] * 2)
)
def test_part_of_the_targets(
    rule: str, network: tuple[Any, ...], seed: int, cuts: tuple[int, int], builder: GpuBuilder
) -> None:
    m, k, n, skip = network
    first, end = sorted(cuts)
    assert alike(lambda by: MADE[rule](m, k, n, seed, by, skip, (first, end)), builder)


@pytest.mark.parametrize("rule", MADE)
def test_rows_of_several_blocks_of_threads(rule: str, builder: GpuBuilder) -> None:
    skip = np.arange(700)[::-1].copy()
    assert alike(lambda by: MADE[rule](700, 900, 90, 5, by, skip), builder)


# n_source, n_target, n: sets of bits, of values, those not chosen; sorted by two and three digits.
SUBSETS = {
    "hashed": (20, 200_000, 40),
    "bits": (20, 20_000, 40),
    "others": (5, 20_000, 18_000),
    "most cells": (3, 1 << 32, 300),
}


@pytest.mark.parametrize("replaced", [False, True])
@pytest.mark.parametrize("name", SUBSETS)
def test_subsets(name: str, replaced: bool, builder: GpuBuilder) -> None:
    m, k, n = SUBSETS[name]
    assert alike(
        lambda by: connect.fixed_number_post(m, k, n, 3, by, with_replacement=replaced), builder
    )


@pytest.mark.parametrize("k", [65536, 65537])
def test_types_of_targets(k: int, builder: GpuBuilder) -> None:
    rules = (
        lambda by: connect.fixed_probability(7, k, 0.01, 1, by),
        lambda by: connect.fixed_number_pre(3, k, 1, 1, by),
        lambda by: connect.fixed_total_number(3, k, 500, 1, by),
        lambda by: connect.all_to_all(2, k, by),
        lambda by: connect.one_to_one(50, k, by),
    )
    for rule in rules:
        assert alike(rule, builder)


def test_nothing_to_connect(builder: GpuBuilder) -> None:
    rules = (
        lambda by: connect.fixed_probability(0, 5, 0.5, 1, by),
        lambda by: connect.fixed_probability(5, 0, 0.5, 1, by),
        lambda by: connect.fixed_probability(5, 5, 0.0, 1, by),
        lambda by: connect.fixed_probability(5, 5, 1.0, 1, by),
        lambda by: connect.fixed_number_post(0, 5, 3, 1, by),
        lambda by: connect.fixed_number_post(5, 5, 0, 1, by),
        lambda by: connect.fixed_number_pre(5, 0, 3, 1, by),
        lambda by: connect.fixed_total_number(5, 0, 0, 1, by),
        lambda by: connect.all_to_all(5, 0, by),
        lambda by: connect.one_to_one(4, 0, by),
    )
    for rule in rules:
        assert alike(rule, builder)


def test_rows_that_differ_in_length(builder: GpuBuilder) -> None:
    """Some by sets of bits, some by sets of values, in the same memory."""
    skip = np.full(60, -1)
    skip[::7] = np.arange(len(skip[::7]))
    length = np.random.RandomState(1).choice([0, 1, 2, 3, 40, 1000, 1999], 60)
    assert alike(
        lambda by: connect._by_number(2000, length, skip, 9, connect.builder_of(by)), builder
    )


# --- values -----------------------------------------------------------------------------------

LAWS: dict[str, tuple[str, dict[str, float]]] = {
    "uniform": ("uniform", {"low": -3.0, "high": 2.0}),
    "uniform_int": ("uniform_int", {"low": -7, "high": 1 << 31}),
    "normal": ("normal", {"mu": 1.5, "sigma": 0.75}),
    "clipped": ("normal_clipped", {"mu": 1.5, "sigma": 0.75, "low": 0.1, "high": np.inf}),
    "far clipped": ("normal_clipped", {"mu": 0.0, "sigma": 1.0, "low": 2.0, "high": 2.5}),
    "to boundary": ("normal_clipped_to_boundary", {"mu": 0, "sigma": 1, "low": -1, "high": 0.5}),
    "exponential": ("exponential", {"beta": 0.3}),
    "lognormal": ("lognormal", {"mu": 0.2, "sigma": 0.8}),
}


def test_all_laws_take_part() -> None:
    assert {distribution for distribution, _ in LAWS.values()} == set(laws.KINDS)


@settings(deadline=None, max_examples=15)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", LAWS)
@given(n=st.integers(0, 3000), seed=st.integers(0, 2**64 - 1))
def test_values(name: str, dtype: Any, n: int, seed: int, builder: GpuBuilder) -> None:
    expected, found = (laws.draw(*LAWS[name], n, seed, by, dtype) for by in (2, builder))
    found = builder.get(found)
    assert expected.dtype == found.dtype == dtype
    assert np.array_equal(expected, found)
    rows = connect.fixed_total_number(5, 400, n, 1, 1)
    expected = laws.draw_weights(*LAWS[name], rows, seed, 2, dtype)
    there = Rows(rows.row_start, builder.put(rows.target))
    found = builder.get(laws.draw_weights(*LAWS[name], there, seed, builder, dtype))
    assert expected.dtype == found.dtype == dtype
    assert np.array_equal(expected, found)


@settings(deadline=None, max_examples=25)
@given(n=st.integers(0, 3000), seed=st.integers(0, 2**64 - 1), high=st.sampled_from([255, 256]))
def test_steps(n: int, seed: int, high: int, builder: GpuBuilder) -> None:
    law = "normal_clipped", {"mu": 5.0, "sigma": 20.0, "low": 0.1, "high": high / 10}
    expected, found = (
        laws.draw_steps(*law, connect.fixed_total_number(9, 99, n, 1, by), seed, by, 10.0, 1, high)
        for by in (2, builder)
    )
    found = builder.get(found)
    assert expected.dtype == found.dtype
    assert np.array_equal(expected, found)


@pytest.mark.parametrize(("low", "high"), [(0.04, 1.0), (0.1, 2.0)])
def test_first_delay_outside_is_named(low: float, high: float, builder: GpuBuilder) -> None:
    messages = []
    for by in (1, builder):
        rows = connect.fixed_total_number(9, 70_000, 5001, 1, by)
        with pytest.raises(ParameterError) as error:
            laws.draw_steps("uniform", {"low": low, "high": high}, rows, 8, by, 10.0, 1, 10)
        messages.append(str(error.value))
    assert messages[0] == messages[1]


def test_memory_bounds_how_many_rows_are_drawn_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it is, nothing is written outside the memory for rows."""
    sizes: list[int] = []

    class Guarded(EmulatedRuntime):
        def zeros(self, shape: Any, dtype: Any) -> DeviceArray:
            if dtype is np.uint8:
                sizes.append(shape)
            return super().zeros(shape, dtype)

    for most in (1, 5000, 1 << 30):
        monkeypatch.setattr(gpu_builder, "MOST_ROOM", most)
        assert alike(
            lambda by: connect.fixed_number_post(100, 5000, 30, 3, by), GpuBuilder(Guarded())
        )
    row = -(-5000 // 64) * 8
    each = [row, 5000 // row * row, 100 * row]
    assert sizes == [size for size in each for _ in ("lengths", "targets")]
