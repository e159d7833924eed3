"""Synapses laid out for delivery: ports, units of accumulators, rows, and the ring of inputs."""

from __future__ import annotations

import ctypes
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..network import Block, Network, SynapseTable, memory
from . import structures
from .compile import cpu_library
from .device import Device

# Accumulators are 64-bit integers. A unit is chosen so that the most that one step can bring, and
# what is in flight, stay below 2^52; while inputs are in flight it is kept as long as they stay
# between 2^44 and 2^61, so that sums can neither overflow nor lose digits that matter.
BITS = 52
BITS_AT_LEAST = 44
BITS_AT_MOST = 61


def owner_of(n: int, n_shards: int) -> NDArray[np.uint16]:
    """Which thread owns each of n neurons of a population, by the rule of `owned` in portable.h."""
    share = ((n + n_shards - 1) // n_shards + 15) // 16 * 16
    return (np.arange(n) // share).astype(np.uint16)


def owner_starts(index: NDArray[np.int32], n: int, n_shards: int) -> NDArray[np.int32]:
    """Where each thread's part begins in an ascending list of neurons, and where the last ends."""
    owners = owner_of(n, n_shards)[index]
    return np.searchsorted(owners, np.arange(n_shards + 1)).astype(np.int32)


class SynapseLayout:
    """The plan's part that depends on synapses. `synchronise` keeps it up to date.

    Attributes:
        first_port: for each block, the port of its first receptor's first neuron.
        exponent: for each block, int [n_receptor]; an accumulator counts in units of 2^-exponent.
        ring: int64 [n_slot][n_port] on the device.
        shards: per thread, (row_start, port, delay, weight) on the device.
    """

    def __init__(self, network: Network, device: Device) -> None:
        self.network = network
        self.device = device
        self.first_port: list[int] = []
        self.exponent: list[NDArray[np.int64]] = []
        self.n_port = 0
        self.n_slot = 1
        self.ring = device.zeros((1, 0), np.int64)
        self.shards: list[tuple[Any, ...]] = []
        self.units: list[Any] = []
        self._seen: Any = None
        self._rows_seen: Any = None

    def reset(self) -> None:
        """Drop what is in flight; the next `synchronise` chooses units and slots afresh."""
        self.ring = self.device.zeros((1, 0), np.int64)
        self.n_slot, self.n_port = 1, 0
        self.exponent = []
        self._seen = None

    def synchronise(self, step: int) -> None:
        """Rebuild what changes of the network ask for; keep what is in flight."""
        synapses = tuple((id(table), table.version) for table in self.network.tables)
        sources = [block.version if block.model.is_source else 0 for block in self.network.blocks]
        if (seen := (synapses, sources)) == self._seen:
            return
        old_exponent = self.exponent
        self._place_ports()
        tables = [table for table in self.network.tables if len(table)]
        self._choose_units(tables)
        self._move_ring(step, old_exponent)
        rows = (synapses, [exponent.tolist() for exponent in self.exponent])
        if rows != self._rows_seen:
            self._build_rows(tables)
        self._seen, self._rows_seen = seen, rows

    def _place_ports(self) -> None:
        counts = [block.size * len(block.model.receptors) for block in self.network.blocks]
        self.first_port = [int(port) for port in np.cumsum([0, *counts])[:-1]]
        self._ports = int(np.sum(counts, dtype=np.int64))

    def _port_offsets(self, receptor: str) -> NDArray[np.int64]:
        """For each block, what turns a neuron's index into the port of a receptor."""
        return np.array(
            [
                port - block.first + block.model.receptors.index(receptor) * block.size
                if receptor in block.model.receptors
                else -1
                for block, port in zip(self.network.blocks, self.first_port, strict=True)
            ],
            np.int64,
        )

    def _block_of(self) -> NDArray[np.int32]:
        sizes = [block.size for block in self.network.blocks]
        return np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)

    def _choose_units(self, tables: list[SynapseTable]) -> None:
        bound = self._input_bound(tables)
        exponents = []
        for number, (block, port) in enumerate(
            zip(self.network.blocks, self.first_port, strict=True)
        ):
            n_receptors = len(block.model.receptors)
            part = slice(port, port + n_receptors * block.size)
            most = bound[part].reshape(n_receptors, block.size).max(axis=1, initial=0)
            old = self.exponent[number] if number < len(self.exponent) else None
            if old is not None:
                counts = self._in_flight(part).reshape(n_receptors, block.size)
                most = np.maximum(most, np.ldexp(counts.max(axis=1, initial=0), -old))
            exponents.append(_exponents(most, old))
        self.exponent = exponents
        self.units = [self.device.put(np.ldexp(1.0, -exponent)) for exponent in exponents]

    def _in_flight(self, part: slice) -> NDArray[np.float64]:
        """Greatest accumulator, in counts, of each port of a block that already has ports."""
        counts = self.device.get(self.ring)[:, part]
        greatest: NDArray[np.int64] = np.abs(counts).max(axis=0, initial=0)
        return greatest.astype(np.float64)

    def _input_bound(self, tables: list[SynapseTable]) -> NDArray[np.float64]:
        """Upper bound of the weight that one step can add to each port."""
        each = [_most_spikes(block) for block in self.network.blocks]
        most = np.concatenate([np.zeros(0), *each])
        bound = np.zeros(self._ports)
        block_of = self._block_of()
        for table in tables:
            call = TableCall(table, self._port_offsets(table.receptor), None)
            cpu_library().add_input_bound(
                call.pointer, _pointer(block_of), _pointer(most), _pointer(bound)
            )
        return bound

    def _move_ring(self, step: int, old_exponent: list[NDArray[np.int64]]) -> None:
        """Make room for more delays and ports; carry over what arrives after step `step`."""
        n_slot = max(self.n_slot, self.network.greatest_delay() or 1)
        rescaled = any(
            (new != old).any() for new, old in zip(self.exponent, old_exponent, strict=False)
        )
        if (n_slot, self._ports) == (self.n_slot, self.n_port) and not rescaled:
            return
        memory.require(8 * n_slot * self._ports, f"input accumulators for {n_slot} steps of delay")
        ring = np.zeros((n_slot, self._ports), np.int64)
        if self.n_port and step >= 0:
            arrival = step + 1 + np.arange(self.n_slot)
            ring[arrival % n_slot, : self.n_port] = self.device.get(self.ring)[
                arrival % self.n_slot
            ]
            for number, old in enumerate(old_exponent):
                self._rescale(ring, number, self.exponent[number] - old)
        self.ring = self.device.put(ring)
        self.n_slot, self.n_port = n_slot, self._ports

    def _rescale(self, ring: NDArray[np.int64], number: int, shift: NDArray[np.int64]) -> None:
        size, port = self.network.blocks[number].size, self.first_port[number]
        for receptor, by in enumerate(shift):
            if by:
                part = ring[:, port + receptor * size : port + (receptor + 1) * size]
                part[:] = np.rint(np.ldexp(part.astype(np.float64), by))

    def _build_rows(self, tables: list[SynapseTable]) -> None:
        n_synapses = sum(len(table) for table in tables)
        memory.require(14 * n_synapses, f"the engine's tables of {n_synapses} synapses")
        calls = [
            TableCall(table, self._port_offsets(table.receptor), self._scales(table.receptor))
            for table in tables
        ]
        n_shards = self.device.n_shards
        owners = [owner_of(block.size, n_shards) for block in self.network.blocks]
        owner = np.concatenate([np.zeros(0, np.uint16), *owners])
        block_of = self._block_of()
        self.shards = []  # frees the old rows before new ones are made
        with ThreadPoolExecutor(n_shards) as pool:
            parts = pool.map(lambda rank: _rows(calls, owner, block_of, rank), range(n_shards))
            coarse = 0
            for *arrays, n_coarse in parts:
                self.shards.append(tuple(self.device.put(array) for array in arrays))
                coarse += n_coarse
        if coarse:
            warnings.warn(
                f"{coarse} synapses are so weak beside the strongest input of their population and "
                "receptor that their weights lose precision: input is summed in units of 2^-52 of "
                "the greatest sum that can come up",
                stacklevel=2,
            )

    def _scales(self, receptor: str) -> NDArray[np.float64]:
        """For each block, accumulator counts per unit of weight at a receptor."""
        return np.array(
            [
                np.ldexp(1.0, exponent[block.model.receptors.index(receptor)])
                if receptor in block.model.receptors
                else 0.0
                for block, exponent in zip(self.network.blocks, self.exponent, strict=True)
            ]
        )

    def describe_shards(self) -> NDArray[np.void]:
        """The plan's records of the shards."""
        rows = [tuple(self.device.address(array) for array in shard) for shard in self.shards]
        return np.array(rows, structures.SHARD)


def _most_spikes(block: Block) -> NDArray[np.float64]:
    most = block.model.most_spikes(block.parameters, block.grid)
    return np.broadcast_to(np.asarray(most, np.float64), (block.size,))


def _exponents(most: NDArray[np.float64], old: NDArray[np.int64] | None) -> NDArray[np.int64]:
    """Binary exponents of the counts per weight, for the greatest sums that can come up."""
    magnitude = np.frexp(most)[1].astype(np.int64)  # most < 2^magnitude
    fresh = np.clip(BITS - magnitude, -900, 900)
    if old is None:
        return fresh
    keep = (old + magnitude >= BITS_AT_LEAST) & (old + magnitude <= BITS_AT_MOST) | (most == 0)
    return np.where(keep, old, fresh)


def _rows(calls: list[TableCall], owner: Any, block_of: Any, rank: int) -> tuple[Any, ...]:
    """One thread's synapses as row_start, port, delay, weight; and how many weights are coarse."""
    library = cpu_library()
    row_start = np.zeros(len(owner) + 1, np.int64)
    for call in calls:
        library.count_rows(call.pointer, _pointer(owner), ctypes.c_int32(rank), _pointer(row_start))
    np.cumsum(row_start, out=row_start)
    total = int(row_start[-1])
    place = row_start[:-1].copy()
    port, delay = np.empty(total, np.uint32), np.empty(total, np.uint16)
    weight, coarse = np.empty(total, np.int64), np.zeros(1, np.int64)
    for call in calls:
        library.fill_rows(
            call.pointer,
            _pointer(block_of),
            _pointer(owner),
            ctypes.c_int32(rank),
            *(_pointer(array) for array in (place, port, delay, weight, coarse)),
        )
    return row_start, port, delay, weight, int(coarse[0])


class TableCall:
    """A `SynapseTable` as the argument of a function in `cuda/build.cpp`."""

    def __init__(self, table: SynapseTable, port: Any, scale: Any) -> None:
        self._alive = (table, port, scale)
        addresses = [
            array.ctypes.data if array is not None else 0
            for array in (table.source, table.target, table.weight, table.delay, port, scale)
        ]
        strides = [len(table.weight) > 1, len(table.delay) > 1]
        self._record = np.array([(*addresses, len(table), *strides)], structures.TABLE)

    @property
    def pointer(self) -> ctypes.c_void_p:
        return _pointer(self._record)


def _pointer(array: NDArray[Any]) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)
