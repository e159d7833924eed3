"""The CPU as a device: arrays are NumPy's, the step loop is `cuda/step/plan.cpp`."""

from __future__ import annotations

import ctypes
import mmap
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ...errors import DeviceError, ProcessesError
from ...network import Model
from ...network.dynamics import Dynamics
from ...processors import processors
from ..building.builder import HostBuilder
from ..step import DELIVER, Kernel
from ..structures import host_address
from ..toolchain.libraries import cpu_library, cpu_rule, cpu_step
from .device import Launch, PassOn, Times

TOO_FEW_THREADS, NO_EXCHANGE = -2, -3  # as `advance` in step/plan.cpp reports it
PARTLY = 0.25  # of an array that is used, up to which the rest takes no memory
# As Linux has it, which Python knows since 3.13.
NO_RESERVE = getattr(mmap, "MAP_NORESERVE", 0x4000 if sys.platform == "linux" else 0)
WAYS = 5  # numbers of the structure of step/ways.h, which begins as 0
# Times in ns, measured once, and only ever compared.
EVENT_TIMES: Times = (
    (64.0, 0.9),
    (1024.0, 1.2),
    (4096.0, 2.5),
    (16384.0, 5.0),
    (262144.0, 10.0),
)
SEGMENT_TIME = 15.0


class CpuDevice:
    """Threads of this process.

    Each population is divided among `threads` owners, which as many threads, but no more than there
    are processors, advance; or one thread all of them, while that is faster.
    """

    name = "cpu"
    stops_when_full = True
    record_capacity = 1 << 16
    event_times: Times = EVENT_TIMES
    segment_time = SEGMENT_TIME
    merges_rows = True
    neurons_rest = True
    shares_memory = True
    lists_blocks = False
    joins_lists = False
    has_schedules = True

    def __init__(self, threads: int) -> None:
        self.n_owner = self.build_threads = threads
        self.builder = HostBuilder(threads)
        self._library = cpu_library()
        most = processors() if self._library.has_threads() else 1
        self._threads = ctypes.c_int32(min(threads, most))
        self._ways = np.zeros(WAYS)

    def put(self, array: NDArray[Any]) -> NDArray[Any]:
        return np.ascontiguousarray(array)

    def zeros(self, shape: Any, dtype: DTypeLike) -> NDArray[Any]:
        size, line = int(np.prod(shape)) * np.dtype(dtype).itemsize, 64
        room = np.zeros(size + line, np.uint8)
        begin = -room.ctypes.data % line  # so that a line of the cache has what belongs together
        array: NDArray[Any] = room[begin : begin + size].view(dtype).reshape(shape)
        return array

    def partly(self, shape: Any, dtype: DTypeLike, share: float) -> NDArray[Any]:
        size = int(np.prod(shape))
        if share > PARTLY or not size:
            return self.zeros(shape, dtype)
        # Single pages, which the system gives when they are first written to; NumPy asks for huge
        # ones. What is not used need not be there either where the system counts what is asked for.
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | NO_RESERVE
        room = mmap.mmap(-1, size * np.dtype(dtype).itemsize, flags=flags)
        if hasattr(mmap, "MADV_NOHUGEPAGE"):
            with suppress(OSError):  # a system without huge pages does not know the advice
                room.madvise(mmap.MADV_NOHUGEPAGE)
        array: NDArray[Any] = np.frombuffer(room, dtype).reshape(shape)
        return array

    def get(self, array: NDArray[Any]) -> NDArray[Any]:
        return array

    def assign(self, array: NDArray[Any], selection: Any, values: NDArray[Any]) -> None:
        array[selection] = values

    def address(self, array: NDArray[Any]) -> int:
        return host_address(array)

    def mark(self) -> Callable[[], None]:
        return lambda: None

    def free_memory(self) -> int | None:
        return None

    def step_function(self, model: Model, precision: str, kinds: int) -> int:
        return int(cpu_step(model, precision, kinds).value or 0)

    def rule_function(self, dynamics: Dynamics, weights: DTypeLike) -> int:
        function = cpu_rule(dynamics, weights).serve_rule
        return int(ctypes.cast(function, ctypes.c_void_p).value or 0)

    def delivery(self, rules: Mapping[str, str]) -> Kernel:
        return DELIVER

    def deliver_pending(
        self, plan: NDArray[np.void], launches: list[Launch], clock: Any, step: int
    ) -> None:
        self._library.deliver_pending(ctypes.c_void_p(plan.ctypes.data), ctypes.c_int64(step))

    def advance(
        self,
        plan: NDArray[np.void],
        launches: list[Launch],
        first: int,
        end: int,
        pass_on: PassOn | None = None,
    ) -> int:
        reached = int(
            self._library.advance(
                ctypes.c_void_p(plan.ctypes.data),
                ctypes.c_int64(first),
                ctypes.c_int64(end),
                self._threads,
                ctypes.c_void_p(self._ways.ctypes.data),
            )
        )
        if reached == TOO_FEW_THREADS:
            raise DeviceError(
                f"the system did not give {self._threads.value} threads (is OMP_THREAD_LIMIT "
                "set?); ask for fewer with setup(threads=...)"
            )
        if reached == NO_EXCHANGE:
            raise ProcessesError("spikes could not be exchanged with other processes")
        return reached
