"""A GPU as a device: arrays and kernels through CuPy, the steps as CUDA graphs.

`CudaDevice` decides what is launched; a runtime does it. That of CuPy is the only one here; the
tests have one that executes the same kernels, compiled as CUDA, serially on the CPU.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ..network import Model
from .compile import (
    NVRTC_FLAGS,
    PRECISIONS,
    kernel_units,
    source_folder,
    source_hash,
    step_name,
    step_unit,
    unit_file,
)
from .device import Launch
from .gpu_builder import GpuBuilder

THREADS = 256  # of a block
MAX_BLOCKS = 65535
PER_SPIKE = ("deliver", "remember")
DELIVERY_BLOCKS = 1024  # each takes a spike at a time
STEPS_PER_GRAPH = 50


class Runtime(Protocol):
    """Memory of a GPU, and launches in one stream."""

    def put(self, array: NDArray[Any]) -> Any: ...
    def zeros(self, shape: Any, dtype: DTypeLike) -> Any: ...
    def get(self, array: Any) -> NDArray[Any]: ...
    def assign(self, array: Any, selection: Any, values: NDArray[Any]) -> None: ...
    def address(self, array: Any) -> int: ...

    def extremes(self, array: Any) -> tuple[Any, Any]:
        """The least and the greatest value of an array that has any."""

    def shifted(self, array: Any, by: int, dtype: DTypeLike) -> Any:
        """A new array: one of integers, as another type, plus a number."""

    def free_memory(self) -> int:
        """Bytes that can still be had."""

    def kernel(self, unit: str, name: str, definitions: tuple[str, ...]) -> Any:
        """The kernel `name` of a source file, compiled with macro definitions."""

    def launch(self, kernel: Any, grid: tuple[int, int], plan: Any, group: int) -> None:
        """Put a kernel into the stream, in blocks of THREADS threads."""

    def repeat(self, key: Any, launch_all: Any, times: int) -> None:
        """Do `launch_all()` `times` times; what it launches is the same for the same key."""

    def wait(self) -> None:
        """Until all that was launched is done."""


class CupyRuntime:
    """CuPy's current GPU."""

    def __init__(self) -> None:
        import cupy

        self._cupy = cupy
        self._stream = cupy.cuda.Stream(non_blocking=True)
        self._graphs: dict[Any, Any] = {}

    def put(self, array: NDArray[Any]) -> Any:
        return self._cupy.asarray(np.ascontiguousarray(array))

    def zeros(self, shape: Any, dtype: DTypeLike) -> Any:
        return self._cupy.zeros(shape, dtype)

    def get(self, array: Any) -> NDArray[Any]:
        return np.asarray(self._cupy.asnumpy(array))

    def assign(self, array: Any, selection: Any, values: NDArray[Any]) -> None:
        as_device = tuple(
            self._cupy.asarray(part) if isinstance(part, np.ndarray) else part
            for part in (selection if isinstance(selection, tuple) else (selection,))
        )
        array[as_device] = self._cupy.asarray(values)

    def address(self, array: Any) -> int:
        return int(array.data.ptr)

    def extremes(self, array: Any) -> tuple[Any, Any]:
        return array.min().get()[()], array.max().get()[()]

    def shifted(self, array: Any, by: int, dtype: DTypeLike) -> Any:
        moved = array.astype(dtype)
        moved += moved.dtype.type(by)
        return moved

    def free_memory(self) -> int:
        free, _ = self._cupy.cuda.runtime.memGetInfo()
        return int(free + self._cupy.get_default_memory_pool().free_bytes())

    def kernel(self, unit: str, name: str, definitions: tuple[str, ...]) -> Any:
        options = (*NVRTC_FLAGS, f"-I{source_folder()}", *definitions)
        # CuPy caches by this text and the options, and does not look into what is included.
        code = f'// sources {source_hash()}\n#include "{unit}"\n'
        module = self._cupy.RawModule(code=code, options=options)
        return module.get_function(name)

    def launch(self, kernel: Any, grid: tuple[int, int], plan: Any, group: int) -> None:
        with self._stream:
            kernel(grid, (THREADS,), (plan, np.int32(group)))

    def repeat(self, key: Any, launch_all: Any, times: int) -> None:
        if not times:
            return
        if key not in self._graphs:
            self._graphs = {}  # another plan: graphs of the last one are of no use any more
            self._stream.begin_capture()
            launch_all()
            self._graphs[key] = self._stream.end_capture()
        for _ in range(times):
            self._graphs[key].launch(self._stream)

    def wait(self) -> None:
        self._stream.synchronize()
        self._cupy.cuda.Stream.null.synchronize()


class CudaDevice:
    """Launches a step's kernels one after the other; no host code runs between steps."""

    name = "cuda"
    n_shards = 1
    stops_when_full = False
    record_capacity = 1 << 22
    groups_delays = False
    shares_memory = False
    lists_blocks = True
    build_threads = 1

    def __init__(self, runtime: Runtime, precision: str) -> None:
        self._runtime = runtime
        self._real = PRECISIONS[precision]
        self._units = kernel_units(precision)
        self._kernels: dict[str, Any] = {}
        self._plan: Any = None
        self.builder = GpuBuilder(runtime)
        self.free_memory = runtime.free_memory
        self.zeros = runtime.zeros
        self.get = runtime.get
        self.assign = runtime.assign
        self.address = runtime.address

    def put(self, array: NDArray[Any]) -> Any:
        """To the device; structures as bytes, since CuPy has no arrays of structures."""
        return self._runtime.put(array.view(np.uint8) if array.dtype.names else array)

    def step_function(self, model: Model, precision: str) -> int:
        """0, since kernels are launched by name; a model of the user becomes known by it."""
        self._units.setdefault(step_name(model, precision), step_unit(model, precision))
        return 0

    def deliver_pending(self, plan: NDArray[np.void], step: int) -> None:
        """Nothing: delivery never waits here."""

    def advance(self, plan: NDArray[np.void], launches: list[Launch], first: int, end: int) -> int:
        self._put_plan(plan)
        work = [launch for launch in launches if launch.items]
        for launch in work:
            self._kernel(launch.kernel)  # compiled and loaded now, not while a graph is captured
        done = first
        if first < 0:  # sources alone, for what is due at time 0
            self._launch_all([launch for launch in work if launch.before_time_0])
            done = 0
        graphs, rest = divmod(end - done, STEPS_PER_GRAPH)
        key = (self.address(self._plan), tuple(work))
        self._launch_steps(work, rest)
        self._runtime.repeat(key, lambda: self._launch_steps(work, STEPS_PER_GRAPH), graphs)
        self._runtime.wait()
        return end

    def _put_plan(self, plan: NDArray[np.void]) -> None:
        """Into the same memory each time, which the graphs refer to."""
        bytes_ = plan.view(np.uint8)
        if self._plan is None:
            self._plan = self._runtime.put(bytes_)
        else:
            self.assign(self._plan, slice(None), bytes_)
        self._runtime.wait()

    def _launch_steps(self, work: list[Launch], n: int) -> None:
        for _ in range(n):
            self._launch_all(work)

    def _launch_all(self, work: list[Launch]) -> None:
        for launch in work:
            kernel = self._kernel(launch.kernel)
            self._runtime.launch(kernel, _grid(launch), self._plan, launch.group)

    def _kernel(self, name: str) -> Any:
        if name not in self._kernels:
            full = name if name in self._units else f"{name}_{self._real}"
            unit = unit_file(full)
            self._kernels[name] = self._runtime.kernel(unit, full, self._units[full])
        return self._kernels[name]


def _grid(launch: Launch) -> tuple[int, int]:
    if launch.kernel in PER_SPIKE:
        return min(launch.items, DELIVERY_BLOCKS), 1
    return min(-(-launch.items // THREADS), MAX_BLOCKS), launch.rows
