"""A runtime for `CudaDevice` that executes the CUDA kernels serially on the CPU."""

from __future__ import annotations

import ctypes
import functools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from pynn_sparse.engine import compile
from pynn_sparse.engine.gpu import THREADS

LAUNCHER = """
extern "C" void launch(void (*kernel)(const Plan*, int32), const Plan* plan, int32 group,
                       unsigned x, unsigned y, unsigned threads, int32 backwards) {
  gridDim = {x, y, 1};
  blockDim = {threads, 1, 1};
  const int64 n = int64(x) * y * threads;
  for (int64 i = 0; i < n; ++i) {
    const int64 t = backwards ? n - 1 - i : i;
    threadIdx.x = t % threads;
    blockIdx.x = t / threads % x;
    blockIdx.y = t / threads / x;
    kernel(plan, group);
  }
}
"""
# Unlike the CPU library's, these kernels are not asked to be fast; rounding must be the same.
FLAGS = "-std=c++17 -O1 -ffp-contract=off -fPIC -shared -Wall -Wno-unused-function".split()


@functools.cache
def _library(unit: str, definitions: tuple[str, ...]) -> ctypes.CDLL:
    folder = Path(tempfile.mkdtemp())
    source = folder / "unit.cpp"
    source.write_text(f'#include "cuda_emulator.h"\n#include "{unit}"\n{LAUNCHER}')
    library = folder / "unit.so"
    includes = [f"-I{compile.source_folder()}", f"-I{Path(__file__).parent}"]
    compiler = os.environ.get("CXX") or shutil.which("g++") or "c++"
    command = [compiler, *FLAGS, "-DPYNN_SPARSE_EMULATE_CUDA", *includes, *definitions]
    subprocess.run([*command, str(source), "-o", str(library)], check=True)
    return ctypes.CDLL(str(library))


class DeviceArray:
    """An array that code of the host cannot read by mistake, as one of CuPy's."""

    def __init__(self, memory: NDArray[Any]) -> None:
        self.memory = memory
        self.shape, self.dtype = memory.shape, memory.dtype
        self.size, self.nbytes = memory.size, memory.nbytes

    def __len__(self) -> int:
        return len(self.memory)

    def __getitem__(self, selection: Any) -> DeviceArray:
        return DeviceArray(self.memory[selection])

    def __array__(self, *args: Any, **kwargs: Any) -> NDArray[Any]:
        raise TypeError("an array of the device is used as one of the host")


class EmulatedRuntime:
    """The host's memory as the device's; it counts launches, and how graphs are repeated.

    Args:
        backwards: whether threads are executed in the opposite order.
        memory: bytes that it says it has.

    Attributes:
        fetched: the arrays that were brought to the host.
    """

    def __init__(self, backwards: bool = False, memory: int = 1 << 40) -> None:
        self.backwards = backwards
        self.memory = memory
        self.fetched: list[DeviceArray] = []
        self.launches = 0
        self.graphs: list[tuple[Any, int]] = []
        self.synchronisations = 0

    def put(self, array: NDArray[Any]) -> DeviceArray:
        assert not array.dtype.names, "CuPy has no arrays of structures"
        return DeviceArray(np.array(array, order="C"))

    def zeros(self, shape: Any, dtype: DTypeLike) -> DeviceArray:
        return DeviceArray(np.zeros(shape, dtype))

    def get(self, array: DeviceArray) -> NDArray[Any]:
        self.fetched.append(array)
        return array.memory.copy()

    def assign(self, array: DeviceArray, selection: Any, values: NDArray[Any]) -> None:
        array.memory[selection] = values

    def address(self, array: DeviceArray) -> int:
        return int(array.memory.ctypes.data)

    def extremes(self, array: DeviceArray) -> tuple[Any, Any]:
        return array.memory.min(), array.memory.max()

    def shifted(self, array: DeviceArray, by: int, dtype: DTypeLike) -> DeviceArray:
        moved = array.memory.astype(dtype)
        moved += moved.dtype.type(by)
        return DeviceArray(moved)

    def free_memory(self) -> int:
        return self.memory

    def kernel(self, unit: str, name: str, definitions: tuple[str, ...]) -> Any:
        library = _library(unit, definitions)
        return library, getattr(library, name)

    def launch(self, kernel: Any, grid: tuple[int, int], plan: Any, group: int) -> None:
        library, function = kernel
        address = ctypes.c_void_p(self.address(plan))
        library.launch(function, address, ctypes.c_int32(group), *grid, THREADS, self.backwards)
        self.launches += 1

    def repeat(self, key: Any, launch_all: Any, times: int) -> None:
        self.graphs.append((key, times))
        for _ in range(times):
            launch_all()

    def wait(self) -> None:
        self.synchronisations += 1
