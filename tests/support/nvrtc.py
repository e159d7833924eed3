"""NVRTC, NVIDIA's run-time compiler, of all versions that are here; it needs no GPU and no driver.

Versions are looked for where pip puts them (packages `nvidia-cuda-nvrtc` and
`nvidia-cuda-nvrtc-cu12`), and in the folders that the environment variable PYNN_SPARSE_NVRTC names,
separated by `:`.
"""

from __future__ import annotations

import ctypes
import functools
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pynn_sparse.engine.devices.found import OLDEST_CAPABILITY
from pynn_sparse.engine.kernels import CUPY_FLAGS, nvrtc_options

GENERATIONS = frozenset({75, 80, 90, 100, 120})  # of GPUs, by compute capability times 10
OLDEST = 10 * OLDEST_CAPABILITY[0] + OLDEST_CAPABILITY[1]
VARIABLE = "PYNN_SPARSE_NVRTC"
QUICK_SINCE = 13, 0  # versions that can leave optimisation out
LIBRARY = "libnvrtc.so.[0-9]*"


@dataclass(frozen=True)
class Compiled:
    """What came of a unit: NVRTC's status (0 is success), what it said, and code for a GPU."""

    status: int
    log: str
    code: bytes

    def check(self, *names: str) -> None:
        """It was compiled without a word and has these kernels."""
        assert (self.status, self.log) == (0, "")
        for name in names:
            of_a_gpu, of_all = f".text.{name}\0".encode(), f".entry {name}(".encode()
            assert of_a_gpu in self.code or of_all in self.code


class Nvrtc:
    """One version of the compiler, from a library and the one beside it that it loads."""

    def __init__(self, library: Path) -> None:
        for beside in library.parent.glob("libnvrtc-builtins.so.*"):
            ctypes.CDLL(str(beside))  # so that it is found by name
        self._library = ctypes.CDLL(str(library))
        major, minor = ctypes.c_int(), ctypes.c_int()
        self._call("nvrtcVersion", ctypes.byref(major), ctypes.byref(minor))
        self.version = major.value, minor.value
        self.name = f"nvrtc-{major.value}.{minor.value}"

    def _call(self, function: str, *arguments: object) -> None:
        status = getattr(self._library, function)(*arguments)
        assert status == 0, f"{function}: {status}"

    def architectures(self) -> list[int]:
        """Compute capabilities that it compiles for, times 10; in order."""
        n = ctypes.c_int()
        self._call("nvrtcGetNumSupportedArchs", ctypes.byref(n))
        found = (ctypes.c_int * n.value)()
        self._call("nvrtcGetSupportedArchs", found)
        return sorted(found)

    def compile(self, code: str, architecture: int) -> Compiled:
        """Compile a unit with the options that CuPy gives to it."""
        return self._compile(code, f"-arch=sm_{architecture}", result="CUBIN")

    def compile_quickly(self, code: str, architecture: int) -> Compiled:
        """The same in a tenth of the time, without optimising; older versions stop at PTX."""
        if self.version >= QUICK_SINCE:
            options = f"-arch=sm_{architecture}", "--Ofast-compile=max"
            return self._compile(code, *options, result="CUBIN")
        return self._compile(code, f"-arch=compute_{architecture}", result="PTX")

    def _compile(self, code: str, *more: str, result: str) -> Compiled:
        program = ctypes.c_void_p()
        text = code.encode(), b"unit.cu", 0, None, None
        self._call("nvrtcCreateProgram", ctypes.byref(program), *text)
        options = [*nvrtc_options(), *CUPY_FLAGS, *more]
        given = (ctypes.c_char_p * len(options))(*(option.encode() for option in options))
        status = self._library.nvrtcCompileProgram(program, len(options), given)
        log = self._bytes(program, "ProgramLog").rstrip(b"\0").decode(errors="replace").strip()
        made = b"" if status else self._bytes(program, result)
        self._call("nvrtcDestroyProgram", ctypes.byref(program))
        return Compiled(status, log, made)

    def _bytes(self, program: ctypes.c_void_p, what: str) -> bytes:
        size = ctypes.c_size_t()
        self._call(f"nvrtcGet{what}Size", program, ctypes.byref(size))
        buffer = ctypes.create_string_buffer(size.value)
        self._call(f"nvrtcGet{what}", program, buffer)
        return buffer.raw


def _libraries() -> Iterator[Path]:
    for site in map(Path, sys.path):
        if site.is_dir():
            yield from sorted(site.glob(f"nvidia/*/lib/{LIBRARY}"))
    for folder in os.environ.get(VARIABLE, "").split(os.pathsep):
        found = sorted(Path(folder).rglob(LIBRARY)) if folder else []
        assert found or not folder, f"{VARIABLE}: {folder} has no {LIBRARY}"
        yield from found


@functools.cache
def versions() -> list[Nvrtc]:
    """All versions that are here, the newest first."""
    every = {nvrtc.version: nvrtc for nvrtc in map(Nvrtc, _libraries())}
    return [every[version] for version in sorted(every, reverse=True)]


def _parametrized(found: list[tuple[Nvrtc, int]]) -> pytest.MarkDecorator:
    """Runs a test with versions of the compiler and compute capabilities, times 10."""
    targets = [pytest.param(*each, id=f"{each[0].name}-{each[1]}") for each in found]
    none = pytest.param(None, 0, marks=pytest.mark.skip(reason="there is no such NVRTC"))
    return pytest.mark.parametrize(("nvrtc", "architecture"), targets or [none])


def _known(nvrtc: Nvrtc) -> list[int]:
    return [each for each in nvrtc.architectures() if each >= OLDEST]


def _ends(values: list[int]) -> list[int]:
    return sorted({values[0], values[-1]})


# No kernel asks which GPU it is compiled for: the oldest and the newest stand for those in between.
_OUTERMOST = [(nvrtc, each) for nvrtc in versions()[:1] for each in _ends(_known(nvrtc))]
_ALL = [(nvrtc, each) for nvrtc in versions()[:1] for each in _known(nvrtc) if each in GENERATIONS]
_OLDER = [(nvrtc, _known(nvrtc)[-1]) for nvrtc in versions()[1:]]
oldest_gpu, newest_gpu = _parametrized(_OUTERMOST[:1]), _parametrized(_OUTERMOST[-1:])
newest_gpu_of_every_version = _parametrized(_OUTERMOST[-1:] + _OLDER)
oldest_version, every_generation = _parametrized(_OLDER[-1:]), _parametrized(_ALL)
every_version = _parametrized(_OUTERMOST + _OLDER)
