"""Where a network is on TrueNorth's cores: axons, types, columns, and who sends where.

A core has a crossbar of axons (rows) and neurons (columns), and four types of axons; a neuron reads
an axon with its weight for the axon's type, and sends its spikes to one axon.

- *Types*: the weights of a neuron are given to types so that it needs as few new axons of its core
  as possible. An axon carries one source, hop and type: a source whose synapses need several types
  has several axons.
- *Cores* are filled in the order of neurons.
- *Fan-out*: a neuron with several axons to reach is there several times. Those that are one step
  away are reached by copies in its core, which have the same inputs and so the same spikes; one
  more copy reaches an axon with relays, which fire whenever it spikes: a step is spent on the way,
  and the other steps from there. Sources send a packet to each of their axons.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import permutations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import LimitsError, Violation
from ...nets.crossbar import repeats
from ...nets.fixednet import FixedNet

Integers = NDArray[np.int64]
TYPES = 4
ATTEMPTS = 20
BUS = -1  # in place of a core: the output bus


class Column(NamedTuple):
    """A neuron of the chip, which sends spikes of `neuron`.

    `through` is the axon that drives a relay, or None for the neuron itself or a copy of it. It
    sends to `axon` of `core`, or to an output of the bus, with that `hop`.
    """

    neuron: int
    through: int | None
    core: int
    axon: int
    hop: int


@dataclass
class Core:
    """What is on a core.

    Attributes:
        wires: code of what an axon carries (see `_Filling`) -> number of the axon.
        columns: neurons of the chip.
        used: how many columns are taken, before they are made.
        relayed: number of further axons, which drive relays.
    """

    wires: dict[int, int] = field(default_factory=dict)
    columns: list[Column] = field(default_factory=list)
    used: int = 0
    relayed: int = 0

    @property
    def axons(self) -> int:
        """Axons in use."""
        return len(self.wires) + self.relayed


@dataclass(frozen=True)
class Chip:
    """A network on cores.

    Attributes:
        cores: all that are in use.
        core: int64 [N], of each neuron.
        axon: int64 [n_synapses], the axon of its core that brings each synapse its spikes.
        weights: int64 [N, 4], of each type.
        wire: int64 [n, 5], an axon of the network, hop, core, axon and type for each axon of a
            core, without those of relays.
        outputs: neurons without targets, which send to the bus, in the order of its outputs.
    """

    cores: list[Core]
    core: Integers
    axon: Integers
    weights: Integers
    wire: Integers
    outputs: list[int]


def arrange(fixed: FixedNet, name: str, axons: int, columns: int) -> Chip:
    """Put a network on cores with this number of axons and columns.

    Raises `LimitsError` where a neuron needs more axons or copies than a core has.
    """
    needed = np.ones(fixed.n_neurons, np.int64)
    for _ in range(ATTEMPTS):
        chip = _Filling(fixed, name, axons, columns, needed).chip()
        targets = _targets(fixed, chip)
        before, needed = needed, np.maximum(needed, _copies(targets, fixed.n_neurons, columns))
        if (needed == before).all():
            return _connected(chip, targets, name, axons, columns)
    raise _too_large(name, f"copies of neurons that still grow after {ATTEMPTS} attempts", columns)


def _too_large(name: str, what: str, limit: int) -> LimitsError:
    remedy = "prune whole axons or neurons, or give a source's synapses the same delay"
    return LimitsError(name, [Violation("network", what, f"{limit} of a core", remedy)])


# --- cores -----------------------------------------------------------------------------------


class _Filling:
    """Neurons onto cores, one after the other.

    What an axon carries is the code ((source * hops + hop) * copies + copy) * 4 + type, where
    copies tell synapses of equal source, hop, target and weight.
    """

    def __init__(
        self, fixed: FixedNet, name: str, axons: int, columns: int, copies: Integers
    ) -> None:
        self.fixed, self.name, self.axons, self.columns = fixed, name, axons, columns
        self.copies, self.weight = copies, fixed.charge()
        keys = np.column_stack([fixed.source, fixed.target, fixed.hop, self.weight])
        copy = repeats(keys, np.arange(fixed.n_synapses))
        self.sizes = int(fixed.hop.max(initial=0)) + 1, int(copy.max(initial=0)) + 1, TYPES
        self.code = ((fixed.source * self.sizes[0] + fixed.hop) * self.sizes[1] + copy) * TYPES
        self.axon = np.zeros(fixed.n_synapses, np.int64)
        self.weights = np.zeros((fixed.n_neurons, TYPES), np.int64)
        self.core = np.zeros(fixed.n_neurons, np.int64)
        self.cores = [Core()]

    def chip(self) -> Chip:
        """All neurons on cores, without columns."""
        fixed = self.fixed
        order = np.argsort(fixed.target, kind="stable")
        ends = np.searchsorted(fixed.target[order], np.arange(fixed.n_neurons + 1))
        for neuron in range(fixed.n_neurons):
            synapses = order[ends[neuron] : ends[neuron + 1]]
            if not self._put(neuron, synapses):
                self.cores.append(Core())
                if not self._put(neuron, synapses):
                    self._raise(neuron, synapses)
        outputs = np.flatnonzero(np.diff(fixed.start)[: fixed.n_neurons] == 0).tolist()
        return Chip(self.cores, self.core, self.axon, self.weights, self._wires(), outputs)

    def _put(self, neuron: int, synapses: Integers) -> bool:
        """Put a neuron on the last core, if there is room."""
        core = self.cores[-1]
        values, which = np.unique(self.weight[synapses], return_inverse=True)
        groups = [self.code[synapses[which == k]].tolist() for k in range(len(values))]
        kinds = self._best_types(core, groups)
        codes = [code + kind for kind, group in zip(kinds, groups, strict=True) for code in group]
        new = sum(code not in core.wires for code in codes)
        if core.used + self.copies[neuron] > self.columns or core.axons + new > self.axons:
            return False
        for code in codes:
            core.wires.setdefault(code, len(core.wires))
        for k, kind in enumerate(kinds):
            self.weights[neuron, kind] = values[k]
            self.axon[synapses[which == k]] = [core.wires[code + kind] for code in groups[k]]
        core.used += int(self.copies[neuron])
        self.core[neuron] = len(self.cores) - 1
        return True

    def _best_types(self, core: Core, groups: list[list[int]]) -> tuple[int, ...]:
        """Types of a neuron's weights for which the core needs the fewest new axons."""
        new = [
            [sum(code + kind not in core.wires for code in group) for kind in range(TYPES)]
            for group in groups
        ]
        return min(
            permutations(range(TYPES), len(groups)),
            key=lambda kinds: sum(row[kind] for row, kind in zip(new, kinds, strict=True)),
        )

    def _wires(self) -> Integers:
        """Source, hop, core, axon and type of each axon of a core."""
        rows = [
            (code, number, axon)
            for number, core in enumerate(self.cores)
            for code, axon in core.wires.items()
        ]
        code, number, axon = np.asarray(rows, np.int64).reshape(-1, 3).T
        rest, kind = np.divmod(code, TYPES)
        source, hop = np.divmod(rest // self.sizes[1], self.sizes[0])
        return np.column_stack([source, hop, number, axon, kind])

    def _raise(self, neuron: int, synapses: Integers) -> None:
        if self.copies[neuron] > self.columns:
            what = f"neuron {neuron} with {self.copies[neuron]} axons to reach in a step"
            raise _too_large(self.name, what, self.columns)
        if len(set(self.weight[synapses].tolist())) > TYPES:
            raise _too_large(self.name, f"neuron {neuron} with more than 4 weights", TYPES)
        what = f"neuron {neuron} with {len(set(self.code[synapses].tolist()))} sources and delays"
        raise _too_large(self.name, what, self.axons)


# --- who sends where -------------------------------------------------------------------------


class Reached(NamedTuple):
    """An axon that spikes of a neuron have to reach."""

    hop: int
    core: int
    axon: int


def _targets(fixed: FixedNet, chip: Chip) -> dict[int, list[Reached]]:
    """Axons of cores that carry each neuron's spikes, in ascending order of hop."""
    found: dict[int, list[Reached]] = defaultdict(list)
    for source, hop, core, axon, _ in chip.wire.tolist():
        if source < fixed.n_neurons:
            found[source].append(Reached(hop, core, axon))
    return {neuron: sorted(each) for neuron, each in found.items()}


def _split(reached: list[Reached], columns: int) -> tuple[list[Reached], list[list[Reached]]]:
    """Axons that copies reach, and groups of those that relays reach."""
    near = [each for each in reached if each.hop == 1]
    far = [each for each in reached if each.hop > 1]
    groups = [far[i : i + columns] for i in range(0, len(far), columns)]
    near += [group[0] for group in groups if len(group) == 1]
    return near, [group for group in groups if len(group) > 1]


def _copies(targets: dict[int, list[Reached]], neurons: int, columns: int) -> Integers:
    """Columns that each neuron needs on its core."""
    counts = np.ones(neurons, np.int64)
    for neuron, reached in targets.items():
        near, groups = _split(reached, columns)
        counts[neuron] = len(near) + len(groups)
    return counts


def _connected(
    chip: Chip, targets: dict[int, list[Reached]], name: str, axons: int, columns: int
) -> Chip:
    """With all columns and relays."""
    outputs = {neuron: output for output, neuron in enumerate(chip.outputs)}
    if len(outputs) > axons:
        what = f"{len(outputs)} neurons without targets, which send to outputs"
        remedy = "export fewer of them, or connect them"
        raise LimitsError(name, [Violation("network", what, f"{axons} outputs", remedy)])
    relays = _relays(chip, targets, axons, columns)
    for neuron, core in enumerate(chip.core):
        near, _ = _split(targets.get(neuron, []), columns)
        copies = [Column(neuron, None, each.core, each.axon, each.hop) for each in near]
        copies += [Column(neuron, None, each.core, each.axon, 1) for each in relays[neuron]]
        if neuron in outputs:
            copies.append(Column(neuron, None, BUS, outputs[neuron], 1))
        chip.cores[core].columns += copies
    for neuron, groups in relays.items():
        for group in groups:
            chip.cores[group.core].columns += [
                Column(neuron, group.axon, each.core, each.axon, each.hop - 1)
                for each in group.reached
            ]
    return chip


class Relays(NamedTuple):
    """Relays of a neuron on a core, driven by one of its axons."""

    core: int
    axon: int
    reached: list[Reached]


def _relays(
    chip: Chip, targets: dict[int, list[Reached]], axons: int, columns: int
) -> dict[int, list[Relays]]:
    """Relays of each neuron, on the first cores with room; on further ones after those."""
    placed: dict[int, list[Relays]] = defaultdict(list)
    for neuron in range(len(chip.core)):
        _, groups = _split(targets.get(neuron, []), columns)
        for group in groups:
            number = next(
                (
                    i
                    for i, core in enumerate(chip.cores)
                    if core.used + len(group) <= columns and core.axons < axons
                ),
                len(chip.cores),
            )
            if number == len(chip.cores):
                chip.cores.append(Core())
            core = chip.cores[number]
            placed[neuron].append(Relays(number, core.axons, group))
            core.relayed += 1
            core.used += len(group)
    return placed
