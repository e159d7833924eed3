"""Synapses laid out for delivery: rows, units of accumulators, and the ring of inputs."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...network import Block, Network, SynapseTable, memory
from ...network.block import Arrays
from ...network.synapses import MAX_DELAY_STEPS
from ...notices import warn
from .. import structures
from ..devices.device import Device, Times
from ..exchange.processes import Processes
from ..ownership import Ownership
from .dense import StoredDense
from .gpu import StoredOnGpu
from .merged import Bundles, Place
from .own import StoredOnHost
from .shared import StoredShared
from .stored import Arrangement, Stored
from .survey import survey_of
from .units import Ports, exponents, input_bound
from .whole import Wholes

if TYPE_CHECKING:
    from ...network.contents import Contents

# How tables that are not merged are stored: the first that applies.
KINDS: tuple[type[Stored], ...] = (StoredShared, StoredDense, StoredOnGpu, StoredOnHost)
Settle = Callable[["SynapseLayout"], None]


class SynapseLayout:
    """The plan's part that depends on synapses. `synchronise` keeps it up to date.

    Attributes:
        ports: where the input of each neuron is summed up.
        exponent: for each block, int [n_receptor]; an accumulator counts in units of 2^-exponent.
        ring: int64 [n_slot][n_port] on the device.
        delay_group, n_delay_group: see cuda/core/plan.h.
        longest_lag: steps for which tables wait, at most.
        batch: steps that neurons may do at a time, as far as synapses are concerned.
    """

    def __init__(
        self, network: Network, device: Device, processes: Processes, wholes: Wholes
    ) -> None:
        self.network = network
        self.device = device
        self._processes, self._wholes = processes, wholes
        self.ports = Ports([])
        self._owned: list[slice] = []  # of each block, this process's neurons
        self.exponent: list[NDArray[np.int64]] = []
        self.units: list[Any] = []
        self.ring = device.zeros((1, 0), np.int64)
        self.n_slot, self.n_port = 1, 0
        self.delay_group = self.n_delay_group = self.batch = 1
        self.longest_lag = 0
        self.delivered: list[SynapseTable] = []
        self._tables: dict[int, Stored] = {}
        self._bundles = Bundles()
        self._checked: dict[int, tuple[int, int]] = {}
        self._seen: Any = None
        self._made: dict[int, int] = {}  # the step before which there was no such table

    def reset(self) -> None:
        """Drop what is in flight; the next `synchronise` chooses units and slots afresh."""
        self.ring = self.device.zeros((1, 0), np.int64)
        self.n_slot, self.n_port, self.n_delay_group = 1, 0, 1
        self.exponent = []
        self._seen = None
        self._made = dict.fromkeys(self._made, -1)

    def synchronise(
        self,
        step: int,
        fused: list[SynapseTable],
        closing: list[tuple[SynapseTable, NDArray[np.float64]]],
        ownership: Ownership,
        settle: Settle,
    ) -> None:
        """Take over what changed; keep what is in flight.

        The tables `fused` are not delivered; `closing` is what may come beside them, by target.
        `settle` is called, before anything changes, when spikes have been delivered in part.
        """
        tables = [
            table
            for table in self.network.tables
            if self._wholes.holds(table) and _has_targets(table, ownership)
        ]
        for table in tables:
            self._made.setdefault(table.index, step)
        synapses = [(table.index, table.version) for table in tables]
        sources = [block.version if block.model.is_source else 0 for block in self.network.blocks]
        seen = (synapses, sources, [table.index for table in fused])
        if not self._processes.any("run", seen != self._seen):
            return
        self.settle(step, settle)
        drawn = {table.index for table in fused}
        self.delivered = [table for table in tables if table.index not in drawn]
        self._choose_groups()
        old_exponent, self.ports = self.exponent, Ports(self.network.blocks)
        self._owned = [slice(*each[[0, -1]].tolist()) for each in ownership.starts]
        self._choose_units(tables, closing)
        self._move_ring(step, old_exponent)
        self._warn_of_coarse(tables)  # before rows are merged, which it would have to undo
        self._arrange(ownership)
        self._seen = seen

    def settle(self, step: int, settle: Settle) -> None:
        """Have all that is in flight in the ring."""
        if self.n_delay_group > 1 and step >= 0:
            self._make_room(step, self.n_delay_group * self.delay_group)
            settle(self)
            self._seen = None

    def snapshot(self) -> Arrays:
        """What is in flight, after `settle`."""
        units = np.concatenate([np.zeros(0, np.int64), *self.exponent])
        made = [self._made.get(table.index, -1) for table in self.network.tables]
        return {
            "ring": self.device.get(self.ring)[:, Ports(self.network.blocks).of_neurons()],
            "exponent": units,
            "made": np.array(made, np.int64),
        }

    def check(self, contents: Contents, step: int) -> None:
        """Raise `CheckpointError` for what is no snapshot of this network at a step."""
        ports, receptors = len(Ports(self.network.blocks).of_neurons()), self._receptors()
        contents.check("ring", np.int64, (None, ports))
        if not 1 <= len(contents.arrays["ring"]) <= 2 * MAX_DELAY_STEPS:
            contents.fail(f"ring has {len(contents.arrays['ring'])} slots")
        contents.check("exponent", np.int64, (sum(receptors),), least=-1100, most=1100)
        n_table = (len(self.network.tables),)
        contents.check("made", np.int64, n_table, least=-1, most=max(step, 0))
        contents.finish()

    def _receptors(self) -> list[int]:
        """Number of each block's receptors."""
        return [len(block.model.receptors) for block in self.network.blocks]

    def restore(self, arrays: Arrays) -> None:
        """Go back to a snapshot of the same network."""
        self.reset()
        made = arrays["made"].tolist()
        self._made = dict(enumerate(made))
        self.ports = Ports(self.network.blocks)
        ends = np.cumsum(self._receptors())
        self.exponent = np.split(arrays["exponent"], ends[:-1]) if len(ends) else []
        self.n_slot, self.n_port = len(arrays["ring"]), self.ports.count
        ring = np.zeros((self.n_slot, self.n_port), np.int64)
        ring[:, self.ports.of_neurons()] = arrays["ring"]
        self.ring = self.device.put(ring)

    # --- delays -------------------------------------------------------------------------------

    def _choose_groups(self) -> None:
        """The number of delays that are delivered together, by what it is expected to cost."""
        ranges = [table.waits.delay for table in self.delivered]
        greatest = max((most for _, most in ranges), default=1)
        self.delay_group, self.n_delay_group = greatest, 1
        self.batch = min((table.waits.slack for table in self.delivered), default=1)
        self.longest_lag = max((table.waits.lag[1] for table in self.delivered), default=0)
        mixed = [t for t in self.delivered if t.waits.delay[0] < t.waits.delay[1]]
        if not mixed or any(t.rule for t in self.delivered):
            return
        # Projections with mixed delays are merged by their source, see merged.py.
        row = sum(map(len, mixed)) / sum({t.pre.index: t.pre.size for t in mixed}.values())
        ports = sum(block.size * len(block.model.receptors) for block in self.network.blocks)
        size = 8 * ports / self.device.n_owner / 1024
        times = self.device.event_times, self.device.segment_time
        self.delay_group = best_group(greatest, row, size, *times)
        self.n_delay_group = -(-greatest // self.delay_group)
        if self.n_delay_group > 1:
            self.batch = 1

    # --- accumulators -------------------------------------------------------------------------

    def _choose_units(
        self,
        tables: list[SynapseTable],
        closing: list[tuple[SynapseTable, NDArray[np.float64]]],
    ) -> None:
        some = [table for table in tables if len(table)]
        threads = self.device.build_threads
        bound = input_bound(some, self._wholes, self.ports, self._owned, threads)
        for table, most in closing:
            port, own = self.ports.of_table(table), self._owned[table.post.index]
            bound[port + own.start : port + own.stop] += most[own]
        found = [np.zeros(0)]
        for number, (block, port) in enumerate(
            zip(self.network.blocks, self.ports.first, strict=True)
        ):
            shape = len(block.model.receptors), self.ports.stride[number]
            part = slice(port, port + int(np.prod(shape)))
            most = bound[part].reshape(shape).max(axis=1, initial=0)
            if number < len(self.exponent):
                counts = self._in_flight(number)
                most = np.maximum(most, np.ldexp(counts, -self.exponent[number]))
            found.append(most)
        greatest = self._processes.greatest("run", np.concatenate(found))
        ends = itertools.pairwise(np.cumsum([0, *self._receptors()]).tolist())
        self.exponent = [
            exponents(greatest[first:end], old)
            for (first, end), old in itertools.zip_longest(ends, self.exponent)
        ]
        self.units = [self.device.put(np.ldexp(1.0, -exponent)) for exponent in self.exponent]

    def _in_flight(self, number: int) -> NDArray[np.float64]:
        """Greatest accumulator, in counts, of each receptor of a block that already has ports."""
        ring, parts = self.device.get(self.ring), self.ports.parts(number, self._owned[number])
        return np.array([np.abs(ring[:, part]).max(initial=0) for part in parts], np.float64)

    def _move_ring(self, step: int, old_exponent: list[NDArray[np.int64]]) -> None:
        """Make room for more delays and ports; carry over what arrives after step `step`."""
        rescaled = any(
            (new != old).any() for new, old in zip(self.exponent, old_exponent, strict=False)
        )
        self._make_room(step, self.delay_group, old_exponent if rescaled else [])

    def _make_room(
        self, step: int, n_slot: int, old_exponent: list[NDArray[np.int64]] | None = None
    ) -> None:
        n_slot = max(self.n_slot, n_slot)
        n_port = max(self.ports.count, self.n_port)
        if (n_slot, n_port) == (self.n_slot, self.n_port) and not old_exponent:
            return
        what = f"input accumulators for {n_slot} steps of delay"
        parts = [part for k, own in enumerate(self._owned) for part in self.ports.parts(k, own)]
        n_own = sum(part.stop - part.start for part in parts)
        memory.require(8 * n_slot * n_own, what, self.device.free_memory())
        ring: NDArray[np.int64] = np.zeros((n_slot, n_port), np.int64)
        if (
            self._processes.size > 1 and self.device.shares_memory
        ):  # ports of others' neurons are there, and take no memory
            ring = self.device.partly((n_slot, n_port), np.int64, n_own / max(n_port, 1))
        if self.n_port and step >= 0:
            arrival = step + 1 + np.arange(self.n_slot)
            old = self.device.get(self.ring)
            for part in parts:
                if part.stop <= self.n_port:
                    ring[arrival % n_slot, part] = old[arrival % self.n_slot, part]
            for number, exponent in enumerate(old_exponent or []):
                self._rescale(ring, number, self.exponent[number] - exponent)
        self.ring = self.device.put(ring)
        self.n_slot, self.n_port = n_slot, n_port

    def _rescale(self, ring: NDArray[np.int64], number: int, shift: NDArray[np.int64]) -> None:
        ports = self.ports.parts(number, self._owned[number])
        for columns, by in zip(ports, shift, strict=True):
            if by:
                part = ring[:, columns]
                part[:] = np.rint(np.ldexp(part.astype(np.float64), by))

    # --- rows ---------------------------------------------------------------------------------

    def _arrange(self, ownership: Ownership) -> None:
        def place(table: SynapseTable) -> Place:
            starts = ownership.starts[table.post.index]
            return self.exponent_of(table), self.ports.of_table(table), starts

        for table in self.delivered:
            if table.rows.place not in (None, self.device.builder):
                table.take_back()
        merged = self.delivered if self.device.merges_rows and self.n_delay_group > 1 else []
        self._bundles.arrange(
            merged, place, self.delay_group, self.n_delay_group, self.device.n_owner
        )
        present = {table.index: table for table in self.delivered if not self._bundles.holds(table)}
        self._tables = {key: old for key, old in self._tables.items() if key in present}
        self._require_memory(present)
        for key, table in present.items():
            starts = ownership.starts[table.post.index]
            arrangement = Arrangement.of(table, starts, self.delay_group)
            kind = next(each for each in KINDS if each.applies(table, self.device))
            if type(self._tables.get(key)) is not kind:
                self._tables[key] = kind(table, self.device)
            self._tables[key].refresh(arrangement)

    def _require_memory(self, tables: dict[int, SynapseTable]) -> None:
        """Check that a device with memory of its own has room for the tables to bring there."""
        if self.device.shares_memory:
            return
        coming = [
            table
            for key, table in tables.items()
            if key not in self._tables and table.rows.place is None
        ]
        what = f"{sum(map(len, coming))} synapses"
        memory.require(sum(t.nbytes for t in coming), what, self.device.free_memory())

    def _warn_of_coarse(self, tables: list[SynapseTable]) -> None:
        coarse = 0
        for table in tables:
            state = (table.version, self.exponent_of(table))
            if len(table) and self._checked.get(table.index) != state:
                coarse += survey_of(table, self.device.build_threads).coarse(state[1])
                self._checked[table.index] = state
        coarse = int(self._processes.total("run", np.array([coarse]))[0])
        if coarse and not self._processes.rank:
            warn(
                f"{coarse} synapses are so weak beside the strongest input of their population and "
                "receptor that their weights lose precision: input is summed in units of 2^-52 of "
                "the greatest sum that can come up",
            )

    def exponent_of(self, table: SynapseTable) -> int:
        """Exponent of the accumulators that a table adds to."""
        receptor = table.post.model.receptors.index(table.receptor)
        return int(self.exponent[table.post.index][receptor])

    def fetch(self) -> None:
        """Bring what has changed with spikes back to the tables."""
        for table in self.delivered:
            if table.rule:
                self._tables[table.index].fetch()

    def rule_fields(self, table: SynapseTable) -> dict[str, Any]:
        """Fields of the record of a table's rule."""
        return self._tables[table.index].rule_fields()

    def describe(
        self, blocks: list[Block], rule: Callable[[SynapseTable], int]
    ) -> tuple[NDArray[np.void], NDArray[np.int32]]:
        """The plan's records of tables, by their source among `blocks`, and where each one's begin.

        `blocks` are in the order in which they are advanced; `rule` gives the address of a table's.
        """
        found = [
            (block.index, bundle.record()) for block in blocks for bundle in self._bundles.of(block)
        ]
        for table in self.delivered:
            if self._bundles.holds(table) or self._matrix(table):
                continue
            place = self.exponent_of(table), self.ports.of_table(table)
            record = self._tables[table.index].record(*place, rule(table))
            record["first_step"] = self._made[table.index]
            found.append((table.pre.index, record))
        return _by_source(blocks, found, structures.TABLE)

    def describe_dense(
        self, blocks: list[Block], owner_start: Callable[[Block], int]
    ) -> tuple[NDArray[np.void], NDArray[np.int32]]:
        """The same of tables that are stored as a matrix.

        `owner_start` gives the address of where owners of a block begin.
        """
        found = []
        for table in self.delivered:
            if matrix := self._matrix(table):
                place = self.exponent_of(table), self.ports.of_table(table)
                record = matrix.dense_record(*place, owner_start(table.post))
                found.append((table.pre.index, record))
        return _by_source(blocks, found, structures.DENSE)

    def _matrix(self, table: SynapseTable) -> StoredDense | None:
        stored = self._tables.get(table.index)
        return stored if isinstance(stored, StoredDense) else None


def _by_source(
    blocks: list[Block], found: list[tuple[int, NDArray[np.void]]], structure: np.dtype[Any]
) -> tuple[NDArray[np.void], NDArray[np.int32]]:
    """Records in the order of their sources among blocks, and where those of each block begin.

    They come with the index of their source.
    """
    mine: dict[int, list[NDArray[np.void]]] = {block.index: [] for block in blocks}
    for source, record in found:
        if source in mine:
            mine[source].append(record)
    starts = np.cumsum([0, *(len(mine[block.index]) for block in blocks)], dtype=np.int32)
    records = np.zeros(starts[-1], structure)
    for index, record in enumerate(each for block in blocks for each in mine[block.index]):
        records[index] = record[0]
    return records, starts


def _has_targets(table: SynapseTable, ownership: Ownership) -> bool:
    """Whether this process has neurons of the population that a table leads to."""
    starts = ownership.starts[table.post.index]
    return bool(starts[-1] > starts[0])


def best_group(
    greatest: int, row: float, size: float, event_times: Times, segment_time: float
) -> int:
    """Number of delays to deliver together.

    `greatest` is the greatest delay, `row` the mean number of synapses in a row, `size` that of a
    thread's accumulators for one time step in KiB; the times are those of a device. Few delays keep
    the accumulators in the cache, but divide rows into short segments.
    """
    sizes, times = zip(*event_times, strict=True)

    def cost(group: int) -> float:
        event = float(np.interp(np.log(group * size + 1e-9), np.log(sizes), times))
        return event + segment_time * min(-(-greatest // group) / row, 1.0)

    candidates = {-(-greatest // number) for number in range(1, greatest + 1)}
    return min(sorted(candidates, reverse=True), key=cost)
