"""Two ways to do many time steps on a GPU without the host in between.

Both do the same to the last bit. Which one is faster depends on the card and on the network: that
is measured, in runs that are long enough to be worth it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ..step import PHASES
from .device import Launch
from .runtime import THREADS, Runtime

STEPS_PER_GRAPH = 50
MAX_ROWS = 65535  # of a grid
MAX_BLOCKS = 65535  # of a row
DELIVERY_BLOCKS = 1024  # of a launch in which blocks share spikes
TRIAL_AFTER = 100_000  # steps, before another loop is compiled and tried
TRIAL_STEPS = 50
TRIALS = 3  # of each loop


@dataclass(frozen=True)
class Work:
    """The kernels of a step, for a plan at an address; neurons may do `batch` steps at a time."""

    plan: int
    launches: tuple[Launch, ...]
    batch: int

    @property
    def waits(self) -> list[bool]:
        """Whether a launch begins when all before it is done, for each."""
        phases = [PHASES[launch.kernel.file] for launch in self.launches]
        return [phase != before for phase, before in zip(phases, [-1, *phases], strict=False)]


class Loop(Protocol):
    """A way to do steps."""

    def prepare(self, work: Work) -> None:
        """Compile and load what `run` needs."""

    def run(self, plan: Any, work: Work, first: int, end: int) -> None:
        """Put the steps first .. end - 1 into the stream."""


def grid(launch: Launch, n_step: int) -> tuple[int, int]:
    """Blocks of a launch for a batch of steps: of a row, and rows."""
    if launch.kernel.per == "spike":
        rows = min(launch.rows * n_step, MAX_ROWS)
        return max(min(launch.items, DELIVERY_BLOCKS // rows), 1), rows
    return min(-(-launch.items // THREADS), MAX_BLOCKS), min(launch.rows, MAX_ROWS)


class Graphs:
    """A launch for each kernel; a CUDA graph has those of some ten steps."""

    def __init__(self, runtime: Runtime, kernel: Callable[[str], Any]) -> None:
        self._runtime = runtime
        self._kernel = kernel

    def prepare(self, work: Work) -> None:
        for launch in work.launches:  # not while a graph is captured
            self._kernel(launch.kernel.name)

    def run(self, plan: Any, work: Work, first: int, end: int) -> None:
        steps = work.batch * max(STEPS_PER_GRAPH // work.batch, 1)
        graphs, rest = divmod(end - first, steps)
        self._launch(plan, work, rest)
        self._runtime.repeat(work, lambda: self._launch(plan, work, steps), graphs)

    def _launch(self, plan: Any, work: Work, steps: int) -> None:
        for done in range(0, steps, work.batch):
            self.launch(plan, work.launches, min(work.batch, steps - done))

    def launch(self, plan: Any, launches: tuple[Launch, ...], n_step: int) -> None:
        """Put one batch of steps, or some kernels of it, into the stream."""
        for launch in launches:
            arguments = plan, np.int32(launch.group), np.int32(n_step)
            self._runtime.launch(self._kernel(launch.kernel.name), grid(launch, n_step), arguments)


class OneKernel:
    """One launch for all steps, whose blocks wait for each other; see cuda/step/run.h."""

    def __init__(self, runtime: Runtime, kernel: Callable[[Work], Any]) -> None:
        self._runtime = runtime
        self._compiled = kernel
        self._kernels: dict[tuple[str, ...], Any] = {}
        self._shapes: tuple[Work, Any] | None = None
        self._arrived: Any = None

    def _kernel(self, work: Work) -> Any:
        names = tuple(launch.kernel.name for launch in work.launches)
        if names not in self._kernels:
            self._kernels[names] = self._compiled(work)
        return self._kernels[names]

    def prepare(self, work: Work) -> None:
        self._kernel(work)

    def run(self, plan: Any, work: Work, first: int, end: int) -> None:
        if first == end:
            return
        if self._shapes is None or self._shapes[0] != work:
            grids = [grid(launch, work.batch) for launch in work.launches]
            self._shapes = work, self._runtime.put(np.array(grids, np.int32))
        # Kept, since the kernel reads it for as long as it runs.
        self._arrived = self._runtime.zeros(1, np.uint32)
        arguments = plan, self._shapes[1], self._arrived, np.int64(first), np.int64(end)
        self._runtime.launch_resident(self._kernel(work), (*arguments, np.int32(work.batch)))


class Fastest:
    """The first loop, until it has done so many steps that a trial of all loops is worth it."""

    def __init__(
        self, runtime: Runtime, loops: list[Loop], clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._runtime, self._loops, self._clock = runtime, loops, clock
        self._done: dict[tuple[Launch, ...], int] = {}
        self._chosen: dict[tuple[Launch, ...], Loop] = {}

    def prepare(self, work: Work) -> None:
        self._loops[0].prepare(work)

    def run(self, plan: Any, work: Work, first: int, end: int) -> None:
        key, trial = work.launches, len(self._loops) * TRIALS * TRIAL_STEPS
        done = self._done.get(key, 0)
        if key not in self._chosen and done >= TRIAL_AFTER and end - first >= trial:
            self._chosen[key] = self._fastest(plan, work, first)
            first += trial
        self._chosen.get(key, self._loops[0]).run(plan, work, first, end)
        self._done[key] = done + end - first

    def _fastest(self, plan: Any, work: Work, first: int) -> Loop:
        """The loop that does `TRIAL_STEPS` steps fastest; all are timed several times, in turn."""
        times = [float("inf")] * len(self._loops)
        for loop in self._loops:
            loop.prepare(work)
        self._runtime.wait()
        for number in [*range(len(times))] * TRIALS:
            begin, end = self._clock(), first + TRIAL_STEPS
            self._loops[number].run(plan, work, first, end)
            self._runtime.wait()
            times[number], first = min(times[number], self._clock() - begin), end
        return self._loops[times.index(min(times))]
