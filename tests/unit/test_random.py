"""Random numbers: Philox's published values, and bulk drawing that gives what single calls give."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyNN import errors
from pyNN.random import NumpyRNG, RandomDistribution

from pynn_sparse.engine import kernels
from pynn_sparse.engine.building.draws import uniform_pairs
from pynn_sparse.engine.building.stream_places import looking_ahead, way_back
from pynn_sparse.engine.toolchain.instruction_sets import supported
from pynn_sparse.network import TimeGrid, currents

# From the known-answer file of the authors' Random123 distribution: counter, key, result.
KNOWN = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.fixture(scope="module", params=supported())
def philox(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> ctypes.CDLL:
    folder = tmp_path_factory.mktemp("philox")
    (folder / "unit.cpp").write_text(
        '#include "core/philox.h"\n'
        "EXPORT void call(uint64 seed, uint32 purpose, uint32 index, int64 step, uint32* word) {\n"
        "  const Bits bits = philox(seed, Purpose(purpose), index, step);\n"
        "  for (int k = 0; k < 4; ++k) word[k] = bits.word[k];\n"
        "}\n"
        "EXPORT void in_lanes(uint64 seed, uint32 index, int64 step, int32 n, uint32* words) {\n"
        "  philox_in_lanes(seed, Purpose(1), index, step, n, words);\n"
        "}\n"
    )
    compiler = shutil.which("g++") or "c++"
    include = f"-I{kernels.source_folder()}"
    level = [] if request.param == "generic" else [f"-march={request.param}"]
    options = ["-std=c++17", "-shared", "-fPIC", *level, include]
    command = [compiler, *options, "unit.cpp", "-o", "unit.so"]
    subprocess.run(command, check=True, cwd=folder)
    return ctypes.CDLL(str(Path(folder) / "unit.so"))


@pytest.mark.parametrize(("counter", "key", "expected"), KNOWN)
def test_philox_known_answers(
    philox: ctypes.CDLL, counter: tuple[int, ...], key: tuple[int, ...], expected: tuple[int, ...]
) -> None:
    step = counter[0] | counter[1] << 32
    word = (ctypes.c_uint32 * 4)()
    philox.call(
        ctypes.c_uint64(key[0] | key[1] << 32),
        ctypes.c_uint32(counter[3]),
        ctypes.c_uint32(counter[2]),
        ctypes.c_int64(step - (1 << 64) if step >> 63 else step),
        word,
    )
    assert tuple(word) == expected


@pytest.mark.parametrize("index", [0, 3, 2**32 - 20])
def test_many_calls_are_those_of_single_ones(philox: ctypes.CDLL, index: int) -> None:
    n, seed, step = 64, 0x299F31D0A4093822, (5 << 32) + 7
    words = np.zeros((4, n), np.uint32)
    of = ctypes.c_uint64(seed), ctypes.c_uint32(index), ctypes.c_int64(step), n
    philox.in_lanes(*of, ctypes.c_void_p(words.ctypes.data))
    word = (ctypes.c_uint32 * 4)()
    for i in range(n):
        number = ctypes.c_uint32((index + i) % 2**32)
        philox.call(of[0], ctypes.c_uint32(1), number, of[2], word)
        assert tuple(word) == tuple(words[:, i])


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 300), st.integers(1, 300), st.integers(1, 300))
def test_pairs_are_those_of_single_calls(seed: int, n: int, n_source: int, n_target: int) -> None:
    single, bulk = np.random.RandomState(seed), np.random.RandomState(seed)
    expected = [
        (single.randint(0, n_source, 1)[0], single.randint(0, n_target, 1)[0]) for _ in range(n)
    ]
    source, target = uniform_pairs(bulk, n, n_source, n_target)
    assert list(zip(source.tolist(), target.tolist(), strict=True)) == expected
    assert single.random_sample() == bulk.random_sample()  # both go on from the same place


def test_pairs_across_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = uniform_pairs(np.random.RandomState(3), 1000, 37, 501)
    monkeypatch.setattr("pynn_sparse.engine.building.draws.WORDS_AT_ONCE", 11)
    parts = uniform_pairs(np.random.RandomState(3), 1000, 37, 501)
    assert np.array_equal(whole, parts)


@given(st.integers(0, 50), st.integers(1, 60), st.integers(1, 60))
def test_noise_does_not_depend_on_how_a_run_is_divided(first: int, n: int, m: int) -> None:
    noise = {"mean": 0.5, "stdev": 0.2, "start": 1.0, "stop": 9.0, "dt": 0.3, "key": (1, 2)}
    grid = TimeGrid(0.1)
    whole = currents.noisy(first, n + m, grid, **noise)
    parts = [currents.noisy(first, n, grid, **noise), currents.noisy(first + n, m, grid, **noise)]
    assert np.array_equal(whole, np.concatenate(parts))


def test_noise_is_normal_and_held() -> None:
    scipy_stats = pytest.importorskip("scipy.stats")
    noise = {"mean": 0.5, "stdev": 0.2, "start": 0.0, "stop": 1e12, "dt": 0.2, "key": (1, 2)}
    wave = currents.noisy(0, 40000, TimeGrid(0.1), **noise)
    assert np.array_equal(wave[::2], wave[1::2])
    assert scipy_stats.kstest(wave[::2], "norm", (0.5, 0.2)).pvalue > 0.01
    other = currents.noisy(0, 40000, TimeGrid(0.1), **noise | {"key": (1, 3)})
    assert abs(np.corrcoef(wave[::2], other[::2])[0, 1]) < 0.03


class TestPlacesInAStream:
    """A generator is brought back to where it was, with what it keeps outside of its stream."""

    @given(st.integers(0, 700), st.integers(0, 3), st.integers(0, 700), st.integers(0, 3))
    def test_way_back(self, words: int, normals: int, later: int, more: int) -> None:
        state = np.random.RandomState(3)
        state.randint(0, 2**32, words, np.uint64)  # a word each
        state.normal(size=normals)
        before = repr(state.get_state())
        go_back = way_back(state)
        assert repr(state.get_state()) == before
        for _ in range(2):
            state.uniform(size=later)
            state.normal(size=more)
            go_back()
            assert repr(state.get_state()) == before

    def test_looking_ahead(self) -> None:
        state = np.random.RandomState(3)
        before = repr(state.get_state())
        with looking_ahead(state):
            state.uniform(size=1000)
            assert repr(state.get_state()) != before
        assert repr(state.get_state()) == before

    @pytest.mark.parametrize("keep", [way_back, looking_ahead])
    def test_of_another_generator(self, keep: Any) -> None:
        state = np.random.RandomState(np.random.PCG64(3))
        before = repr(state.get_state(legacy=False))
        if keep is looking_ahead:
            with keep(state):
                state.uniform(size=10)
        else:
            go_back = keep(state)
            state.normal(size=3)
            go_back()
        assert repr(state.get_state(legacy=False)) == before


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize("numbers_before", [0, 1])
def test_a_refused_call_that_drew_normal_numbers_leaves_no_trace(numbers_before: int) -> None:
    """They are drawn in pairs: of an odd number, the generator keeps one for the next call."""
    cells = sim.Population(3, sim.IF_cond_exp())
    projection = sim.Projection(cells, cells, sim.OneToOneConnector(), sim.StaticSynapse())
    rng = NumpyRNG(seed=3)
    rng.rng.normal(size=numbers_before)
    law = RandomDistribution("normal", (-5.0, 1.0), rng=rng)
    before = repr(rng.rng.get_state())
    for call in (
        lambda: cells.initialize(gsyn_exc=law),
        lambda: sim.Population(3, sim.IF_cond_exp(), initial_values={"gsyn_exc": law}),
        lambda: projection.set(weight=law),
    ):
        with pytest.raises((errors.InvalidParameterValueError, errors.ConnectionError)):
            call()
        assert repr(rng.rng.get_state()) == before
