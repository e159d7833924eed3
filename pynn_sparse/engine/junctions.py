"""Gap junctions laid out for the kernel `couple`."""

from __future__ import annotations

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
    """Which neurons are coupled, by pairs of blocks; each junction stands in two rows.

    `coupled` are the neurons of a block that have junctions, by the block's place.
    """

    def __init__(self, network: Network, device: Device) -> None:
        self.network = network
        self.device = device
        self.coupled: dict[int, NDArray[np.int32]] = {}
        self._seen: Any = None
        self._arrays: list[tuple[BlockArrays, BlockArrays, int, tuple[Any, ...]]] = []

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
        by_pair = _by_pair(self.network.junctions)
        _check_stability(by_pair, dt)
        self._seen = seen
        number = {id(arrays.block): k for k, arrays in enumerate(blocks)}
        self._arrays = []
        coupled: dict[int, list[NDArray[np.int32]]] = {}
        for (own, other), ends in by_pair.items():
            mine, theirs = number[id(own)], number[id(other)]
            index = self._add(blocks[mine], blocks[theirs], ends, owner_starts[mine])
            coupled.setdefault(mine, []).append(index)
        self.coupled = {k: np.unique(np.concatenate(each)) for k, each in coupled.items()}

    def _add(
        self, own: BlockArrays, other: BlockArrays, ends: _Ends, starts: NDArray[np.int32]
    ) -> NDArray[np.int32]:
        index, row_start = np.unique(ends.own, return_index=True)
        index = index.astype(np.int32)
        parts = (
            index,
            split(index, starts),
            np.append(row_start, len(ends.own)).astype(np.int32),
            ends.other.astype(np.int32),
            ends.conductance,
        )
        put = tuple(self.device.put(each) for each in parts)
        self._arrays.append((own, other, len(index), put))
        return index

    def describe(self) -> NDArray[np.void]:
        """The plan's records of junctions."""
        address = self.device.address
        rows = [
            (
                address(own.require_current()),
                address(own.row(POTENTIAL)),
                address(other.row(POTENTIAL)),
                *(address(each) for each in parts),
                *(n, own.single, other.single, 0),
            )
            for own, other, n, parts in self._arrays
        ]
        return np.array(rows, structures.JUNCTION)

    @property
    def longest(self) -> int:
        """Most neurons that a record of the plan names."""
        return max((n for _, _, n, _ in self._arrays), default=0)


class _Ends:
    """Junctions as seen from one side: own neuron, other neuron, conductance, each [n].

    Sorted by neuron and then as the tables and their users order them, so that currents are added
    up in an order that depends on nothing else.
    """

    def __init__(self, parts: list[tuple[NDArray[Any], NDArray[Any], NDArray[np.float64]]]) -> None:
        own, other, conductance = (np.concatenate(each) for each in zip(*parts, strict=True))
        order = np.argsort(own, kind="stable")
        self.own, self.other = own[order], other[order]
        self.conductance = np.ascontiguousarray(conductance[order])


def _by_pair(tables: list[SynapseTable]) -> dict[tuple[Block, Block], _Ends]:
    """All junctions from both sides, by own and other block."""
    parts: dict[tuple[Block, Block], list[Any]] = {}
    for table in tables:
        order = table.order()
        source, target = table.source()[order], table.target[order]
        weight = np.broadcast_to(table.weight, (len(table),))[order].astype(np.float64)
        parts.setdefault((table.post, table.pre), []).append((target, source, weight))
        parts.setdefault((table.pre, table.post), []).append((source, target, weight))
    return {pair: _Ends(each) for pair, each in parts.items()}


def _check_stability(by_pair: dict[tuple[Block, Block], _Ends], dt: float) -> None:
    """The current of a step comes from potentials at its beginning: it must not overshoot.

    With G the sum of a neuron's conductances, all modes of the network of membranes are stable if
    dt G <= cm everywhere, by Gershgorin's theorem.
    """
    total: dict[Block, NDArray[Any]] = {}
    for (own, _), ends in by_pair.items():
        sums = np.bincount(ends.own, ends.conductance, own.size)
        total[own] = total.get(own, 0.0) + sums
    for block, conductance in total.items():
        cm = block.parameters.get("cm", CAPACITANCE.get(block.model.name, np.inf))
        ratio = dt * conductance / cm
        worst = int(np.argmax(ratio))
        if ratio[worst] > 1:
            raise ParameterError(
                f"the gap junctions of neuron {worst} of a population of {block.model.name} have "
                f"{conductance[worst]:g} uS: must be at most cm/timestep = "
                f"{conductance[worst] / ratio[worst]:g} uS; take a shorter time step"
            )
