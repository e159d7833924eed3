"""The system's compiler makes libraries for the CPU, or it is said what stands in the way."""

from __future__ import annotations

import ctypes
import errno
import platform
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest

from pynn_sparse.engine import kernels
from pynn_sparse.engine.toolchain import cache, instruction_sets, libraries
from pynn_sparse.engine.toolchain.compiler import build_library, find_compiler
from pynn_sparse.errors import DeviceError, EngineError
from pynn_sparse.network.cells.definition import Definition
from pynn_sparse.network.cells.user import user_model

EXPORT = 'extern "C" __attribute__((visibility("default")))'
PLAIN = EXPORT + " int seven() { return 7; }\n"


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "pynn-sparse"


class TestCommand:
    def test_it_may_have_arguments(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("CXX", "env 'A=two words' g++")
        assert find_compiler() == ["env", "A=two words", "g++"]
        build_library(tmp_path / "a.so", [PLAIN], "generic", "-O0")
        assert ctypes.CDLL(str(tmp_path / "a.so")).seven() == 7

    @pytest.mark.parametrize("value", ["", "  "])
    def test_an_empty_one_counts_as_not_set(
        self, monkeypatch: pytest.MonkeyPatch, value: str
    ) -> None:
        monkeypatch.delenv("CXX", raising=False)
        expected = find_compiler()
        monkeypatch.setenv("CXX", value)
        assert find_compiler() == expected

    @pytest.mark.parametrize(
        ("value", "message"),
        [
            ("nowhere/g++ -g", r"CXX = 'nowhere/g\+\+ -g': there is no program 'nowhere/g\+\+'"),
            ("no-such-compiler", "CXX = 'no-such-compiler': there is no program"),
            ("g++ 'open", r"CXX = \"g\+\+ 'open\": is not a command"),
        ],
    )
    def test_what_cannot_be_run(
        self, monkeypatch: pytest.MonkeyPatch, value: str, message: str
    ) -> None:
        monkeypatch.setenv("CXX", value)
        with pytest.raises(DeviceError, match=message):
            find_compiler()

    def test_there_is_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("CXX", raising=False)
        monkeypatch.setenv("PATH", "/nowhere")
        with pytest.raises(DeviceError, match=r"no C\+\+ compiler was found.*g\+\+"):
            find_compiler()


def test_several_texts_make_one_library(tmp_path: Path) -> None:
    texts = [PLAIN.replace("seven", f"f{i}").replace("7", str(i)) for i in range(5)]
    build_library(tmp_path / "a.so", texts, "generic", "-O0")
    library = ctypes.CDLL(str(tmp_path / "a.so"))
    assert [getattr(library, f"f{i}")() for i in range(5)] == [0, 1, 2, 3, 4]
    assert [each.name for each in tmp_path.iterdir()] == ["a.so"]


def test_an_error_shows_the_command_and_what_the_compiler_said(tmp_path: Path) -> None:
    with pytest.raises(DeviceError) as caught:
        build_library(tmp_path / "a.so", ["int x;\n#error not today\n"], "generic")
    command, result, first, *_ = str(caught.value).splitlines()
    assert "-std=c++17" in command
    assert "could not compile" in result
    assert "not today" in first
    assert not list(tmp_path.iterdir())


class TestKept:
    def test_a_word_is_said_before_all_kernels_are_compiled(
        self, monkeypatch: pytest.MonkeyPatch, base: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(libraries, "build_library", lambda path, *_: path.write_bytes(b"x"))
        for _ in range(2):
            libraries._kept("all", [PLAIN, PLAIN])
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("pynn-sparse: compiling the kernels for this CPU")
        assert line.endswith(f"kept in {base}")

    def test_a_full_disk(self, monkeypatch: pytest.MonkeyPatch, base: Path) -> None:
        def full(*_: Any) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(libraries, "build_library", full)
        with pytest.raises(DeviceError, match=rf"kept in {base}: .*No space.*Set XDG_CACHE_HOME"):
            libraries._kept("one", [PLAIN])

    @pytest.mark.parametrize("damage", [lambda x: x[:3000], lambda x: b"", lambda x: b"text"])
    def test_a_damaged_library_of_a_model_is_compiled_anew(self, base: Path, damage: Any) -> None:
        model = user_model(Definition("Damaged", ("tau",), {"v": 0.0}, equations={"v": "-v / tau"}))
        libraries._model_library.cache_clear()
        assert libraries.cpu_step(model, "double").value
        (path,) = base.glob("*.so")
        whole = path.read_bytes()
        path.unlink()  # not to write into what is loaded
        path.write_bytes(damage(whole))
        path.chmod(0o700)
        libraries._model_library.cache_clear()
        assert libraries.cpu_step(model, "double").value
        assert cache._is_intact(path)


def test_an_installed_library_that_cannot_be_loaded_is_passed_over(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "damaged.so").write_bytes(b"not a library")
    good = libraries.cpu_library()
    installed = [tmp_path / "damaged.so", Path(good._name)]
    monkeypatch.setattr(libraries, "_installed_libraries", lambda: installed)
    libraries.cpu_library.cache_clear()
    assert libraries.cpu_library()._name == good._name


FLAGS = {
    "generic": "fpu sse2",
    "x86-64-v2": "fpu ssse3 sse4_2 popcnt",
    "x86-64-v3": "fpu ssse3 sse4_2 popcnt avx2 bmi1 bmi2 f16c fma movbe avx512f",
    "x86-64-v4": "ssse3 sse4_2 popcnt avx2 bmi1 bmi2 f16c fma movbe "
    "avx512f avx512bw avx512cd avx512dq avx512vl",
}
LEVELS = list(FLAGS)


@pytest.mark.parametrize("level", LEVELS)
def test_a_processor_runs_its_own_level_and_those_below(
    level: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cpuinfo").write_text(f"processor\t: 0\nflags\t\t: {FLAGS[level]}\n")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    expected = LEVELS[LEVELS.index(level) :: -1]
    assert instruction_sets.supported(tmp_path / "cpuinfo") == expected


@pytest.mark.parametrize("level", LEVELS)
def test_a_library_made_on_a_better_machine_is_not_loaded(
    level: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would end the process with an illegal instruction."""
    (tmp_path / "lib").mkdir()
    for each in LEVELS:
        (tmp_path / "lib" / f"libpynn_sparse_{each}.so").write_bytes(b"")
    monkeypatch.setattr(libraries, "_package_paths", lambda: [tmp_path])
    supported = LEVELS[LEVELS.index(level) :: -1]
    monkeypatch.setattr(instruction_sets, "supported", lambda: supported)
    names = [path.stem.removeprefix("libpynn_sparse_") for path in libraries._installed_libraries()]
    assert names == supported


@pytest.fixture
def configure(tmp_path: Path) -> Callable[..., tuple[int, str, list[str]]]:
    """Configures a build; returns CMake's status, what it said, and the libraries to be made."""
    if not shutil.which("cmake"):
        pytest.skip("there is no cmake; pip has one of its own when it builds the package")

    def configure(*options: str) -> tuple[int, str, list[str]]:
        command = ["cmake", "-S", kernels.source_folder(), "-B", tmp_path, *options]
        done = subprocess.run(command, capture_output=True, text=True)
        install = tmp_path / "cmake_install.cmake"
        found = (
            re.findall(r"libpynn_sparse_([\w-]+)\.so\"\)\n", install.read_text())
            if install.exists()
            else []
        )
        return done.returncode, done.stderr, sorted(set(found))

    return configure


@pytest.mark.skipif(platform.machine() != "x86_64", reason="levels are those of x86-64")
@pytest.mark.parametrize(
    ("option", "levels"),
    [
        ([], [instruction_sets.supported()[0]]),
        (["-DPYNN_SPARSE_LEVELS=all"], ["x86-64-v2", "x86-64-v3", "x86-64-v4"]),
        (["-DPYNN_SPARSE_LEVELS=generic;x86-64-v3"], ["generic", "x86-64-v3"]),
    ],
    ids=["for this machine", "for distribution", "listed"],
)
def test_levels_of_a_build(option: list[str], levels: list[str], configure: Any) -> None:
    assert configure(*option)[::2] == (0, levels)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="levels are those of x86-64")
def test_a_level_that_does_not_exist(configure: Any) -> None:
    status, error, _ = configure("-DPYNN_SPARSE_LEVELS=x86-64-v5")
    assert status != 0
    assert "PYNN_SPARSE_LEVELS = x86-64-v5" in error
    assert "x86-64-v4" in error


def test_a_library_of_the_cache_has_all_that_an_installed_one_has() -> None:
    """CMake takes all files of two folders."""
    folder = kernels.source_folder()
    files = [path for each in ("build", "step") for path in (folder / each).glob("*.cpp")]
    assert {f"{path.parent.name}/{path.stem}" for path in files} == set(kernels.HOST_UNITS)


Leaky = sim.native_cell_type(
    "Leaky", parameters={"to": 1.0}, state={"v": 0.0}, equations="dv/dt = (to - v) / 2 + current"
)
VARIED, DRIVEN = {"to": [1.0, 2.0, 3.0]}, 0.5  # what populations differ in, and nA


def voltages(*kinds: tuple[dict[str, Any], float]) -> list[list[float]]:
    """Of populations of some kinds in one network, after a ms."""
    sim.setup(timestep=0.1)
    populations = [sim.Population(3, Leaky(**parameters)) for parameters, _ in kinds]
    for population, (_, amplitude) in zip(populations, kinds, strict=True):
        population.record("v")
        if amplitude:
            sim.DCSource(amplitude=amplitude).inject_into(population)
    sim.run(1.0)
    last = [each.get_data().segments[0].analogsignals[0].magnitude[-1] for each in populations]
    return [each.tolist() for each in last]


def test_a_model_is_compiled_for_the_kinds_of_populations_that_there_are(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And once more for others that come later; the numbers are the same."""
    libraries.cpu_library()  # that of the package, before the cache is empty
    base = request.getfixturevalue("base")
    libraries._model_library.cache_clear()
    plain, both = ({}, 0.0), (VARIED, DRIVEN)
    every = voltages(plain, ({}, DRIVEN), (VARIED, 0.0), both)
    assert every[2] == pytest.approx([to * (1 - np.exp(-0.5)) for to in VARIED["to"]], rel=1e-9)
    (together,) = base.glob("*.so")
    assert voltages(plain) == every[:1]
    assert voltages(plain) == every[:1]
    assert voltages(both) == every[3:]
    alone = set(base.glob("*.so")) - {together}
    assert len(alone) == 2
    assert max(path.stat().st_size for path in alone) < together.stat().st_size
    library = libraries._model_library(kernels.step_code(Leaky.model, "double", 0b1000))
    monkeypatch.setattr(libraries, "_model_library", lambda code: library)
    with pytest.raises(
        EngineError, match=r"Leaky_.*: the kernel is not for blocks of the kinds 0001"
    ):
        libraries.cpu_step(Leaky.model, "double", 0b0001)
