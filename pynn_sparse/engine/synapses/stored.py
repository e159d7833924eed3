"""Synapse tables as the kernels read them: rows arranged for delivery, and their records."""

from __future__ import annotations

import ctypes
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...network import Block, SynapseTable
from ...network.dynamics import MOST_COLUMNS, MOST_STATES
from ...network.rows import Three
from .. import structures
from ..devices.device import Device

Place = tuple[int, int, NDArray[np.int32]]  # exponent, first port and owners of a table's targets


def record_of(
    table: SynapseTable, arrays: Three, address: Callable[[Any], int], **more: Any
) -> NDArray[np.void]:
    """A record of a table with these arrays, which `address` knows, and other fields.

    A weight or delay that all synapses share has no address, but where weights change.
    """
    target, weight, delay = arrays
    each = len(weight) > 1 or table.rule is not None
    return structures.filled(
        structures.TABLE,
        **{
            "target": address(target),
            "delay": address(delay) if len(delay) > 1 else 0,
            "weight": address(weight) if each else 0,
            "common_delay": int(delay[0]) if len(delay) == 1 else 0,
            "wide_target": target.dtype.itemsize == 4,
            "wide_delay": delay.dtype.itemsize == 2,
            "single": weight.dtype.itemsize == 4,
            "first_source": table.first_source,
            "n_source": table.n_source,
            **more,
        },
    )


def scale_of(pre: Block, exponent: int) -> float:
    """Counts of 2^-exponent that a weight of 1 brings, where an event of these sources counts 1."""
    return float(np.ldexp(pre.model.unit, exponent))


class HostTable:
    """A table as functions of cuda/build/build.cpp take it: a record of its arrays on the host."""

    def __init__(self, table: SynapseTable, **more: Any) -> None:
        self._alive = table.arrays()
        self.record = record_of(table, self._alive, structures.host_address, **more)

    @property
    def pointer(self) -> ctypes.c_void_p:
        """The argument."""
        return pointer(self.record)


def pointer(array: NDArray[Any]) -> ctypes.c_void_p:
    """An array's address as an argument of a function of the library, which keeps it alive."""
    return array.ctypes.data_as(ctypes.c_void_p)


def pointers(arrays: list[NDArray[Any]]) -> Any:
    """The addresses of arrays as an argument of such a function."""
    return (ctypes.c_void_p * len(arrays))(*(array.ctypes.data for array in arrays))


def starts_of_merged(tables: Iterable[SynapseTable], n_source: int) -> NDArray[np.int64]:
    """Where rows begin that have those of tables, and the end, int64 [n_source + 1]."""
    starts = np.zeros(n_source + 1, np.int64)
    for table in tables:
        starts[table.first_source + 1 :][: table.n_source] += np.diff(table.row_start)
    return np.cumsum(starts, out=starts)


def key_of(places: dict[SynapseTable, Place], delay_group: int) -> Any:
    """What the merged rows of tables depend on."""
    tables = [
        (table.index, table.version, exponent, port, owner_start.tolist())
        for table, (exponent, port, owner_start) in places.items()
    ]
    return delay_group, tables


@dataclass(frozen=True)
class Arrangement:
    """How the rows of a table are divided into segments: by owners of targets and by delays."""

    owner_start: tuple[int, ...]
    first_owner: int
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
        least, most = ((delay - 1) // delay_group for delay in table.waits.delay)
        first, parts = int(owners[0]), int(owners[-1] - owners[0]) + 1
        starts = tuple(owner_start.tolist())
        return cls(starts, first, parts, least, most - least + 1, delay_group)

    def fields(self) -> dict[str, int]:
        """The fields of the kernels' record of a table that say how its rows are arranged."""
        names = ("first_owner", "n_part", "first_group", "n_group")
        return {name: getattr(self, name) for name in names}


class Stored(ABC):
    """A table on a device. `refresh` takes over what has changed."""

    def __init__(self, table: SynapseTable, device: Device) -> None:
        self.table = table
        self._device = device
        self._version = -1
        self._arrangement: Arrangement | None = None
        self._begin: Any = None

    @staticmethod
    @abstractmethod
    def applies(table: SynapseTable, device: Device) -> bool:
        """Whether a table can be stored like this on a device."""

    @abstractmethod
    def _arrange(self, arrangement: Arrangement, moved: bool) -> Three:
        """Sort the rows if need be, and note where segments begin; the arrays on the device.

        One of length 1 for a value that all synapses share stays on the host.
        """

    def refresh(self, arrangement: Arrangement) -> None:
        """Arrange the rows, and bring to the device what is not there yet."""
        table = self.table
        moved = arrangement != self._arrangement or table.arrangement is None
        if moved or table.version != self._version:
            self._arrays = self._arrange(arrangement, moved)
            self._put_rule()
            self._arrangement = table.arrangement = arrangement
            self._version = table.version

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
        columns = np.zeros(MOST_COLUMNS, structures.COLUMN)
        for number, column in enumerate(self._columns):
            columns[number] = (0, column[0]) if len(column) == 1 else (address(column), 0.0)
        states = np.zeros(MOST_STATES, np.uint64)
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
            "kind": rule.number,
            "serve": self._serving(),
        }

    def _serving(self) -> int:
        """Address of the function that serves a rule of the user's; 0 where there is none."""
        table = self.table
        if table.rule is None or not table.rule.dynamics.source:
            return 0
        return self._device.rule_function(table.rule.dynamics, table.weight.dtype)

    def fetch(self) -> None:
        """Bring weights and states that the device has changed back to the table."""
        table = self.table
        arrays = (table.weight, *table.state.values())
        for mine, theirs in zip(arrays, (self._arrays[1], *self._states), strict=True):
            changed = self._device.get(theirs)
            if changed is not mine:
                mine[:] = changed

    def record(self, exponent: int, port: int, rule: int = 0) -> NDArray[np.void]:
        """The record of the plan, for accumulators in units of 2^-exponent."""
        assert self._arrangement is not None
        _, weight, _ = self._arrays
        least, most = self.table.waits.lag
        scale = scale_of(self.table.pre, exponent)
        common = float(weight[0]) if len(weight) == 1 and self.table.rule is None else 0.0
        return self._record(
            **self._arrangement.fields(),
            begin=self._device.address(self._begin),
            rule=rule,
            scale=scale,
            common_weight=np.rint(common * scale),
            first_port=port,
            least_lag=least,
            most_lag=most,
        )

    def _record(self, **fields: Any) -> NDArray[np.void]:
        return record_of(self.table, self._arrays, self._device.address, **fields)
