"""Words of TrueNorth's cores, from an arrangement and back.

=========== ==============================================================================
``csram``   a word for each neuron of the chip, core by core, as RANC's core SRAM holds it
``types``   type of each axon, core by core
``columns`` whose spikes each neuron of the chip sends: itself or a copy, or a relay
``inputs``  where the packets of sources go
=========== ==============================================================================

Cores are in a grid, row by row; its last place is the output bus. Places in between are idle cores.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...errors import DamagedTablesError
from ...hardware import Memory
from ...nets.fixednet import FixedNet, Formats, Frame, profiles_of
from ...nets.layout import Field, Layout, bits_for
from .map import BUS, TYPES, Chip

Integers = NDArray[np.int64]
WEIGHT_BITS = LEAK_BITS = 9
POTENTIAL_BITS = 20
THRESHOLD_BITS = 18  # without sign, of a field that is as wide as the potential
OFFSET_BITS = 9  # of dx and dy
TICK_BITS = 4
CONNECTION_BITS = 32  # in a field
NO_FLOOR = -(1 << (POTENTIAL_BITS - 1))
NEVER = (1 << THRESHOLD_BITS) - 1  # threshold of idle neurons
IDLE, NEURON, RELAY = range(3)


@dataclass(frozen=True)
class Grid:
    """Places of cores; the last one is the output bus."""

    x: int
    y: int

    @classmethod
    def of(cls, cores: int) -> Grid:
        """The smallest one that is about square; also from the number of `places`."""
        x = math.isqrt(cores) + 1  # the root of cores + 1, rounded up
        return cls(x, -(-(cores + 1) // x))

    @property
    def places(self) -> int:
        """Without the output bus."""
        return self.x * self.y - 1


def neuron_layout(axons: int) -> Layout:
    """A word of the core SRAM."""
    chunk = min(CONNECTION_BITS, axons)
    potential, weight = POTENTIAL_BITS, WEIGHT_BITS
    return Layout(
        "csram",
        (
            Field("tick", TICK_BITS, False, "delivery, ticks less 1"),
            Field("axon", bits_for(axons - 1), False, "destination"),
            Field("dy", OFFSET_BITS, True, "rows of the grid to the destination's core"),
            Field("dx", OFFSET_BITS, True, "columns of the grid to the destination's core"),
            Field("reset_mode", 1, False, "1: resets subtract the threshold"),
            Field("floor", potential, True, "negative threshold"),
            Field("threshold", potential, True, "positive threshold"),
            Field("leak", LEAK_BITS, True, "added in each tick"),
            *(
                Field(f"weight_{kind}", weight, True, f"of axons of type {kind}")
                for kind in reversed(range(TYPES))
            ),
            Field("reset", potential, True, "potential after a spike"),
            Field("potential", potential, True, "at the beginning"),
            *(
                Field(f"axons_{i}", chunk, False, f"synapses of axons {i * chunk} and on")
                for i in range(axons // chunk)
            ),
        ),
    )


def type_layout() -> Layout:
    """A word of the token controller."""
    return Layout("type", (Field("type", 2, False, "of the axon"),))


def column_layout(neurons: int) -> Layout:
    """What a neuron of the chip is."""
    return Layout(
        "column",
        (
            Field("neuron", bits_for(neurons - 1), False, "whose spikes it sends"),
            Field("role", 2, False, "0: idle; 1: this neuron, or a copy; 2: a relay"),
        ),
    )


def input_layout(sources: int, axons: int, places: int) -> Layout:
    """Where a packet goes for a spike of a source."""
    return Layout(
        "input",
        (
            Field("source", bits_for(sources - 1), False, "source"),
            Field("core", bits_for(places - 1), False, "number in the grid"),
            Field("axon", bits_for(axons - 1), False, "axon of the core"),
            Field("tick", TICK_BITS, False, "delivery, ticks less 1"),
        ),
    )


def pack(
    fixed: FixedNet, chip: Chip, axons: int, columns: int, reset_mode: int
) -> dict[str, Memory]:
    """The tables of a network that is on cores."""
    grid = Grid.of(len(chip.cores))
    values, role, neuron = _columns(fixed, chip, grid, axons, columns, reset_mode)
    kinds = np.zeros(grid.places * axons, np.int64)
    source, _, core, axon, kind = chip.wire.T
    kinds[core * axons + axon] = kind
    of_source = source >= fixed.n_neurons
    inputs = chip.wire[of_source]
    inputs = inputs[np.lexsort((inputs[:, 3], inputs[:, 2], inputs[:, 0]))]
    word, kind_word = neuron_layout(axons), type_layout()
    column = column_layout(fixed.n_neurons)
    entry = input_layout(fixed.n_axons - fixed.n_neurons, axons, grid.places)
    return {
        "csram": Memory(word, word.encode(values)),
        "types": Memory(kind_word, kind_word.encode({"type": kinds})),
        "columns": Memory(column, column.encode({"neuron": neuron, "role": role})),
        "inputs": Memory(
            entry,
            entry.encode(
                {
                    "source": inputs[:, 0] - fixed.n_neurons,
                    "core": inputs[:, 2],
                    "axon": inputs[:, 3],
                    "tick": inputs[:, 1] - 1,
                }
            ),
        ),
    }


def _columns(
    fixed: FixedNet, chip: Chip, grid: Grid, axons: int, columns: int, reset_mode: int
) -> tuple[dict[str, Integers], Integers, Integers]:
    """Fields of the core SRAM, and role and neuron of each of its words."""
    n = grid.places * columns
    values = {f.name: np.zeros(n, np.int64) for f in neuron_layout(axons).fields}
    values["threshold"][:], values["floor"][:] = NEVER, NO_FLOOR
    rows = [
        (core * columns + i, core, column.through is not None, *column)
        for core, each in enumerate(chip.cores)
        for i, column in enumerate(each.columns)
    ]
    own = [(*row[:4], -1 if row[4] is None else row[4], *row[5:]) for row in rows]
    word, core, relay, neuron, through, to, axon, hop = np.asarray(own, np.int64).T
    to = np.where(to == BUS, grid.places, to)
    values["tick"][word], values["axon"][word] = hop - 1, axon
    values["dx"][word] = to % grid.x - core % grid.x
    values["dy"][word] = to // grid.x - core // grid.x
    _neurons(values, fixed, chip, word[relay == 0], neuron[relay == 0], reset_mode)
    relays = word[relay == 1]
    values["threshold"][relays] = values["weight_0"][relays] = 1
    _connect(values, relays, through[relay == 1])
    role, sends = np.zeros(n, np.int64), np.zeros(n, np.int64)
    role[word], sends[word] = np.where(relay == 1, RELAY, NEURON), neuron
    return values, role, sends


def _neurons(
    values: dict[str, Integers],
    fixed: FixedNet,
    chip: Chip,
    word: Integers,
    neuron: Integers,
    reset_mode: int,
) -> None:
    """Registers and synapses of neurons and their copies."""
    registers, profile = fixed.profiles, fixed.profile[neuron]
    values["reset_mode"][word] = reset_mode
    for name, each in (
        ("threshold", registers.threshold),
        ("floor", registers.floor),
        ("reset", registers.reset),
        ("leak", registers.bias),
    ):
        if each is not None:
            values[name][word] = each[profile]
    values["potential"][word] = fixed.initial[neuron]
    for kind in range(TYPES):
        values[f"weight_{kind}"][word] = chip.weights[neuron, kind]
    order = np.argsort(fixed.target, kind="stable")
    ends = np.searchsorted(fixed.target[order], np.arange(fixed.n_neurons + 1))
    counts = np.diff(ends)[neuron]
    begin = np.cumsum(counts) - counts
    index = np.arange(counts.sum()) - np.repeat(begin - ends[neuron], counts)
    _connect(values, np.repeat(word, counts), chip.axon[order[index]])


def _connect(values: dict[str, Integers], word: Integers, axon: Integers) -> None:
    for i in range(sum(name.startswith("axons_") for name in values)):
        mine = axon // CONNECTION_BITS == i
        bit = np.int64(1) << (axon[mine] % CONNECTION_BITS)
        np.bitwise_or.at(values[f"axons_{i}"], word[mine], bit)


# --- back ------------------------------------------------------------------------------------


def unpack(
    memories: Mapping[str, Memory], frame: Frame, axons: int, columns: int, reset_mode: int
) -> FixedNet:
    """The network that tables hold: synapses are found through axons, types, copies and relays.

    Raises `DamagedTablesError` where the tables are those of no network.
    """
    reader = _Reader(memories, frame, axons, columns, reset_mode)
    source, target, hop, weight = reader.synapses().T
    order = np.lexsort((weight, hop, target, source))
    source, target, hop, weight = (each[order] for each in (source, target, hop, weight))
    profiles, profile = profiles_of(reader.registers(), 1)
    zero, one = np.zeros(len(source), np.int64), np.zeros(1, np.int64)
    n_axons = sum(each.size for each in frame.axons)
    return FixedNet(
        frame.semantics,
        frame.axons,
        profiles,
        profile,
        reader.values["potential"][reader.first],
        Formats(one, one, one),
        np.searchsorted(source, np.arange(n_axons + 1)).astype(np.int64),
        target,
        weight,
        hop,
        zero,
    )


class _Reader:
    """Who sends to whom, from decoded words."""

    def __init__(
        self,
        memories: Mapping[str, Memory],
        frame: Frame,
        axons: int,
        columns: int,
        reset_mode: int,
    ) -> None:
        table = {name: each.layout.decode(each.words) for name, each in memories.items()}
        self.values, self.inputs = table["csram"], table["inputs"]
        self.kind, self.role = table["types"]["type"], table["columns"]["role"]
        self.neuron = table["columns"]["neuron"]
        self.axons, self.columns = axons, columns
        self.n_neurons = sum(each.size for each in frame.axons if not each.is_source)
        self.n_axons = sum(each.size for each in frame.axons)
        places = len(self.role) // columns
        self.grid = Grid.of(places)
        if (
            self.grid.places != places
            or len(self.role) != len(self.values["tick"])
            or len(self.kind) != places * axons
        ):
            raise DamagedTablesError(f"csram, types and columns are not those of {places} cores")
        if (self.role > RELAY).any():
            raise DamagedTablesError(f"columns.role = {self.role.max()}: must be 0 to 2")
        self.first = self._first()
        if (self.values["reset_mode"][self.first] != reset_mode).any():
            raise DamagedTablesError(f"csram.reset_mode: must be {reset_mode} for all neurons")
        self.bits = self._bits()
        self._check_copies()

    def _first(self) -> Integers:
        """The word of each neuron, of which others are copies."""
        word = np.flatnonzero(self.role == NEURON)
        found, index = np.unique(self.neuron[word], return_index=True)
        if not np.array_equal(found, np.arange(self.n_neurons)):
            raise DamagedTablesError(f"columns has {len(found)} of {self.n_neurons} neurons")
        return np.asarray(word[index])

    def _bits(self) -> NDArray[np.bool_]:
        """Synapses [words, axons]."""
        chunk = min(CONNECTION_BITS, self.axons)
        fields = [self.values[f"axons_{i}"] for i in range(self.axons // chunk)]
        bits = [(each[:, None] >> np.arange(chunk)) & 1 for each in fields]
        return np.concatenate(bits, axis=1).astype(bool)

    def _check_copies(self) -> None:
        copies = np.flatnonzero(self.role == NEURON)
        first = self.first[self.neuron[copies]]
        names = ["reset_mode", "floor", "threshold", "leak", "reset", "potential"]
        names += [f"weight_{kind}" for kind in range(TYPES)]
        same = (self.bits[copies] == self.bits[first]).all(axis=1)
        for name in names:
            same &= self.values[name][copies] == self.values[name][first]
        same &= copies // self.columns == first // self.columns
        if not same.all():
            word = copies[np.argmin(same)]
            raise DamagedTablesError(f"csram, word {word}: a copy that is not as its neuron")

    def registers(self) -> Integers:
        """Columns for `profiles_of`; there are no decays and no refractory periods."""
        zero = np.zeros(self.n_neurons, np.int64)
        names = ("threshold", "reset", "leak")
        threshold, reset, leak = (self.values[name][self.first] for name in names)
        floor = self.values["floor"][self.first]
        return np.column_stack([zero + 1, zero, threshold, reset, leak, zero, floor])

    def synapses(self) -> Integers:
        """Source, target, hop and weight of each, [n, 4]."""
        source, hop = self._drivers()
        neuron, axon = np.nonzero(self.bits[self.first])
        word = self.first[neuron] // self.columns * self.axons + axon
        if (source[word] < 0).any():
            where = word[np.argmin(source[word])]
            raise DamagedTablesError(
                f"axon {where % self.axons} of core {where // self.axons} "
                "has synapses, and nobody sends to it"
            )
        weights = np.column_stack([self.values[f"weight_{kind}"] for kind in range(TYPES)])
        weight = weights[self.first[neuron], self.kind[word]]
        return np.column_stack([source[word], neuron, hop[word], weight])

    def _drivers(self) -> tuple[Integers, Integers]:
        """For each axon of each core, whose spikes it carries, or -1; and how many steps later."""
        source = np.full(self.grid.places * self.axons, -1)
        hop = np.zeros_like(source)

        def drive(word: Integers, axon: Integers, later: Integers) -> None:
            if len(np.unique(word)) < len(word) or (source[word] >= 0).any():
                raise DamagedTablesError("an axon gets spikes from several neurons or sources")
            source[word], hop[word] = axon, later

        core = self.inputs["core"]
        if (core >= self.grid.places).any() or (
            self.inputs["source"] >= self.n_axons - self.n_neurons
        ).any():
            raise DamagedTablesError("inputs names cores or sources that are not there")
        drive(
            core * self.axons + self.inputs["axon"],
            self.inputs["source"] + self.n_neurons,
            self.inputs["tick"] + 1,
        )
        for role in (NEURON, RELAY):
            words = np.flatnonzero(self.role == role)
            to = self._destination(words)
            inside = to >= 0
            words, to = words[inside], to[inside]
            later = self.values["tick"][words] + 1
            if role == RELAY:
                later = later + self._relayed(words, source, hop)
            drive(to, self.neuron[words], later)
        return source, hop

    def _destination(self, words: Integers) -> Integers:
        """Axon of a core that neurons of the chip send to; -1 for the output bus."""
        core = words // self.columns
        x = core % self.grid.x + self.values["dx"][words]
        y = core // self.grid.x + self.values["dy"][words]
        if ((x < 0) | (x >= self.grid.x) | (y < 0) | (y >= self.grid.y)).any():
            raise DamagedTablesError("csram: a neuron sends to a core that is not there")
        word = y * self.grid.x + x
        axon = word * self.axons + self.values["axon"][words]
        return np.asarray(np.where(word < self.grid.places, axon, -1))

    def _relayed(self, words: Integers, source: Integers, hop: Integers) -> Integers:
        """Steps until relays fire, after the spikes that they repeat."""
        bits = self.bits[words]
        axon = words // self.columns * self.axons + np.argmax(bits, axis=1)
        fires = (bits.sum(axis=1) == 1) & (source[axon] == self.neuron[words])
        weights = np.column_stack([self.values[f"weight_{kind}"][words] for kind in range(TYPES)])
        weight = weights[np.arange(len(words)), self.kind[axon]]
        for found, wanted in (
            (weight, 1),
            (self.values["threshold"][words], 1),
            (self.values["leak"][words], 0),
            (self.values["reset"][words], 0),
            (self.values["potential"][words], 0),
            (self.values["reset_mode"][words], 0),
        ):
            fires &= found == wanted
        if not fires.all():
            word = words[np.argmin(fires)]
            raise DamagedTablesError(f"csram, word {word}: a relay that does not repeat its neuron")
        return np.asarray(hop[axon])
