"""The network: blocks of neurons, tables of synapses, currents, and what is recorded."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import memory
from .block import Block
from .currents import CurrentsOfEach, CurrentSource
from .model import Model
from .probe import Probe, SynapseProbe
from .proven import Proven
from .stream import Stream, Trials
from .synapses import SynapseTable
from .time import TimeGrid

MAX_NEURONS = 2**31 - 1


@dataclass
class Injection:
    """A current source and the neurons [n] (in the network's index space) that it feeds.

    With `each`, that gives a current for each of them instead.
    """

    source: CurrentSource | CurrentsOfEach
    neurons: NDArray[np.int64]
    each: CurrentsOfEach | None = None

    @property
    def waveforms(self) -> int:
        """How many currents the source gives."""
        return len(self.neurons) if self.each else 1


@dataclass(frozen=True)
class Modulation:
    """Connections by which spikes modulate the synapses onto their targets.

    Attributes:
        table: of the connections, whose delays and receptor have no meaning.
        sign: of what a spike brings, by which weights are multiplied.
    """

    table: SynapseTable
    sign: float


@dataclass
class Network:
    """All that there is to simulate. Invariants: blocks are contiguous and in order; every index
    in a table is below `size`; a table's delays are at least 1; blocks, tables and junctions know
    their places in these lists as their `index`, from which only the last ones are taken away.

    `junctions` are tables of gap junctions, whose weights are conductances in uS and act both ways.
    """

    grid: TimeGrid
    seed: int
    n_process: int = 1  # that share it
    blocks: list[Block] = field(default_factory=list)
    tables: list[SynapseTable] = field(default_factory=list)
    junctions: list[SynapseTable] = field(default_factory=list)
    injections: list[Injection] = field(default_factory=list)
    probes: list[Probe] = field(default_factory=list)
    synapse_probes: list[SynapseProbe] = field(default_factory=list)
    modulations: list[Modulation] = field(default_factory=list)
    size: int = 0  # number of neurons, spike sources included
    _wanted: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))
    _proven: dict[Model, Proven] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.trials = Trials()
        self.stream = Stream(self.seed, 0, self.trials)
        self._first_table = 0  # of those whose random numbers come from `stream`

    @property
    def spikes_wanted(self) -> NDArray[np.bool_]:
        """Whether each neuron's spikes are recorded, [size], to be written to."""
        return self._wanted[: self.size]

    def add_block(
        self, model: Model, size: int, parameters: dict[str, Any], label: str = ""
    ) -> Block:
        """Append neurons. Raises `ParameterError` or `NetworkTooLargeError`, changing nothing."""
        self.require_room(size)
        place = self.grid, self.stream, self._proven.get(model), len(self.blocks), label
        block = Block(model, size, self.size, parameters, *place)
        if block.proven is not None:
            self._proven[model] = block.proven
        self.blocks.append(block)
        if self.size + size > len(self._wanted):  # twice as many, so that single ones take no time
            more = np.zeros(self.size + 2 * size, bool)
            self._wanted = np.append(self.spikes_wanted, more)
        self.size += size
        return block

    def require_room(self, size: int) -> None:
        """Raise `NetworkTooLargeError` if there is no room for so many neurons more."""
        if self.size + size > MAX_NEURONS:
            raise memory.NetworkTooLargeError(
                f"{size} neurons more would make {self.size + size}: must be at most {MAX_NEURONS}"
            )
        own = size / self.n_process
        needed = own * memory.BYTES_PER_NEURON + (size - own) * memory.BYTES_PER_FOREIGN_NEURON
        memory.require(needed, f"a population of {size} neurons")

    def begin_instance(self, seed: int) -> None:
        """Let what is added from now on draw the random numbers of a network of its own."""
        self.stream = Stream(seed, self.size, self.trials)
        self._first_table = len(self.tables)

    def add_tables(self, tables: list[SynapseTable], label: str = "") -> None:
        """Append synapses of a projection."""
        for table in tables:
            table.index, table.label = len(self.tables), label
            number = table.index - self._first_table
            table.stream = Stream(self.stream.seed, number, self.trials)
            self.tables.append(table)

    def add_junctions(self, tables: list[SynapseTable], label: str = "") -> None:
        """Append gap junctions of a projection."""
        for table in tables:
            table.index, table.label = len(self.junctions), label
            self.junctions.append(table)

    def remove_last_block(self, block: Block) -> None:
        """Take back `add_block`, for a population that turned out to be ill-defined."""
        assert self.blocks[-1] is block
        self.blocks.pop()
        self._wanted[block.first :] = False
        self.size = block.first

    def discard(self) -> None:
        """Give back what was recorded, whoever still refers to it, and let go of all else."""
        for probe in (*self.probes, *self.synapse_probes):
            probe.restart(0)
        for block in self.blocks:
            block.discard()
        self._proven.clear()
        for each in (self.blocks, self.tables, self.junctions, self.injections, self.probes):
            each.clear()
        self.modulations.clear()
        self.synapse_probes.clear()

    def versions(self) -> tuple[Any, ...]:
        """What is another value after any change that an engine has to take over.

        Waveforms of current sources do not belong to it: they are looked at in each call down.
        """
        return (
            [(block.version, bool(block.assigned)) for block in self.blocks],
            [(table.version, table.moves) for table in self.tables],
            [table.version for table in self.junctions],
            [each.table.version for each in self.modulations],
            len(self.injections),
            [(each, len(each.index), each.first, each.rows > 0) for each in self.probes],
            self.spikes_wanted.tobytes(),
        )

    def least_delay(self) -> int | None:
        """Least delay of all synapses, in steps; None without synapses."""
        return min((table.waits.delay[0] for table in self.tables if len(table)), default=None)

    def greatest_delay(self) -> int | None:
        """Greatest delay of all synapses, in steps; None without synapses."""
        return max((table.waits.delay[1] for table in self.tables if len(table)), default=None)
