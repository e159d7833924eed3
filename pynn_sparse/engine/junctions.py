"""Gap junctions laid out for the kernel `couple`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ParameterError
from ..network import Block, Network, SynapseTable
from . import structures
from .blocks import BlockArrays
from .device import Device
from .ownership import split

POTENTIAL = "v"
# Of a model without the parameter cm (nF): dv/dt in mV/ms per nA is 1/cm.
CAPACITANCE = {"Izhikevich": 0.001}


class JunctionLayout:
    """Which neurons are coupled to which, by block; each junction stands in two rows.

    `coupled` are the neurons of a block that have junctions, by the block's place.
    """

    def __init__(self, network: Network, device: Device) -> None:
        self.network = network
        self.device = device
        self.coupled: dict[int, NDArray[np.int32]] = {}
        self._seen: Any = None
        self._blocks: list[BlockArrays] = []
        self._parts: dict[int, tuple[Any, ...]] = {}

    def synchronise(
        self, blocks: list[BlockArrays], owner_starts: list[NDArray[np.int32]], dt: float
    ) -> None:
        """Take over junctions made or changed since the last call.

        Raises `ParameterError`, changing nothing, for conductances at which steps of `dt` ms are
        unstable.
        """
        versions = [table.version for table in self.network.junctions]
        parameters = [arrays.block.version for arrays in blocks] if versions else []
        seen = versions, parameters, id(owner_starts)
        if seen == self._seen:
            return
        rows = _rows(self.network.junctions, [arrays.block for arrays in blocks])
        for number, row in rows.items():
            _check_stability(blocks[number].block, row, dt)
        self._seen, self._blocks = seen, blocks
        self._compared = owner_starts  # alive, so that its id stays its own
        self._parts, self.coupled = {}, {}
        for number, row in rows.items():
            index, begins = np.unique(row.own, return_index=True)
            self.coupled[number] = index = index.astype(np.int32)
            parts = (
                index,
                split(index, owner_starts[number]),
                np.append(begins, len(row.own)).astype(np.int32),
                np.searchsorted(row.others, row.block).astype(np.int32) + np.int32(1),
                row.other.astype(np.int32),
                row.conductance,
            )
            self._parts[number] = row.others, tuple(map(self.device.put, parts))

    def describe(self, put: Callable[[NDArray[Any]], int]) -> NDArray[np.void]:
        """The plan's records of junctions; `put` brings arrays to the device."""
        rows = []
        for number, (others, parts) in self._parts.items():
            potentials = [self._potential(k) for k in (number, *others)]
            rows.append(
                (
                    self.device.address(self._blocks[number].require_current()),
                    put(np.array(potentials, structures.POTENTIAL)),
                    *map(self.device.address, parts),
                    *(len(self.coupled[number]), 0),
                )
            )
        return np.array(rows, structures.JUNCTION)

    def _potential(self, number: int) -> tuple[int, bool, int]:
        arrays = self._blocks[number]
        return self.device.address(arrays.row(POTENTIAL)), arrays.single, 0

    @property
    def longest(self) -> int:
        """Most neurons that a record of the plan names."""
        return max(map(len, self.coupled.values()), default=0)


class _Rows:
    """Junctions of a block's neurons: own neuron, other's block, other neuron, conductance.

    Sorted by neuron, and then as the tables and their users order them, so that currents are added
    up in an order that depends on nothing else. `others` are the blocks, each once.
    """

    def __init__(self, parts: list[tuple[NDArray[Any], ...]]) -> None:
        own, block, other, conductance = map(np.concatenate, zip(*parts, strict=True))
        order = np.argsort(own, kind="stable")
        self.own, self.block, self.other = own[order], block[order], other[order]
        self.conductance = np.ascontiguousarray(conductance[order])
        self.others = np.unique(block)


def _rows(tables: list[SynapseTable], blocks: list[Block]) -> dict[int, _Rows]:
    """All junctions, from both sides, by the place of the block that they act on."""
    number = {id(block): k for k, block in enumerate(blocks)}
    parts: dict[int, list[tuple[NDArray[Any], ...]]] = {}
    for table in tables:
        order = table.order()
        source, target = table.source()[order], table.target[order]
        weight = np.broadcast_to(table.weight, (len(table),))[order].astype(np.float64)
        pre, post = number[id(table.pre)], number[id(table.post)]
        for own, index, other, others in ((post, target, pre, source), (pre, source, post, target)):
            at = np.full(len(table), other)
            parts.setdefault(own, []).append((index, at, others, weight))
    return {own: _Rows(each) for own, each in parts.items()}


def _check_stability(block: Block, rows: _Rows, dt: float) -> None:
    """The current of a step comes from potentials at its beginning: it must not overshoot.

    With G the sum of a neuron's conductances, all modes of the network of membranes are stable if
    dt G <= cm everywhere, by Gershgorin's theorem.
    """
    conductance = np.bincount(rows.own, rows.conductance, block.size)
    cm = block.parameters.get("cm", CAPACITANCE.get(block.model.name, np.inf))
    ratio = dt * conductance / cm
    worst = int(np.argmax(ratio))
    if ratio[worst] > 1:
        raise ParameterError(
            f"the gap junctions of neuron {worst} of a population of {block.model.name} have "
            f"{conductance[worst]:g} uS: must be at most cm/timestep = "
            f"{conductance[worst] / ratio[worst]:g} uS; take a shorter time step"
        )
