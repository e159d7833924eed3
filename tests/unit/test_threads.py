"""How many threads do the work, and that it does not matter how many."""

from __future__ import annotations

import ctypes
import math
from pathlib import Path
from unittest import mock

import numpy as np
import pyNN.sparse as sim
import pytest
from pyNN.random import NumpyRNG

from pynn_sparse import engine, processors
from pynn_sparse.engine import describe_devices, kernels, sharing
from pynn_sparse.engine.devices import choice
from pynn_sparse.engine.devices.choice import make_device
from pynn_sparse.engine.devices.cpu import CpuDevice
from pynn_sparse.engine.toolchain import compiler, libraries
from pynn_sparse.engine.toolchain.libraries import cpu_library


def group(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("_max", ".max").replace("cfs", "cpu.cfs")).write_text(text + "\n")


def quota(tmp_path: Path, membership: str) -> float:
    (tmp_path / "membership").write_text(membership)
    return processors.quota.__wrapped__(tmp_path / "cgroup", tmp_path / "membership")


@pytest.fixture(autouse=True)
def _real_quota(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processors, "quota", REAL_QUOTA)


REAL_QUOTA = processors.quota


class TestQuota:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [("150000 100000", 1.5), ("50000 100000", 0.5), ("max 100000", math.inf)],
    )
    def test_version_2(self, tmp_path: Path, text: str, expected: float) -> None:
        group(tmp_path / "cgroup" / "a", cpu_max=text)
        assert quota(tmp_path, "0::/a\n") == expected

    def test_the_least_of_all_parents_counts(self, tmp_path: Path) -> None:
        group(tmp_path / "cgroup" / "a", cpu_max="100000 100000")
        group(tmp_path / "cgroup" / "a" / "b", cpu_max="400000 100000")
        group(tmp_path / "cgroup" / "a" / "b" / "c", cpu_max="max 100000")
        assert quota(tmp_path, "0::/a/b/c\n") == 1.0

    def test_a_container_that_sees_its_own_group_as_the_root(self, tmp_path: Path) -> None:
        group(tmp_path / "cgroup", cpu_max="200000 100000")
        assert quota(tmp_path, "0::/not/to/be/seen\n") == 2.0

    @pytest.mark.parametrize(("time", "expected"), [("250000", 2.5), ("-1", math.inf)])
    def test_version_1(self, tmp_path: Path, time: str, expected: float) -> None:
        folder = tmp_path / "cgroup" / "cpu,cpuacct" / "docker" / "x"
        group(folder, cfs_quota_us=time, cfs_period_us="100000")
        assert quota(tmp_path, "4:cpu,cpuacct:/docker/x\n3:memory:/m\n") == expected

    def test_none(self, tmp_path: Path) -> None:
        assert quota(tmp_path, "") == math.inf

    @pytest.mark.parametrize(("limit", "expected"), [(0.5, 1), (1.5, 2), (99.0, 3)])
    def test_processors_are_no_more_than_affinity_and_quota(
        self, monkeypatch: pytest.MonkeyPatch, limit: float, expected: int
    ) -> None:
        monkeypatch.setattr(processors, "_affinity", lambda: 3)
        monkeypatch.setattr(processors, "quota", lambda: limit)
        assert processors.processors() == expected


def test_more_threads_than_processors_are_refused_with_a_warning() -> None:
    with pytest.warns(UserWarning, match="threads = 64: this process may use 8 processors"):
        sim.setup(threads=64)
    assert sim.simulator.state.threads == 8
    assert make_device("cpu", sim.simulator.state.options.threads, 10, "double").n_owner == 8


@pytest.mark.parametrize(
    ("neurons", "synapses", "owners"), [(100, 0, 1), (4_999, 0, 1), (5_000, 0, 2), (10, 10**6, 4)]
)
def test_little_is_not_divided_among_owners(
    monkeypatch: pytest.MonkeyPatch, neurons: int, synapses: int, owners: int
) -> None:
    monkeypatch.setattr(choice, "WORK_OF_OWNER", 2_500)
    assert make_device("cpu", 8, neurons, "double", synapses).n_owner == owners


def test_an_engine_has_no_more_threads_than_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processors, "_affinity", lambda: 2)
    device = CpuDevice(5)
    assert (device.n_owner, device._threads.value) == (5, 2)


def test_without_openmp_there_is_one_thread_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cpu_library(), "has_threads", lambda: 0)
    with pytest.warns(RuntimeWarning, match=r"threads = 3: .*compiled without OpenMP"):
        assert make_device("cpu", 3, 100_000, "double").n_owner == 1
    assert make_device("cpu", None, 100_000, "double").n_owner == 1
    assert CpuDevice(3)._threads.value == 1
    (found,) = (device for device in describe_devices() if device.name == "cpu")
    assert "one thread (compiled without OpenMP)" in found.detail


@pytest.mark.slow
def test_a_library_without_openmp_gives_the_same_spikes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Built as on a machine whose compiler has no OpenMP; quickly, without optimisation."""
    expected = spikes(2, 300, 2)
    monkeypatch.setattr(compiler, "THREAD_FLAGS", ["-Wno-unknown-pragmas"])
    used = ("IF_curr_exp.h", "SpikeSourcePoisson.h")
    texts = [
        text
        for text in kernels.host_texts()
        if "cells/" not in text or any(name in text for name in used)
    ]
    path = tmp_path / "libpynn_sparse_one_thread.so"
    compiler.build_library(path, texts, "generic", "-O0")
    monkeypatch.setattr(libraries, "_installed_libraries", lambda: [path])
    cpu_library.cache_clear()
    try:
        assert not cpu_library().has_threads()
        assert spikes(1, 300, 1) == expected
        # Two owners of neurons, whose work one thread does.
        monkeypatch.setattr(engine, "make_device", lambda *arguments: CpuDevice(2))
        assert spikes(2, 300, 1) == expected
    finally:
        cpu_library.cache_clear()


@pytest.mark.parametrize("n", [100, sharing.LEAST_SHARE * 2 - 1])
def test_little_work_starts_no_threads(n: int) -> None:
    with mock.patch.object(sharing, "ThreadPoolExecutor", side_effect=AssertionError):
        assert sharing.each_of(lambda x: x + 1, [1, 2], n, threads=8) == [2, 3]


def test_much_work_is_shared() -> None:
    with mock.patch.object(sharing, "ThreadPoolExecutor", wraps=sharing.ThreadPoolExecutor) as pool:
        assert sharing.each_of(lambda x: x + 1, [1, 2], 3 * sharing.LEAST_SHARE, threads=8) == [
            2,
            3,
        ]
    pool.assert_called_once_with(3)


def spikes(threads: int, steps_at_once: int, workers: int) -> list[list[float]]:
    sim.setup(timestep=0.1, threads=threads)
    noise = sim.Population(20, sim.SpikeSourcePoisson(rate=500.0))
    cells = sim.Population(31, sim.IF_curr_exp())
    cells.record("spikes")
    connector = sim.FixedProbabilityConnector(0.5, rng=NumpyRNG(seed=1))
    sim.Projection(noise, cells, connector, sim.StaticSynapse(weight=0.5, delay=0.3))
    device = sim.simulator.state.require_engine().device
    device._threads = ctypes.c_int32(workers)
    for _ in range(300 // steps_at_once):
        sim.run(0.1 * steps_at_once)
    assert device._ways[:2].any() == (min(workers, threads) > 1)
    return [each.tolist() for each in cells.get_data().segments[0].spiketrains]


def test_who_does_the_work_of_owners_changes_no_spike() -> None:
    expected = spikes(1, 300, 1)
    assert sum(map(len, expected)) > 50
    for threads, steps, workers in ((4, 300, 1), (4, 300, 4), (4, 1, 4), (3, 6, 2), (4, 10, 3)):
        assert spikes(threads, steps, workers) == expected


def test_both_ways_are_tried_and_known() -> None:
    sim.setup(timestep=0.1, threads=2)
    sim.Population(50, sim.IF_curr_exp())
    sim.run(2000.0)
    pace = sim.simulator.state.engine.device._ways
    assert (pace[:2] > 0).all()
    assert np.isfinite(pace).all()
