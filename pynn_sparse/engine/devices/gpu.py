"""A GPU as a device: arrays and kernels through a `Runtime`, the steps in one of the loops."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ...errors import DeviceError
from ...network import Model
from ...network.dynamics import Dynamics
from ..kernels import PRECISIONS, deliver_code, run_code, step_code, step_kernels, step_name
from ..step import DELIVER, DELIVER_DENSE, DELIVER_PLAIN, REMEMBER, Kernel
from .device import Launch, PassOn
from .gpu_builder import GpuBuilder
from .loops import Fastest, Graphs, Loop, OneKernel, Work
from .runtime import Runtime

MOST_RECORDED = 1 << 25  # spikes that a call may record
LOOPS = ("fastest", "graphs", "kernel")
LOOP_VARIABLE = "PYNN_SPARSE_CUDA_LOOP"


class CudaDevice:
    """Launches kernels so that no host code runs between steps.

    Args:
        runtime: the GPU.
        precision: "double" or "single".
        loop: "graphs", "kernel" (one for all steps), or "fastest" of these; without it, what the
            environment variable PYNN_SPARSE_CUDA_LOOP says, or "fastest".

    Raises `DeviceError` for another loop, or one that the GPU does not have.
    """

    name = "cuda"
    n_owner = 1
    stops_when_full = False
    segment_time = 0.0  # segments are found by many threads at once
    merges_rows = False  # tables of a source are delivered side by side
    neurons_rest = False
    shares_memory = False
    lists_blocks = True
    joins_lists = True
    has_schedules = False
    build_threads = 1

    def __init__(self, runtime: Runtime, precision: str, loop: str | None = None) -> None:
        self._runtime = runtime
        # Of 16 bytes, in two buffers: an eighth of the memory at most.
        self.record_capacity = min(MOST_RECORDED, runtime.free_memory() // 256)
        # Assumed: an event takes no longer while half of the cache has room for all accumulators.
        half = runtime.cache / 2048
        self.event_times: tuple[tuple[float, float], ...] = ((half, 1.0), (8 * half, 2.0))
        self._real = PRECISIONS[precision]
        self._texts = step_kernels(precision)
        self._kernels: dict[str, Any] = {}
        self._plan: Any = None
        self._graphs = Graphs(runtime, self._kernel)
        self._loop = self._chosen(loop or os.environ.get(LOOP_VARIABLE) or LOOPS[0])
        self.builder = GpuBuilder(runtime)
        self.free_memory = runtime.free_memory
        self.zeros = runtime.zeros
        self.get = runtime.get
        self.assign = runtime.assign
        self.address = runtime.address
        self.mark = runtime.mark

    def _chosen(self, loop: str) -> Loop:
        if loop not in LOOPS:
            raise DeviceError(f"{LOOP_VARIABLE} = {loop!r}: must be one of {', '.join(LOOPS)}")
        one_kernel = OneKernel(self._runtime, self._kernel_of_all)
        if loop == "graphs" or (loop == "fastest" and not self._runtime.waits_in_kernels()):
            return self._graphs
        if loop == "fastest":
            return Fastest(self._runtime, [self._graphs, one_kernel])
        if not self._runtime.waits_in_kernels():
            raise DeviceError(
                f"{LOOP_VARIABLE} = {loop!r}: blocks of a kernel cannot wait for each other on "
                "this GPU; must be 'graphs'"
            )
        return one_kernel

    def put(self, array: NDArray[Any]) -> Any:
        """To the device; structures as bytes, since CuPy has no arrays of structures."""
        return self._runtime.put(array.view(np.uint8) if array.dtype.names else array)

    def partly(self, shape: Any, dtype: DTypeLike, share: float) -> Any:
        """Zeros: a GPU's memory is there as a whole."""
        return self.zeros(shape, dtype)

    def step_function(self, model: Model, precision: str, kinds: int) -> int:
        """0, since kernels are launched by name; a model of the user becomes known by it.

        Kernels here are for all kinds of blocks, so that one does for all plans.
        """
        self._texts.setdefault(step_name(model, precision), step_code(model, precision))
        return 0

    def rule_function(self, dynamics: Dynamics, weights: DTypeLike) -> int:
        """0, since rules are compiled with the kernel that delivers."""
        return 0

    def delivery(self, rules: Mapping[str, str]) -> Kernel:
        text = deliver_code(DELIVER.name, dict(sorted(rules.items())))
        name = f"{DELIVER.name}_{hashlib.sha256(text.encode()).hexdigest()[:8]}"
        self._texts.setdefault(name, deliver_code(name, dict(sorted(rules.items()))))
        return replace(DELIVER, name=name)

    def deliver_pending(
        self, plan: NDArray[np.void], launches: list[Launch], clock: Any, step: int
    ) -> None:
        self._put_plan(plan)
        files = DELIVER.file, DELIVER_DENSE.file, DELIVER_PLAIN.file
        delivery = tuple(each for each in launches if each.items and each.kernel.file in files)
        waiting = int((plan["n_delay_group"][0] - 1) * plan["delay_group"][0])
        for later in range(step, step + waiting):  # as if no neuron fired any more
            self.assign(clock, slice(None), np.full(2, later))
            self._runtime.wait()
            self._graphs.launch(self._plan, delivery, 1)
            self._runtime.wait()

    def advance(
        self,
        plan: NDArray[np.void],
        launches: list[Launch],
        first: int,
        end: int,
        pass_on: PassOn | None = None,
    ) -> int:
        self._put_plan(plan)
        present = tuple(launch for launch in launches if launch.items)
        # Weights change from step to step, so that spikes of a batch cannot be delivered together.
        learns = any(launch.kernel is REMEMBER for launch in present)
        batch = 1 if learns else int(plan["batch"][0])
        if pass_on is not None:
            self._advance_together(present, batch, first, end, pass_on)
            return end
        work = Work(self.address(self._plan), present, batch)
        self._loop.prepare(work)
        done = first
        if first < 0:  # sources alone, for what is due at time 0
            sources = tuple(launch for launch in present if launch.kernel.before_time_0)
            self._graphs.launch(self._plan, sources, 1)
            done = 0
        self._loop.run(self._plan, work, done, end)
        return end

    def _advance_together(
        self, present: tuple[Launch, ...], batch: int, first: int, end: int, pass_on: PassOn
    ) -> None:
        """Steps between whose emission and delivery of spikes these are exchanged."""
        step = first
        while step < end:
            n_step = 1 if step < 0 else min(batch, end - step)
            due = [each for each in present if step >= 0 or each.kernel.before_time_0]
            emit, deliver = (
                tuple(each for each in due if ("spikes" in each.kernel.reads) is after)
                for after in (False, True)
            )
            self._graphs.launch(self._plan, emit, n_step)
            self._runtime.wait()
            pass_on(step, n_step)
            self._runtime.wait()
            self._graphs.launch(self._plan, deliver, n_step)
            step += n_step

    def _put_plan(self, plan: NDArray[np.void]) -> None:
        """Into the same memory each time, which the graphs refer to."""
        self._runtime.wait()  # for those who still read it
        bytes_ = plan.view(np.uint8)
        if self._plan is None:
            self._plan = self._runtime.put(bytes_)
        else:
            self.assign(self._plan, slice(None), bytes_)
        self._runtime.wait()

    def _full_name(self, kernel: str) -> str:
        return kernel if kernel in self._texts else f"{kernel}_{self._real}"

    def _kernel(self, name: str) -> Any:
        if name not in self._kernels:
            full = self._full_name(name)
            self._kernels[name] = self._runtime.kernel(self._texts[full], full)
        return self._kernels[name]

    def _kernel_of_all(self, work: Work) -> Any:
        names = [self._full_name(launch.kernel.name) for launch in work.launches]
        groups = [launch.group for launch in work.launches]
        stages = list(zip(names, groups, work.waits, strict=True))
        return self._runtime.kernel(run_code(stages, self._texts), "run")
