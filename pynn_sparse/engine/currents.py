"""Injected currents laid out for the kernel `inject`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..network import Network
from . import structures
from .blocks import BlockArrays
from .device import Device
from .ownership import split


class CurrentLayout:
    """Which neurons get the currents of which sources, by block."""

    def __init__(self, network: Network, device: Device) -> None:
        self.network = network
        self.device = device
        self._seen: Any = None
        self._arrays: list[tuple[BlockArrays, int, tuple[Any, ...]]] = []

    def synchronise(self, blocks: list[BlockArrays], owner_starts: list[NDArray[np.int32]]) -> None:
        """Take over injections made since the last call."""
        seen = (len(self.network.injections), id(owner_starts))
        if seen == self._seen or not self.network.injections:
            return
        self._seen = seen
        neuron = np.concatenate([each.neurons for each in self.network.injections])
        source = np.repeat(
            np.arange(len(self.network.injections), dtype=np.int32),
            [len(each.neurons) for each in self.network.injections],
        )
        self._arrays = []
        for arrays, starts in zip(blocks, owner_starts, strict=True):
            index = neuron - arrays.block.first
            mine = (index >= 0) & (index < arrays.block.size)
            if mine.any():
                self._add(arrays, index[mine], source[mine], starts)

    def _add(
        self,
        arrays: BlockArrays,
        index: NDArray[np.int64],
        source: NDArray[np.int32],
        starts: NDArray[np.int32],
    ) -> None:
        # Stable, so that a neuron's currents are added in the order of their injection.
        order = np.argsort(index, kind="stable")
        neurons, counts = np.unique(index.astype(np.int32), return_counts=True)
        row_start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
        parts = tuple(
            self.device.put(each)
            for each in (neurons, split(neurons, starts), row_start, source[order])
        )
        self._arrays.append((arrays, len(neurons), parts))

    def describe(self) -> NDArray[np.void]:
        """The plan's records of injections."""
        address = self.device.address
        rows = [
            (
                address(arrays.require_current()),
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

    def waveforms(self, first: int, n: int) -> NDArray[np.float64]:
        """Currents of all sources in steps first .. first + n - 1, [source][step]."""
        grid = self.network.grid
        rows = [each.source.sample(first, n, grid) for each in self.network.injections]
        return np.stack(rows) if rows else np.zeros((0, n))
