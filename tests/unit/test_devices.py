"""Which device is taken, and what is said of a GPU that cannot be used."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pynn_sparse.engine import chosen, describe_devices, require_cuda
from pynn_sparse.engine.devices import found, runtime
from pynn_sparse.errors import DeviceError


class CUDARuntimeError(RuntimeError):
    """As CuPy's."""


class FakeModule:
    """As CuPy's `RawModule`, which compiles when a function is asked for."""

    error: Exception | None = None

    def __init__(self, code: str, options: tuple[str, ...]) -> None:
        assert any(option.startswith("-I") for option in options)

    def get_function(self, name: str) -> None:
        if self.error:
            raise self.error


def fake_cupy(count: int, capability: tuple[int, int] = (9, 0), error: Any = None) -> Any:
    """A module that says what CuPy says on a machine with so many GPUs."""

    def get_count() -> int:
        if count < 0:
            raise CUDARuntimeError("cudaErrorInsufficientDriver: CUDA driver version is too old")
        return count

    facts = {"name": b"Card", "totalGlobalMem": 80 << 30}
    major, minor = capability
    runtime = SimpleNamespace(
        CUDARuntimeError=CUDARuntimeError,
        getDeviceCount=get_count,
        getDevice=lambda: 0,
        getDeviceProperties=lambda number: {**facts, "major": major, "minor": minor},
    )
    module = type("RawModule", (FakeModule,), {"error": error})
    cuda = SimpleNamespace(runtime=runtime)
    return SimpleNamespace(cuda=cuda, RawModule=module, __version__="14.0")


@pytest.mark.parametrize(("place", "taken"), [(None, []), (0, [0]), (1, [1]), (5, [1])])
def test_processes_take_the_gpus_of_their_machine_in_turn(
    place: int | None, taken: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    cupy, used = fake_cupy(2), []

    class Device:
        def __init__(self, number: int = 0) -> None:
            self.number, self.attributes = number, {"L2CacheSize": 1}

        def use(self) -> None:
            used.append(self.number)

    cupy.cuda.Device, cupy.cuda.Stream = Device, lambda non_blocking: None
    monkeypatch.setattr(runtime, "import_cupy", lambda: cupy)
    runtime.CupyRuntime(place)
    assert used == taken


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Puts a module in the place of CuPy."""

    def install(cupy: Any) -> None:
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: SimpleNamespace())
        monkeypatch.setitem(sys.modules, "cupy", cupy)
        found.warn_once.cache_clear()

    monkeypatch.setenv("CUPY_CACHE_DIR", "/tmp")
    return install


def test_a_gpu_is_taken(install: Any) -> None:
    install(fake_cupy(1))
    assert chosen("auto") == "cuda"
    found = describe_devices()[0]
    assert (found.usable, found.detail) == (True, "Card, compute capability 9.0, 80 GiB")


@pytest.mark.parametrize(("count", "reason"), [(0, "finds no GPU"), (-1, "Insufficient")])
def test_without_a_gpu_the_cpu_is_taken_without_a_word(
    install: Any, count: int, reason: str
) -> None:
    install(fake_cupy(count))
    assert chosen("auto") == "cpu"
    with pytest.raises(DeviceError, match=f'device="cuda" cannot be used: .*{reason}'):
        require_cuda()


UNUSABLE = {
    "a card of the past": (fake_cupy(1, (6, 1)), "capability 6.1: must be 7.0 or later"),
    "a card that NVRTC does not know": (
        fake_cupy(1, (12, 0), RuntimeError("CUDA_ERROR_NO_BINARY_FOR_GPU: no kernel image\nx")),
        r"capability 12.0: CuPy 14.0 cannot compile kernels for it \(CUDA_ERROR_NO_BINARY_FOR_GPU"
        r".*image\)\..*extra 'cuda12' or 'cuda13'.*NVRTC",
    ),
    "no NVRTC": (
        fake_cupy(1, (9, 0), RuntimeError("CuPy failed to load libnvrtc.so.12")),
        r"cannot compile kernels for it \(CuPy failed to load libnvrtc.so.12\)",
    ),
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_why_a_gpu_cannot_be_used(install: Any, case: str) -> None:
    cupy, reason = UNUSABLE[case]
    install(cupy)
    with pytest.warns(RuntimeWarning, match=f"the CPU is used, and not the GPU: Card.*{reason}"):
        assert chosen("auto") == "cpu"
    with pytest.raises(DeviceError, match=reason):
        require_cuda()


@pytest.mark.parametrize("content", [None, "x = 1\n"])
def test_something_else_called_cupy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None
) -> None:
    """A folder beside the script, with or without Python files."""
    (tmp_path / "cupy").mkdir()
    if content:
        (tmp_path / "cupy" / "__init__.py").write_text(content)
    monkeypatch.syspath_prepend(tmp_path)
    for name in [each for each in sys.modules if each.split(".")[0] == "cupy"]:
        monkeypatch.delitem(sys.modules, name)
    if content is None and importlib.util.find_spec("cupy").origin:
        pytest.skip("CuPy is installed, and comes before a folder without Python files")
    monkeypatch.setenv("CUPY_CACHE_DIR", str(tmp_path))
    try:
        assert chosen("auto") == "cpu"
        with pytest.raises(DeviceError, match=rf"{tmp_path}/cupy.* is not CuPy.*another name"):
            require_cuda()
    finally:
        sys.modules.pop("cupy", None)


def test_cupy_gets_another_cache_where_it_cannot_write(
    install: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It makes its folder while it is imported, and would not be imported."""
    (tmp_path / "file").write_text("")
    install(fake_cupy(1))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for home, given in ((tmp_path, None), (tmp_path / "file", tmp_path / "cache/pynn-sparse/cupy")):
        monkeypatch.setenv("HOME", str(home))
        monkeypatch.delenv("CUPY_CACHE_DIR")
        found.import_cupy()
        assert os.environ.get("CUPY_CACHE_DIR") == (given and str(given))
        monkeypatch.setenv("CUPY_CACHE_DIR", "")
