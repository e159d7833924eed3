"""What is asked of a GPU's software: memory, kernels, launches.

That of CuPy is the only one here; the tests have one that executes the same kernels, compiled as
CUDA, on the CPU.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ..kernels import nvrtc_options, source_hash
from .found import import_cupy

THREADS = 256  # of a block


class Runtime(Protocol):
    """Memory of a GPU, and launches in one stream, in blocks of `THREADS` threads.

    Attributes:
        cache: bytes of the second-level cache.
    """

    cache: int

    def put(self, array: NDArray[Any]) -> Any: ...
    def zeros(self, shape: Any, dtype: DTypeLike) -> Any: ...
    def get(self, array: Any) -> NDArray[Any]:
        """Copy to the host, beside what runs; nothing that runs may write to the array."""

    def assign(self, array: Any, selection: Any, values: NDArray[Any]) -> None: ...
    def address(self, array: Any) -> int: ...

    def extremes(self, array: Any) -> tuple[Any, Any]:
        """The least and the greatest value of an array that has any."""

    def shifted(self, array: Any, by: int, dtype: DTypeLike) -> Any:
        """A new array: one of integers, as another type, plus a number."""

    def free_memory(self) -> int:
        """Bytes that can still be had."""

    def mark(self) -> Callable[[], None]:
        """A function that waits until all that has been launched by now is done."""

    def kernel(self, code: str, name: str) -> Any:
        """The kernel `name` of a source text, compiled and loaded."""

    def launch(self, kernel: Any, grid: tuple[int, int], arguments: tuple[Any, ...]) -> None:
        """Put a kernel into the stream."""

    def launch_resident(self, kernel: Any, arguments: tuple[Any, ...]) -> None:
        """Put a kernel whose blocks wait for each other into the stream.

        It has as many blocks as the card can run at a time.
        """

    def waits_in_kernels(self) -> bool:
        """Whether the blocks of a launch may wait for each other."""

    def repeat(self, key: Hashable, launch_all: Callable[[], None], times: int) -> None:
        """Do `launch_all()` `times` times; what it launches is the same for the same key."""

    def wait(self) -> None:
        """Until all that was launched is done."""


class CupyRuntime:
    """CuPy's current GPU.

    Args:
        place: of a process among those of its machine, which take GPUs in turn; several share one
            where there are fewer. None where it is alone: the current GPU is taken.
    """

    def __init__(self, place: int | None = None) -> None:
        self._cupy = cupy = import_cupy()
        if place is not None:
            cupy.cuda.Device(place % cupy.cuda.runtime.getDeviceCount()).use()
        self._attributes = cupy.cuda.Device().attributes
        self.cache = int(self._attributes["L2CacheSize"])
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

    def mark(self) -> Callable[[], None]:
        return self._stream.record().synchronize  # type: ignore[no-any-return]

    def kernel(self, code: str, name: str) -> Any:
        # CuPy caches by this text and the options, and does not look into what is included.
        text = f"// sources {source_hash()}\n{code}"
        return self._cupy.RawModule(code=text, options=nvrtc_options()).get_function(name)

    def launch(self, kernel: Any, grid: tuple[int, int], arguments: tuple[Any, ...]) -> None:
        with self._stream:
            kernel(grid, (THREADS,), arguments)

    def launch_resident(self, kernel: Any, arguments: tuple[Any, ...]) -> None:
        occupancy = self._cupy.cuda.driver.occupancyMaxActiveBlocksPerMultiprocessor
        per_processor = int(occupancy(kernel.kernel.ptr, THREADS, 0))
        grid = (per_processor * self._attributes["MultiProcessorCount"], 1)
        self.wait()  # what the other stream has put into the arguments
        # A cooperative launch, but not a module with `enable_cooperative_groups`: before CuPy 14.2
        # that links a library which comes with the whole CUDA toolkit only.
        with self._stream:
            kernel.kernel(grid, (THREADS,), arguments, enable_cooperative_groups=True)

    def waits_in_kernels(self) -> bool:
        return bool(self._attributes["CooperativeLaunch"])

    def repeat(self, key: Hashable, launch_all: Callable[[], None], times: int) -> None:
        if not times:
            return
        if key not in self._graphs:
            self._graphs = {}  # another plan: graphs of the last one are of no use any more
            self._stream.begin_capture()
            try:
                launch_all()
            finally:
                graph = self._stream.end_capture()
            self._graphs[key] = graph
        for _ in range(times):
            self._graphs[key].launch(self._stream)

    def wait(self) -> None:
        self._stream.synchronize()
        self._cupy.cuda.get_current_stream().synchronize()
