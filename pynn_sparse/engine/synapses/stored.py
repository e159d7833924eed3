"""Synapse tables as the kernels read them: rows arranged for delivery, and their records."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...network import SynapseTable
from ...network.dynamics import KINDS
from .. import structures
from ..devices.device import Device
from ..devices.gpu_builder import GpuBuilder
from ..toolchain.libraries import cpu_library
from .gpu import Resident

N_COLUMN, N_STATE = 10, 3  # of a rule


class HostTable:
    """A table as functions of cuda/build/build.cpp take it: a record of its arrays on the host."""

    def __init__(self, table: SynapseTable, **more: Any) -> None:
        target, weight, delay = self._alive = table.arrays()
        self.weight = weight
        self.record = np.zeros(1, structures.TABLE)
        fields = {
            "target": target.ctypes.data,
            "delay": delay.ctypes.data if len(delay) > 1 else 0,
            "weight": weight.ctypes.data if len(weight) > 1 or table.rule else 0,
            "common_delay": int(delay[0]),
            "wide_target": target.dtype.itemsize == 4,
            "wide_delay": delay.dtype.itemsize == 2,
            "single": weight.dtype.itemsize == 4,
            "first_source": table.first_source,
            "n_source": table.n_source,
            **more,
        }
        for name, value in fields.items():
            self.record[name] = value

    @property
    def pointer(self) -> ctypes.c_void_p:
        """The argument."""
        return pointer(self.record)


def pointer(array: NDArray[Any]) -> ctypes.c_void_p:
    """An array's address as an argument of a function of the library."""
    return ctypes.c_void_p(array.ctypes.data)


@dataclass(frozen=True)
class Arrangement:
    """How the rows of a table are divided into segments: by owners of targets and by delays."""

    owner_start: tuple[int, ...]
    first_rank: int
    n_part: int
    first_group: int
    n_group: int
    delay_group: int

    @classmethod
    def of(
        cls, table: SynapseTable, owner_start: NDArray[np.int32], delay_group: int
    ) -> Arrangement:
        """The segments that a table needs."""
        owners = np.flatnonzero(np.diff(owner_start))
        least, most = ((delay - 1) // delay_group for delay in table.delay_range)
        first, parts = int(owners[0]), int(owners[-1] - owners[0]) + 1
        starts = tuple(owner_start.tolist())
        return cls(starts, first, parts, least, most - least + 1, delay_group)

    def fields(self) -> dict[str, int]:
        """The fields of the kernels' record of a table that say how its rows are arranged."""
        names = ("first_rank", "n_part", "first_group", "n_group")
        return {name: getattr(self, name) for name in names}


class DeviceTable:
    """A table on a device. `refresh` takes over what has changed."""

    def __init__(self, table: SynapseTable, device: Device) -> None:
        self.table = table
        self._device = device
        self._version = -1
        self._arrangement: Arrangement | None = None
        self._arrays: dict[str, Any] = {}
        self._begin: Any = None

    def refresh(self, arrangement: Arrangement, threads: int) -> None:
        """Arrange the rows, and bring to the device what is not there yet.

        Rows are sorted where they are: on the host in place, by threads; on a GPU unless something
        changes with spikes, which is to come back in the order of the table.
        """
        table, builder = self.table, self._device.builder
        moved = arrangement != self._arrangement or table.arrangement is None
        if moved or table.version != self._version:
            if isinstance(builder, GpuBuilder) and table.rule is None:
                self._arrange_on_gpu(builder, arrangement)
            else:
                self._arrange_on_host(arrangement, threads, moved)
            self._put_rule()
            self._arrangement = table.arrangement = arrangement
            self._version = table.version
        least, most = table.lag_range
        self.fixed = self._kinds | arrangement.fields() | {"least_lag": least, "most_lag": most}

    def _arrange_on_gpu(self, builder: GpuBuilder, arrangement: Arrangement) -> None:
        resident = self.table.lent_to
        if not isinstance(resident, Resident):
            target, *values = self.table.arrays()
            values = [each if len(each) == 1 else builder.put(each) for each in values]
            resident = Resident(builder, builder.put(target), *values)
        groups = arrangement.first_group, arrangement.n_group
        self._begin = resident.arrange(self.table, arrangement.delay_group, *groups)
        self.table.moves += 1
        self._take(*resident.arrays)

    def _arrange_on_host(self, arrangement: Arrangement, threads: int, moved: bool) -> None:
        if moved:
            self._begin = self._device.put(arrange(self.table, arrangement, threads))
        self._take(*self.table.arrays())
        self._arrays = {name: self._device.put(each) for name, each in self._arrays.items()}

    def _take(self, target: Any, weight: Any, delay: Any) -> None:
        """Arrays that have a value for each synapse, and what the record says of all."""
        self._arrays = {"target": target}
        if len(delay) > 1:
            self._arrays["delay"] = delay
        if len(weight) > 1 or self.table.rule is not None:
            self._arrays["weight"] = weight
        self._common_weight = float(weight[0]) if len(weight) == 1 else 0.0
        self._kinds = {
            "first_source": self.table.first_source,
            "n_source": self.table.n_source,
            "common_delay": int(delay[0]) if len(delay) == 1 else 0,
            "wide_target": target.dtype.itemsize == 4,
            "wide_delay": delay.dtype.itemsize == 2,
            "single": weight.dtype.itemsize == 4,
        }

    def _put_rule(self) -> None:
        """What a rule has for each synapse."""
        table, put = self.table, self._device.put
        self._states = [put(each) for each in table.state.values()]
        self._identity = put(table.identity)
        columns = table.rule.columns(table.post.grid) if table.rule else {}
        self._columns = [each if len(each) == 1 else put(each) for each in columns.values()]

    def rule_fields(self) -> dict[str, Any]:
        """Those fields of the rule's record that belong to the table."""
        address, rule, stream = self._device.address, self.table.rule, self.table.stream
        assert rule is not None
        columns = np.zeros(N_COLUMN, structures.COLUMN)
        for number, column in enumerate(self._columns):
            columns[number] = (0, column[0]) if len(column) == 1 else (address(column), 0.0)
        states = np.zeros(N_STATE, np.uint64)
        states[: len(self._states)] = [address(each) for each in self._states]
        return {
            "identity": address(self._identity),
            "state": states,
            "column": columns,
            "seed": stream.key,
            "number": stream.first,
            "since": self.table.since,
            "sign": rule.sign,
            "dendritic": rule.dendritic,
            "kind": KINDS.index(rule.kind),
        }

    def fetch(self) -> None:
        """Bring weights and states that the device has changed back to the table."""
        table = self.table
        arrays = (table.weight, *table.state.values())
        for mine, theirs in zip(arrays, (self._arrays["weight"], *self._states), strict=True):
            changed = self._device.get(theirs)
            if changed is not mine:
                mine[:] = changed

    def record(self, exponent: int, port: int, rule: int = 0) -> NDArray[np.void]:
        """The record of the plan, for accumulators in units of 2^-exponent."""
        record = np.zeros(1, structures.TABLE)
        scale = np.ldexp(1.0, exponent)
        address = {name: self._device.address(each) for name, each in self._arrays.items()}
        fields = {
            **self.fixed,
            **address,
            "begin": self._device.address(self._begin),
            "rule": rule,
            "scale": scale,
            "common_weight": np.rint(self._common_weight * scale),
            "first_port": port,
        }
        for name, value in fields.items():
            record[name] = value
        return record


def arrange(table: SynapseTable, arrangement: Arrangement, threads: int) -> NDArray[np.int64]:
    """Sort the rows of a table in place; return where its segments begin."""
    if arrangement.n_part * arrangement.n_group == 1:
        return table.row_start
    begin = np.empty(table.n_source * arrangement.n_part * arrangement.n_group + 1, np.int64)
    owner_start = np.array(arrangement.owner_start, np.int32)
    fields: dict[str, Any] = dict(arrangement.fields())
    keeps_order = len(table.identity) > 0
    place = np.arange(len(table), dtype=np.float64) if keeps_order else None
    if place is not None:  # moved about in the stead of the weights, it tells where all went
        fields |= {"weight": place.ctypes.data, "single": False}
    host = HostTable(table, **fields)
    cpu_library().arrange_rows(
        host.pointer,
        pointer(table.row_start),
        pointer(owner_start),
        ctypes.c_int32(arrangement.delay_group),
        ctypes.c_int32(threads),
        pointer(begin),
    )
    table.moves += 1
    if place is not None:
        table.permute(place.astype(np.int64))
    return begin
