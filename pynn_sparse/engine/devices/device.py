"""What the engine asks of a device."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ...network import Model
from ...network.dynamics import Dynamics
from ..building.builder import Builder
from ..step import Kernel

# Relative times, by the size in KiB of the accumulators that are written to.
Times = tuple[tuple[float, float], ...]


# Exchanges the spikes of some steps, given the first of them and their number.
PassOn = Callable[[int, int], None]


@dataclass(frozen=True)
class Launch:
    """A kernel of a step, the group it works on, and how much there is to do.

    `items` is the length of the longest row of work, `rows` the number of rows (populations; tables
    of a source, for each group of delays).
    """

    kernel: Kernel
    group: int
    items: int
    rows: int = 1  # for each step of a batch, where spikes are served


class Device(Protocol):
    """Memory for arrays, and a way to advance a plan.

    An array of the device is opaque but for its shape and dtype; `put`, `zeros`, `get` and
    `assign` move data, `address` is what a structure in `cuda/core/plan.h` holds.
    """

    name: str
    n_owner: int  # parts into which targets are divided, of which each is written to by itself
    stops_when_full: bool  # `advance` returns early before a spike record overflows
    record_capacity: int  # entries of a spike record, at least
    event_times: Times  # of a synaptic event, to choose by how many delays are delivered together
    segment_time: float  # of finding a segment of synapses
    merges_rows: bool  # whether rows of several projections may become one, where delivery waits
    neurons_rest: bool  # whether those that nothing changes are left out of steps
    shares_memory: bool  # whether `put` gives back an array that is on the device already
    lists_blocks: bool  # whether a list of spikes holds the block of each
    joins_lists: bool  # whether spikes of other processes come into the lists of its own
    has_schedules: bool  # whether given spikes are found by time, see cuda/core/schedule.h
    build_threads: int  # of the host, to prepare synapses with

    @property
    def builder(self) -> Builder:
        """What makes connections and values on the device."""

    def put(self, array: NDArray[Any]) -> Any: ...
    def zeros(self, shape: Any, dtype: DTypeLike) -> Any: ...

    def partly(self, shape: Any, dtype: DTypeLike, share: float) -> Any:
        """Zeros of which a share is going to be used, and the rest need not take memory."""

    def get(self, array: Any) -> NDArray[Any]: ...
    def assign(self, array: Any, selection: Any, values: NDArray[Any]) -> None: ...
    def address(self, array: Any) -> int: ...

    def mark(self) -> Callable[[], None]:
        """A function that waits until all that has been begun by now is done."""

    def free_memory(self) -> int | None:
        """Bytes that can still be had on the device; None if its memory is the host's."""

    def step_function(self, model: Model, precision: str, kinds: int) -> int:
        """Address of a model's kernel for the plan's groups; 0 where the plan does not need it.

        `kinds` has the bits of `BlockArrays.kind` of the blocks that there are.
        """

    def rule_function(self, dynamics: Dynamics, weights: DTypeLike) -> int:
        """Address of what serves a rule of the user's, for weights of a type; 0 if not needed."""

    def delivery(self, rules: Mapping[str, str]) -> Kernel:
        """The kernel that delivers where some rules are the user's.

        `rules` gives the C++ of each kind of synapse in the network, "" for those of the package.
        """

    def deliver_pending(
        self, plan: NDArray[np.void], launches: list[Launch], clock: Any, step: int
    ) -> None:
        """Deliver all of the spikes emitted before `step`, if that waits for anything."""

    def advance(
        self,
        plan: NDArray[np.void],
        launches: list[Launch],
        first: int,
        end: int,
        pass_on: PassOn | None = None,
    ) -> int:
        """Do steps first .. end - 1 of the plan; return the next step to do.

        They may still be under way, until a `mark` says that they are done. `pass_on` exchanges
        spikes with other processes where the device `joins_lists`; others do so by the plan.
        """
