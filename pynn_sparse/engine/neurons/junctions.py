"""Gap junctions laid out for the kernel `couple`.

The current of a step comes from the potentials at its beginning. Where conductances are so strong
that it would overshoot, they give way to those that bring its mean over the step: `coupling.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import ParameterError
from ...network import Block, Network, SynapseTable
from .. import structures
from ..devices.device import Device
from ..ownership import Ownership, split
from . import coupling
from .blocks import BlockArrays

POTENTIAL = "v"
# Of a model without the parameter cm (nF): dv/dt in mV/ms per nA is 1/cm.
CAPACITANCE = {"Izhikevich": 0.001}


class JunctionLayout:
    """Which neurons are coupled to which, by block; each junction stands in two rows.

    `coupled` are the neurons of a block that have junctions, by the block's place, and `version`
    counts how often they have been found anew.
    """

    def __init__(self, network: Network, device: Device) -> None:
        self.network = network
        self.device = device
        self.coupled: dict[int, NDArray[np.int32]] = {}
        self.version = 0
        self._seen: Any = None
        self._blocks: list[BlockArrays] = []
        self._parts: dict[int, tuple[Any, ...]] = {}

    def synchronise(self, blocks: list[BlockArrays], ownership: Ownership, dt: float) -> None:
        """Take over junctions made or changed since the last call.

        Raises `ParameterError`, changing nothing, for conductances that need steps shorter than
        `dt` ms: of more neurons than are solved together, or of a model without a capacitance.
        """
        versions = [table.version for table in self.network.junctions]
        parameters = [arrays.block.version for arrays in blocks] if versions else []
        seen = versions, parameters, ownership
        if seen == self._seen:
            return
        rows = _rows(self.network.junctions, [arrays.block for arrays in blocks], dt)
        self._seen, self._blocks = seen, blocks
        self._parts, self.coupled = {}, {}
        self.version += 1
        for number, row in rows.items():
            index, begins = np.unique(row.own, return_index=True)
            self.coupled[number] = index = index.astype(np.int32)
            parts = (
                index,
                split(index, ownership.starts[number]),
                np.append(begins, len(row.own)).astype(np.int32),
                np.searchsorted(row.others, row.block).astype(np.int32) + np.int32(1),
                row.other.astype(np.int32),
                row.conductance,
            )
            self._parts[number] = row.others, tuple(map(self.device.put, parts))

    def describe(
        self, put: Callable[[NDArray[Any]], int], awake: Callable[[int], int]
    ) -> NDArray[np.void]:
        """The plan's records of junctions.

        `put` brings arrays to the device, `awake` gives addresses by block, see `Rest`.
        """
        rows = []
        for number, (others, parts) in self._parts.items():
            potentials = [self._potential(k) for k in (number, *others)]
            rows.append(
                (
                    self.device.address(self._blocks[number].require_current()),
                    awake(number),
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


class _Junctions:
    """Neurons by their places in all blocks together, and what couples them.

    `one` and `other` are the ends of each junction, `conductance` (uS) is as long. They are sorted
    as the tables and their users order them, so that currents are added up in an order that depends
    on nothing else.
    """

    def __init__(self, tables: list[SynapseTable], blocks: list[Block]) -> None:
        self.blocks = blocks
        self.first = np.cumsum([0, *(block.size for block in blocks)])
        parts: list[tuple[NDArray[Any], ...]] = [(np.zeros(0, int), np.zeros(0, int), np.zeros(0))]
        for table in tables:
            order = table.order()
            source = self.first[table.pre.index] + table.source()[order].astype(np.int64)
            target = self.first[table.post.index] + table.target[order].astype(np.int64)
            weight = np.broadcast_to(table.weight, (len(table),))[order].astype(np.float64)
            # Both sides of a table before the next table
            parts += [(target, source, weight), (source, target, weight)]
        self.one, self.other, self.conductance = map(np.concatenate, zip(*parts, strict=True))

    def solve_strong(self, dt: float) -> None:
        """Replace the junctions of groups of neurons in which currents would overshoot."""
        if not len(self.one):
            return
        n = int(self.first[-1])
        cm = np.concatenate([np.broadcast_to(_capacitance(b), (b.size,)) for b in self.blocks])
        between = np.where(self.one == self.other, 0.0, self.conductance)
        load = dt * np.bincount(self.one, between, n) / cm
        if not (load > coupling.WEAK).any():
            return
        group = coupling.groups(self.one, self.other, n)
        strong = np.unique(group[load > coupling.WEAK])
        kept, made = ~np.isin(group[self.one], strong), []
        for label in strong:
            members = np.flatnonzero(group == label)
            if len(members) > coupling.MOST_COUPLED:
                self._check_stable(members, load, cm, dt)
                kept |= group[self.one] == label
                continue
            self._check_capacitance(members, load, cm)
            of = group[self.one] == label
            matrix = np.zeros((len(members), len(members)))
            ends = (np.searchsorted(members, end[of]) for end in (self.one, self.other))
            np.add.at(matrix, tuple(ends), between[of])
            mean = coupling.mean_conductances(matrix, cm[members], dt)
            one, other = np.nonzero(mean)
            made.append((members[one], members[other], mean[one, other]))
        old = self.one[kept], self.other[kept], self.conductance[kept]
        self.one, self.other, self.conductance = map(np.concatenate, zip(old, *made, strict=True))

    def _name(self, neuron: int) -> str:
        number = int(np.searchsorted(self.first, neuron, side="right")) - 1
        index, model = neuron - self.first[number], self.blocks[number].model.name
        return f"neuron {index} of a population of {model}"

    def _check_stable(self, members: NDArray[np.int64], load: Any, cm: Any, dt: float) -> None:
        """Of more neurons than are solved together: no mode grows."""
        worst = int(members[np.argmax(load[members])])
        if load[worst] > 1:
            raise ParameterError(
                f"the gap junctions of {self._name(worst)} have {load[worst] * cm[worst] / dt:g} "
                f"uS: must be at most cm/timestep = {cm[worst] / dt:g} uS in a group of more than "
                f"{coupling.MOST_COUPLED} coupled neurons, and this one has {len(members)}; take "
                "a shorter time step"
            )

    def _check_capacitance(self, members: NDArray[np.int64], load: Any, cm: Any) -> None:
        unknown = members[~np.isfinite(cm[members])]
        if len(unknown):
            worst = int(members[np.argmax(load[members])])
            raise ParameterError(
                f"the gap junctions of {self._name(worst)} are too strong for the time step while "
                f"it is coupled to {self._name(int(unknown[0]))}, which has no parameter cm; "
                "take a shorter time step"
            )


class _Rows:
    """Junctions of a block's neurons: own neuron, other's block, other neuron, conductance.

    Sorted by neuron, and then as they came. `others` are the blocks, each once.
    """

    def __init__(self, junctions: _Junctions, number: int) -> None:
        first = junctions.first
        mine = np.flatnonzero(
            (first[number] <= junctions.one) & (junctions.one < first[number + 1])
        )
        mine = mine[np.argsort(junctions.one[mine], kind="stable")]
        other = junctions.other[mine]
        self.own = junctions.one[mine] - first[number]
        self.block = np.searchsorted(first, other, side="right") - 1
        self.other = other - first[self.block]
        self.conductance = np.ascontiguousarray(junctions.conductance[mine])
        self.others = np.unique(self.block)


def _rows(tables: list[SynapseTable], blocks: list[Block], dt: float) -> dict[int, _Rows]:
    """All junctions, from both sides, by the place of the block that they act on."""
    junctions = _Junctions(tables, blocks)
    junctions.solve_strong(dt)
    owners = np.unique(np.searchsorted(junctions.first, junctions.one, side="right") - 1)
    return {int(number): _Rows(junctions, int(number)) for number in owners}


def _capacitance(block: Block) -> Any:
    """In nF; infinite where a model does not say."""
    return block.parameters.get("cm", CAPACITANCE.get(block.model.name, np.inf))
