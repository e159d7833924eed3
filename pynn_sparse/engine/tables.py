"""Synapse tables as the kernels read them: rows arranged for delivery, and their records."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..network import SynapseTable
from . import structures
from .compile import cpu_library
from .device import Device


def host_record(table: SynapseTable, **more: Any) -> NDArray[np.void]:
    """The record `Table` of cuda/plan.h with the arrays as they are on the host."""
    record = np.zeros(1, structures.TABLE)
    fields = {
        "target": table.target.ctypes.data,
        "delay": table.delay.ctypes.data if len(table.delay) > 1 else 0,
        "weight": table.weight.ctypes.data if has_weights(table) else 0,
        **_fixed(table),
        **more,
    }
    for name, value in fields.items():
        record[name] = value
    return record


def has_weights(table: SynapseTable) -> bool:
    """Whether each synapse has a weight of its own."""
    return len(table.weight) > 1 or table.rule is not None


def _fixed(table: SynapseTable) -> dict[str, int]:
    return {
        "first_source": table.first_source,
        "n_source": table.n_source,
        "common_delay": int(table.delay[0]),
        "wide_target": table.target.dtype.itemsize == 4,
        "wide_delay": table.delay.dtype.itemsize == 2,
        "single": table.weight.dtype.itemsize == 4,
    }


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
        """Those of the record."""
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
        """Arrange the rows, in place, and bring to the device what is not there yet."""
        table = self.table
        moved = arrangement != self._arrangement or table.arrangement is None
        if moved:
            self._begin = self._device.put(arrange(table, arrangement, threads))
            self._arrangement = table.arrangement = arrangement
        if moved or table.version != self._version:
            self._arrays = {"target": table.target}
            if len(table.delay) > 1:
                self._arrays["delay"] = table.delay
            if has_weights(table):
                self._arrays["weight"] = table.weight
            self._arrays = {name: self._device.put(each) for name, each in self._arrays.items()}
            self._version = table.version
        self.fixed = _fixed(table) | arrangement.fields()

    def fetch_weights(self) -> None:
        """Bring weights that the device has changed back to the table."""
        weight = self._device.get(self._arrays["weight"])
        if weight is not self.table.weight:
            self.table.weight[:] = weight

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
            "common_weight": np.rint(float(self.table.weight[0]) * scale),
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
    record = host_record(table, **arrangement.fields())
    cpu_library().arrange_rows(
        *(ctypes.c_void_p(each.ctypes.data) for each in (record, table.row_start, owner_start)),
        ctypes.c_int32(arrangement.delay_group),
        ctypes.c_int32(threads),
        ctypes.c_void_p(begin.ctypes.data),
    )
    return begin


def count_coarse(table: SynapseTable, exponent: int) -> int:
    """Number of synapses whose weight in counts has lost digits that a user may miss."""
    record = host_record(table, scale=np.ldexp(1.0, exponent), weight=table.weight.ctypes.data)
    n = len(table.weight)
    coarse = int(cpu_library().count_coarse(ctypes.c_void_p(record.ctypes.data), ctypes.c_int64(n)))
    return coarse * (len(table) if n == 1 else 1)
