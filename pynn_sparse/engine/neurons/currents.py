"""Injected currents laid out for the kernel `inject`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from ...network import Network
from ...network.currents import CurrentSource
from .. import structures
from ..devices.device import Device
from ..ownership import Ownership, split
from .blocks import BlockArrays
from .junctions import JunctionLayout


class CurrentLayout:
    """Which neurons get the currents of which sources, by block."""

    def __init__(self, network: Network, device: Device) -> None:
        self.network = network
        self.device = device
        self.rows = 0  # waveforms
        self._seen: Any = None
        self._arrays: list[tuple[BlockArrays, int, tuple[Any, ...]]] = []

    def synchronise(
        self,
        blocks: list[BlockArrays],
        ownership: Ownership,
        junctions: JunctionLayout,
    ) -> None:
        """Take over injections made since the last call.

        What flows through gap junctions is added to a current that begins at 0 in each step.
        """
        coupled = junctions.coupled
        seen = (len(self.network.injections), ownership, junctions.version)
        if seen == self._seen or not (self.network.injections or coupled):
            return
        self._seen = seen
        none = np.zeros(0, np.int64)
        neuron = np.concatenate([none, *(each.neurons for each in self.network.injections)])
        source, self.rows = self._rows()
        self._arrays = []
        for number, (arrays, starts) in enumerate(zip(blocks, ownership.starts, strict=True)):
            index = neuron - arrays.block.first
            mine = (index >= 0) & (index < arrays.block.size)
            also = coupled.get(number, none)
            if mine.any() or len(also):
                self._add(arrays, index[mine], source[mine], also, starts)

    def _rows(self) -> tuple[NDArray[np.int32], int]:
        """The waveform that each neuron gets, in the order of injections; how many there are."""
        found, first = [np.zeros(0, np.int32)], 0
        for each in self.network.injections:
            own = np.arange(len(each.neurons)) * (each.each is not None)
            found.append((first + own).astype(np.int32))
            first += each.waveforms
        return np.concatenate(found), first

    def _add(
        self,
        arrays: BlockArrays,
        index: NDArray[np.int64],
        source: NDArray[np.int32],
        also: NDArray[Any],
        starts: NDArray[np.int32],
    ) -> None:
        # Stable, so that a neuron's currents are added in the order of their injection.
        order = np.argsort(index, kind="stable")
        neurons = np.union1d(index, also).astype(np.int32)
        row_start = np.searchsorted(index[order], np.append(neurons, arrays.block.size))
        row_start = row_start.astype(np.int32)
        parts = tuple(
            self.device.put(each)
            for each in (neurons, split(neurons, starts), row_start, source[order])
        )
        self._arrays.append((arrays, len(neurons), parts))

    def describe(self, awake: Callable[[int], int]) -> NDArray[np.void]:
        """The plan's records of injections; `awake` gives addresses by block, see `Rest`."""
        address = self.device.address
        rows = [
            (
                address(arrays.require_current()),
                awake(arrays.block.index),
                *(address(each) for each in parts),
                n,
                arrays.single,
            )
            for arrays, n, parts in self._arrays
        ]
        return np.array(rows, structures.INJECTION)

    @property
    def longest(self) -> int:
        """Most neurons that a record of the plan names."""
        return max((n for _, n, _ in self._arrays), default=0)

    @property
    def per_step(self) -> float:
        """Currents that are kept for a step, on average, at most."""
        each = [each for each in self.network.injections if each.each]
        return self.rows - sum(one.waveforms * (1 - one.each.share) for one in each if one.each)

    def waveforms(self, first: int, n: int) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
        """Currents in steps first .. first + n - 1 as rows [row][waveform], and the row of each.

        A step in which no current changes has the row of the step before.
        """
        grid, steps = self.network.grid, np.arange(first, first + n)
        changes = np.arange(n) == 0
        alike: dict[int, NDArray[np.float64]] = {}
        for number, one in enumerate(self.network.injections):
            if one.each:
                changes |= one.each.changes(steps)
            else:
                alike[number] = values = cast(CurrentSource, one.source).sample(first, n, grid)
                changes[1:] |= values[1:] != values[:-1]
        rows, begin = np.empty((np.count_nonzero(changes), self.rows)), 0
        for number, one in enumerate(self.network.injections):
            own = slice(begin, begin + one.waveforms)
            rows[:, own] = one.each.at(steps[changes]) if one.each else alike[number][changes, None]
            begin = own.stop
        return rows, (np.cumsum(changes) - 1).astype(np.int32)
