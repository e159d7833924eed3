"""A runtime for `CudaDevice` that executes the CUDA kernels on the CPU."""

from __future__ import annotations

import ctypes
import functools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from pynn_sparse.engine import compile
from pynn_sparse.engine.gpu_runtime import THREADS

LAUNCHER = """
#include <thread>
#include <vector>

extern "C" void launch(void (*kernel)(const Plan*, int32, int32), const Plan* plan, int32 group,
                       int32 n_step, unsigned x, unsigned y, unsigned threads) {
  gridDim = {x, y, 1};
  blockDim = {threads, 1, 1};
  for (blockIdx.y = 0; blockIdx.y < y; ++blockIdx.y)
    for (blockIdx.x = 0; blockIdx.x < x; ++blockIdx.x)
      for (threadIdx.x = 0; threadIdx.x < threads; ++threadIdx.x) kernel(plan, group, n_step);
}

using Run = void(const Plan*, const void*, uint32*, int64, int64, int32);
extern "C" void launch_resident(Run* kernel, const Plan* plan, const void* shapes, uint32* arrived,
                                int64 first, int64 end, int32 batch, unsigned blocks,
                                unsigned threads) {
  std::vector<pthread_barrier_t> barrier(blocks);
  std::vector<std::thread> all;
  for (auto& each : barrier) pthread_barrier_init(&each, nullptr, threads);
  for (unsigned i = 0; i < blocks * threads; ++i)
    all.emplace_back([=, &barrier] {
      gridDim = {blocks, 1, 1};
      blockDim = {threads, 1, 1};
      blockIdx = {i / threads, 0, 0};
      threadIdx = {i % threads, 0, 0};
      threads_of_block = &barrier[i / threads];
      kernel(plan, shapes, arrived, first, end, batch);
    });
  for (auto& each : all) each.join();
}
"""
BLOCKS_RESIDENT, THREADS_RESIDENT = 2, 2
# Unlike the CPU library's, these kernels are not asked to be fast; rounding must be the same.
FLAGS = "-std=c++17 -O1 -ffp-contract=off -fPIC -shared -pthread -Wall -Wno-unused-function".split()


@functools.cache
def _library(code: str, definitions: tuple[str, ...]) -> ctypes.CDLL:
    folder = Path(tempfile.mkdtemp())
    source = folder / "unit.cpp"
    source.write_text(f'#include "cuda_emulator.h"\n{code}{LAUNCHER}')
    library = folder / "unit.so"
    includes = [f"-I{compile.source_folder()}", f"-I{Path(__file__).parent}"]
    compiler = os.environ.get("CXX") or shutil.which("g++") or "c++"
    command = [compiler, *FLAGS, "-DPYNN_SPARSE_EMULATE_CUDA", *includes, *definitions]
    subprocess.run([*command, str(source), "-o", str(library)], check=True)
    return ctypes.CDLL(str(library))


class EmulatedRuntime:
    """The host's memory as the device's; it counts launches, and how graphs are repeated."""

    def __init__(self, cache: int = 50 << 20, resident: bool = True) -> None:
        self.cache, self.resident = cache, resident
        self.launches = 0
        self.graphs: list[tuple[Any, int]] = []
        self.synchronisations = 0

    def put(self, array: NDArray[Any]) -> NDArray[Any]:
        assert not array.dtype.names, "CuPy has no arrays of structures"
        return np.array(array, order="C")

    def zeros(self, shape: Any, dtype: DTypeLike) -> NDArray[Any]:
        return np.zeros(shape, dtype)

    def get(self, array: NDArray[Any]) -> NDArray[Any]:
        return array.copy()

    def assign(self, array: NDArray[Any], selection: Any, values: NDArray[Any]) -> None:
        array[selection] = values

    def address(self, array: NDArray[Any]) -> int:
        return int(array.ctypes.data)

    def mark(self) -> Callable[[], None]:
        return lambda: None

    def kernel(self, code: str, name: str, definitions: tuple[str, ...], resident: bool) -> Any:
        library = _library(code, definitions)
        return library, getattr(library, name)

    def launch(self, kernel: Any, grid: tuple[int, int], arguments: tuple[Any, ...]) -> None:
        library, function = kernel
        library.launch(function, *map(_argument, arguments), *grid, THREADS)
        self.launches += 1

    def launch_resident(self, kernel: Any, arguments: tuple[Any, ...]) -> None:
        library, function = kernel
        size = BLOCKS_RESIDENT, THREADS_RESIDENT
        library.launch_resident(function, *map(_argument, arguments), *size)
        self.launches += 1

    def waits_in_kernels(self) -> bool:
        return self.resident

    def repeat(self, key: Any, launch_all: Any, times: int) -> None:
        self.graphs.append((key, times))
        for _ in range(times):
            launch_all()

    def wait(self) -> None:
        self.synchronisations += 1


def _argument(value: Any) -> Any:
    """As ctypes passes it: an array's address, or an integer of its size."""
    if isinstance(value, np.ndarray):
        return ctypes.c_void_p(value.ctypes.data)
    return np.ctypeslib.as_ctypes_type(value.dtype)(int(value))
