"""A GPU makes connections and values, with the kernels in `cuda/build`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ..building.builder import Builder, Work, starts_of
from ..kernels import build_kernel
from ..toolchain.libraries import cpu_library
from .runtime import THREADS, Runtime

MAX_BLOCKS = 65535
MOST_ROOM = 1 << 30  # bytes, for rows that are drawn or sorted at a time
MOST_ROWS = 1 << 18  # at a time: more threads do not run on any GPU
IN_ROWS = (
    "add_input_bound",
    "arrange_items",
    "draw_weights",
    "draw_steps",
)  # kernels with a block of threads per row


class GpuBuilder(Builder):
    """Launches a kernel at a time and waits for it."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self._kernels: dict[str, Any] = {}

    def array(self, shape: Any, dtype: DTypeLike) -> Any:
        return self.runtime.zeros(shape, dtype)

    def zeros(self, shape: Any, dtype: DTypeLike) -> Any:
        return self.runtime.zeros(shape, dtype)

    def put(self, array: NDArray[Any]) -> Any:
        return self.runtime.put(array)

    def get(self, array: Any) -> NDArray[Any]:
        return np.asarray(self.runtime.get(array))

    def address(self, array: Any) -> int:
        return int(self.runtime.address(array))

    def run(self, name: str, record: NDArray[np.void], n: int) -> None:
        if not n:
            return
        if name not in self._kernels:
            self._kernels[name] = self.runtime.kernel(build_kernel(name), name)
        argument = self.runtime.put(record.view(np.uint8))
        blocks = n if name in IN_ROWS else -(-n // THREADS)
        self.runtime.wait()
        self.runtime.launch(self._kernels[name], (min(blocks, MAX_BLOCKS), 1), (argument,))
        self.runtime.wait()

    def connect(self, work: Work, n_source: int, dtype: DTypeLike) -> tuple[NDArray[np.int64], Any]:
        by_number = bool(work.record["number"][0])
        work.record["wide"] = np.dtype(dtype) == np.uint32
        length = self.array(n_source, np.int64)
        self._draw("lengths_by", by_number, work.point(length=length), n_source)
        row_start = starts_of(self.get(length))
        target = self.array(int(row_start[-1]), dtype)
        if len(target):
            work.point(row_start=self.put(row_start), target=target)
            self._draw("by", by_number, work, n_source)
        return row_start, target

    def _draw(self, what: str, by_number: bool, work: Work, n: int) -> None:
        """Run a kernel for n rows, which have room for a chunk each if they need any."""
        if by_number:
            size = int(cpu_library().connect_room(work.pointer))
            self._with_room(work, n, size, f"connect_{what}_number")
        else:
            work.run(f"connect_{what}_probability", n)

    def transpose(self, columns: Work, n_source: int, n: int) -> NDArray[np.int64]:
        length = self.zeros(n_source, np.int64)
        columns.point(next=length).run("connect_column_lengths", n)
        row_start = starts_of(self.get(length))
        columns.point(row_start=self.put(row_start), next=self.put(row_start))
        columns.point(column=self.array(n, np.uint32)).run("connect_scatter_columns", n)
        longest = int(np.diff(row_start).max(initial=0))
        columns.record["longest"] = longest
        self._with_room(columns, n_source, 8 * (longest + longest % 2), "connect_sort_rows")
        return row_start

    def _with_room(self, work: Work, n: int, size: int, name: str) -> None:
        """Run a kernel for n rows; those that are done at a time have `size` bytes each."""
        most = min(MOST_ROOM, self.runtime.free_memory() // 4) // max(size, 1)
        n_room = max(1, min(n, MOST_ROWS, most))
        work.record["n_room"] = n_room
        work.point(room=self.zeros(max(n_room * size, 1), np.uint8)).run(name, n)

    def extremes(self, array: Any) -> tuple[Any, Any]:
        """The least and the greatest value of an array that has any."""
        least, greatest = self.runtime.extremes(array)
        return least, greatest

    def shifted(self, array: Any, by: int, dtype: DTypeLike) -> Any:
        """An array of integers, as another type, plus a number."""
        return self.runtime.shifted(array, by, dtype)
