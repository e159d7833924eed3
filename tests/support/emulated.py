"""A runtime for `CudaDevice` that executes the CUDA kernels on the CPU."""

from __future__ import annotations

import ctypes
import functools
import hashlib
import subprocess
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from pynn_sparse.engine import kernels
from pynn_sparse.engine.devices.runtime import THREADS
from pynn_sparse.engine.toolchain import cache
from pynn_sparse.engine.toolchain.compiler import find_compiler

LAUNCHER = """
#include <thread>
#include <vector>

// Calls body() for each thread of a grid.
template <class Body>
void for_all(unsigned x, unsigned y, unsigned threads, int32 backwards, Body body) {
  gridDim = {x, y, 1};
  blockDim = {threads, 1, 1};
  const int64 n = int64(x) * y * threads;
  for (int64 i = 0; i < n; ++i) {
    const int64 t = backwards ? n - 1 - i : i;
    threadIdx.x = t % threads;
    blockIdx.x = t / threads % x;
    blockIdx.y = t / threads / x;
    body();
  }
}

extern "C" void launch_step(void (*kernel)(const Plan*, int32, int32), const Plan* plan,
                            int32 group, int32 n_step, unsigned x, unsigned y, unsigned threads,
                            int32 backwards) {
  for_all(x, y, threads, backwards, [=] { kernel(plan, group, n_step); });
}

extern "C" void launch_work(void (*kernel)(const void*), const void* work, unsigned x, unsigned y,
                            unsigned threads, int32 backwards) {
  for_all(x, y, threads, backwards, [=] { kernel(work); });
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
def _unit_of() -> dict[str, str]:
    """Text of a kernel that steps -> the texts of all such ones of a precision.

    Most of the time to compile one goes into what it includes.
    """
    units: dict[str, str] = {}
    for precision in kernels.PRECISIONS:
        texts = [each for each in kernels.step_kernels(precision).values() if each not in units]
        units |= dict.fromkeys(texts, "".join(texts))
    return units


@functools.cache
def _library(code: str) -> ctypes.CDLL:
    """A library of kernels, which is kept in the user's cache, as those for the CPU are."""
    text = f'#include "cuda_emulator.h"\n{code}{LAUNCHER}'
    includes = [f"-I{kernels.source_folder()}", f"-I{Path(__file__).parent}"]
    command = [*find_compiler(), *FLAGS, "-DPYNN_SPARSE_EMULATE_CUDA", *includes, "-x", "c++", "-"]
    emulator = (Path(__file__).parent / "cuda_emulator.h").read_text()
    all_that_matters = "\n".join([kernels.source_hash(), emulator, text, *command])
    digest = hashlib.sha256(all_that_matters.encode()).hexdigest()[:16]

    def make(library: Path) -> None:
        subprocess.run([*command, "-o", str(library)], input=text, text=True, check=True)

    return ctypes.CDLL(str(cache.kept(f"emulated_{digest}.so", make)))


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

    It notices what would go wrong on a GPU, which does not wait: kernels that are launched beside
    changes of memory, and arguments that are let go while a kernel may run.

    Args:
        backwards: whether threads are executed in the opposite order.
        memory: bytes that it says it has.
        cache: bytes of its second-level cache.
        resident: whether blocks may wait for each other.

    Attributes:
        fetched: the arrays that were brought to the host.
    """

    def __init__(
        self,
        backwards: bool = False,
        memory: int = 1 << 40,
        cache: int = 50 << 20,
        resident: bool = True,
    ) -> None:
        self.backwards = backwards
        self.memory = memory
        self.cache, self.resident = cache, resident
        self.fetched: list[DeviceArray] = []
        self.launches = 0
        self.graphs: list[tuple[Any, int]] = []
        self.synchronisations = 0
        self._unordered = False  # whether memory was changed since the last wait
        self._in_use: list[weakref.ref[DeviceArray]] = []  # by kernels that may still run

    def put(self, array: NDArray[Any]) -> DeviceArray:
        assert not array.dtype.names, "CuPy has no arrays of structures"
        self._unordered = True
        return DeviceArray(np.array(array, order="C"))

    def zeros(self, shape: Any, dtype: DTypeLike) -> DeviceArray:
        self._unordered = True
        return DeviceArray(np.zeros(shape, dtype))

    def get(self, array: DeviceArray) -> NDArray[Any]:
        self.fetched.append(array)
        return array.memory.copy()

    def assign(self, array: DeviceArray, selection: Any, values: NDArray[Any]) -> None:
        self._unordered = True
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

    def mark(self) -> Callable[[], None]:
        return self._check_used

    def _use(self, arguments: tuple[Any, ...]) -> None:
        self._in_use += [weakref.ref(each) for each in arguments if isinstance(each, DeviceArray)]

    def _check_used(self) -> None:
        assert all(each() is not None for each in self._in_use), "a kernel's argument is gone"
        self._in_use = []

    def kernel(self, code: str, name: str) -> Any:
        library = _library(_unit_of().get(code, code))
        return library, getattr(library, name)

    def launch(self, kernel: Any, grid: tuple[int, int], arguments: tuple[Any, ...]) -> None:
        library, function = kernel
        assert not self._unordered, "a kernel is launched beside a change of memory"
        self._use(arguments)
        launch = library.launch_work if len(arguments) == 1 else library.launch_step
        launch(function, *map(_argument, arguments), *grid, THREADS, self.backwards)
        self.launches += 1

    def launch_resident(self, kernel: Any, arguments: tuple[Any, ...]) -> None:
        library, function = kernel
        self._use(arguments)
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
        self._check_used()
        self._unordered = False
        self.synchronisations += 1


def _argument(value: Any) -> Any:
    """As ctypes passes it: an array's address, or an integer of its size."""
    if isinstance(value, DeviceArray):
        return ctypes.c_void_p(value.memory.ctypes.data)
    return np.ctypeslib.as_ctypes_type(value.dtype)(int(value))
