"""Poisson sources that feed one neuron each: drawn where their spikes arrive."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...network import Block, Network, SynapseTable
from ...network.block import Arrays
from ...network.cells import SPIKE_SOURCE_POISSON
from .. import structures
from ..devices.device import Device
from ..exchange.processes import Processes
from ..neurons.blocks import BlockArrays
from ..ownership import Ownership
from .layout import SynapseLayout

if TYPE_CHECKING:
    from ...network.contents import Contents

NO_END = 2**62
MOST = SPIKE_SOURCE_POISSON.derived.index("most")  # spikes in a step


@dataclass
class Drive:
    """Sources with the parameters and weights that hold in steps first .. last - 1."""

    table: SynapseTable
    key: tuple[int, ...]
    param: Any
    threshold: Any  # uint32 on the device; None if parameters differ between the sources
    n_threshold: int
    weight: NDArray[Any]
    delay: int
    first: int
    last: int = NO_END
    counts: Any = field(default=None, repr=False)  # weights in counts, on the device


class Backgrounds:
    """Which Poisson populations need no spikes of their own, and what they bring.

    That is so where nobody records the spikes and the only projection is one-to-one, as that of the
    background input of many published networks. The spikes are those that the population would
    emit. A change of parameters or weights closes a `Drive`, which goes on bringing what is in
    flight, and begins another.
    """

    def __init__(self, network: Network, device: Device, processes: Processes) -> None:
        self.network = network
        self.device = device
        self._processes = processes
        self.drives: list[Drive] = []
        self._one_to_one: dict[int, tuple[int, int]] = {}  # by table: its version, the delay

    def reset(self) -> None:
        """Forget what is in flight."""
        self.drives = []

    def open(self) -> list[Drive]:
        """Those whose sources are drawn from now on."""
        return [drive for drive in self.drives if drive.last == NO_END]

    def all_open(self) -> bool:
        """Whether none has ended, so that time alone changes nothing."""
        return all(drive.last == NO_END for drive in self.drives)

    def fed(self) -> set[int]:
        """The places of blocks into which drawn spikes come."""
        return {drive.table.post.index for drive in self.drives}

    def tables(self, ownership: Ownership) -> list[SynapseTable]:
        """The projections that are drawn where they arrive, of which each process has a part."""
        by_source: dict[int, list[SynapseTable]] = {}
        for table in self.network.tables:
            by_source.setdefault(table.pre.index, []).append(table)
        rules = (table.rule for table in self.network.tables)
        modulators = {rule.modulator.block for rule in rules if rule and rule.modulator}
        modulators |= {each.table.pre.index for each in self.network.modulations}
        single = [tables[0] for tables in by_source.values() if len(tables) == 1]
        single = [table for table in single if table.pre.index not in modulators]
        single = [table for table in single if self._emits_for_itself(table)]
        starts = (ownership.starts[table.post.index] for table in single)
        delays = [
            self._delay_one_to_one(table, int(start[0]), int(start[-1]))
            for table, start in zip(single, starts, strict=True)
        ]
        every = self._processes.all_gather("run", np.array(delays, np.int64))
        alike = (every > 0).all(axis=0) & (every == every[0]).all(axis=0)
        return [table for table, fits in zip(single, alike, strict=True) if fits]

    def _can_be_fused(self, table: SynapseTable) -> bool:
        if not self._emits_for_itself(table):
            return False
        if self._processes.size == 1:
            return self._delay_one_to_one(table, 0, table.post.size) > 0
        if not len(table):
            return True
        return _is_one_to_one(table, int(table.target.min()), int(table.target.max()) + 1)

    def _emits_for_itself(self, table: SynapseTable) -> bool:
        """Whether nobody but the table needs the spikes of its Poisson sources."""
        pre = table.pre
        if pre.model is not SPIKE_SOURCE_POISSON or table.rule is not None:
            return False
        return not self.network.spikes_wanted[pre.first : pre.first + pre.size].any()

    def _delay_one_to_one(self, table: SynapseTable, first: int, end: int) -> int:
        """The delay, if each of the targets first .. end - 1 has a source of its own, else 0."""
        version, answer = self._one_to_one.get(table.index, (-1, 0))
        if version != table.version:
            answer = int(table.delay[0]) if _is_one_to_one(table, first, end) else 0
            self._one_to_one[table.index] = (table.version, answer)
        return answer

    def closing(
        self, step: int, fused: list[SynapseTable]
    ) -> list[tuple[SynapseTable, NDArray[np.float64]]]:
        """What may still come in a step through drives that end now or have ended: table, [n]."""
        keys = {_key(table) for table in fused}
        ending = (each for each in self.drives if each.last != NO_END or each.key not in keys)
        return [
            (each.table, np.abs(each.weight) * self.device.get(each.param)[MOST])
            for each in ending
            if each.last + each.delay > step
        ]

    def synchronise(
        self,
        step: int,
        tables: list[SynapseTable],
        arrays: list[BlockArrays],
        ownership: Ownership,
    ) -> None:
        """Take over what changed before `step`."""
        wanted = {_key(table): table for table in tables}
        for drive in self.drives:
            if drive.last == NO_END and drive.key not in wanted:
                drive.last = step
        self.drives = [each for each in self.drives if each.last + each.delay > step]
        present = {drive.key for drive in self.drives if drive.last == NO_END}
        for key, table in wanted.items():
            if key not in present:
                mine = ownership.starts[table.post.index][[0, -1]]
                drive = self._drive(key, table, arrays[table.pre.index], step, *mine.tolist())
                self.drives.append(drive)

    def _drive(
        self,
        key: tuple[int, ...],
        table: SynapseTable,
        arrays: BlockArrays,
        step: int,
        first: int,
        end: int,
    ) -> Drive:
        threshold = None if arrays.heterogeneous else _thresholds(table.pre)
        on_device = None if threshold is None else self.device.put(threshold)
        n = 0 if threshold is None else len(threshold)
        delay, weight = int(table.delay[0]), table.weight
        if len(weight) == end - first < table.post.size:  # by target
            weight = np.zeros(table.post.size, weight.dtype)
            weight[first:end] = table.weight
        return Drive(table, key, arrays.param, on_device, n, weight, delay, step)

    def snapshot(self) -> Arrays:
        """What sources are drawn where they arrive, and from when to when."""
        arrays: Arrays = {}
        for k, drive in enumerate(self.drives):
            times = (drive.table.index, drive.delay, drive.first, drive.last)
            arrays |= {
                f"{k} times": np.array(times),
                f"{k} weight": drive.weight,
                f"{k} param": self.device.get(drive.param),
            }
            if drive.threshold is not None:
                arrays[f"{k} threshold"] = self.device.get(drive.threshold)
        return arrays

    def check(self, contents: Contents, step: int) -> None:
        """Raise `CheckpointError` for what is no snapshot of this network at a step."""
        numbers = sorted(
            name.removesuffix(" times") for name in contents.names("") if " times" in name
        )
        for k in numbers:
            times = contents.check(f"{k} times", np.int64, (4,), least=-1).tolist()
            if k != str(int(k)) or times[0] >= len(self.network.tables) or int(k) >= len(numbers):
                contents.fail(f"{k} times names a projection that is not there")
            table = self.network.tables[times[0]]
            if not self._can_be_fused(table) and times[3] == NO_END:
                contents.fail(
                    f"{k} times: the sources of table {times[0]} emit spikes of their own"
                )
            n, fields = table.pre.size, len(table.pre.model.derived)
            dtypes = [
                contents.arrays[f"{k} {name}"].dtype
                for name in ("weight", "param")
                if f"{k} {name}" in contents
            ]
            if len(dtypes) < 2 or any(each not in (np.float32, np.float64) for each in dtypes):
                contents.fail(f"{k} weight or {k} param is missing, or of another type")
            contents.check(f"{k} weight", dtypes[0], (1,), (n,), finite=True)
            contents.check(f"{k} param", dtypes[1], (fields,), (fields, n), finite=True)
            if f"{k} threshold" in contents:
                contents.check(f"{k} threshold", np.uint32, (None,))
        contents.finish()

    def restore(self, arrays: Arrays) -> None:
        """Go back to a snapshot of the same network."""
        self.reset()
        for k in range(sum(key.endswith("times") for key in arrays)):
            number, delay, first, last = map(int, arrays[f"{k} times"])
            table = self.network.tables[number]
            threshold = arrays.get(f"{k} threshold")
            on_device = None if threshold is None else self.device.put(threshold)
            n = 0 if threshold is None else len(threshold)
            param, weight = self.device.put(arrays[f"{k} param"]), arrays[f"{k} weight"]
            key = _key(table)
            self.drives.append(Drive(table, key, param, on_device, n, weight, delay, first, last))

    def describe(
        self, synapses: SynapseLayout, owner_starts: list[int]
    ) -> tuple[NDArray[np.void], NDArray[np.int64]]:
        """The plan's records, by the block that they feed, and the blocks' places.

        `synapses` say where the input goes; `owner_starts` are addresses, of each block.
        """
        address = self.device.address
        drives = sorted(self.drives, key=lambda drive: drive.table.post.index)
        records = np.zeros(len(drives), structures.BACKGROUND)
        for record, drive in zip(records, drives, strict=True):
            counts = np.rint(
                np.ldexp(drive.weight.astype(np.float64), synapses.exponent_of(drive.table))
            )
            drive.counts = self.device.put(counts.astype(np.int64))
            fields = {
                "param": address(drive.param),
                "threshold": address(drive.threshold) if drive.threshold is not None else 0,
                "weight": address(drive.counts) if len(counts) > 1 else 0,
                "owner_start": owner_starts[drive.table.post.index],
                "common_weight": counts[0],
                "first_port": synapses.ports.of_table(drive.table),
                "first_step": drive.first,
                "last_step": drive.last,
                "seed": drive.table.pre.stream.key,
                "stream": drive.table.pre.first - drive.table.pre.stream.first,
                "n": drive.table.pre.size,
                "delay": drive.delay,
                "n_threshold": drive.n_threshold,
            }
            for name, value in fields.items():
                record[name] = value
        return records, np.array([drive.table.post.index for drive in drives], np.int64)


def _key(table: SynapseTable) -> tuple[int, ...]:
    return table.index, table.version, table.pre.version


def _is_one_to_one(table: SynapseTable, first: int, end: int) -> bool:
    n = table.pre.size
    if not (n == table.post.size == table.n_source and len(table) == end - first):
        return False
    if len(table.delay) != 1:
        return False
    index = np.arange(n)
    mine, starts = index[first:end], np.clip(index, first, end) - first
    return bool((table.target == mine).all() and (table.row_start[:-1] == starts).all())


def _thresholds(block: Block) -> NDArray[np.uint32]:
    """Where the cumulated probabilities of 0, 1, ... spikes lie among 32-bit integers.

    The partial sums are made as `poisson_count` in cuda/sources/poisson.h makes them.
    """
    mean, none, most = (float(block.derived[name]) for name in ("mean", "none", "most"))
    term = total = none
    thresholds = []
    for count in range(1, int(most) + 1):
        thresholds.append(int(np.ceil(total * 2.0**32)))
        term *= mean / count
        total += term
    return np.array([each for each in thresholds if each < 2**32], np.uint32)
