"""Projections of one population merged row by row, for large networks on the CPU.

A spike then finds the synapses of a group of delays onto all populations in one place, instead of
in as many places as there are projections, each far from the others in memory.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from ...network import Block, SynapseTable
from ...network.rows import ARRAYS, Rows, Three
from .. import structures
from ..toolchain.libraries import cpu_library
from .packed import PackedBundle, packs
from .stored import HostTable, Place, key_of, pointer, pointers, scale_of, starts_of_merged


class MergedRows(Rows):
    """The rows of a table among those of a bundle, which makes arrays of them when asked."""

    def __init__(self, table: SynapseTable, bundle: Bundle, place: Place) -> None:
        self._bundle = bundle
        self._row_start, self._types = table.row_start, (table.index_type, bundle.types)
        self._fields = {
            "scale": bundle.factor(place),
            "first_port": place[1],
            "first_source": table.first_source,
            "n_source": table.n_source,
        }
        self._n_target = table.post.size

    def arrays(self) -> Three:
        n = int(self._row_start[-1])
        target_type, (weight_type, delay_type) = self._types
        target, weight, delay = (
            np.empty(n, each) for each in (target_type, weight_type, delay_type)
        )
        record = structures.filled(
            structures.TABLE,
            target=target.ctypes.data,
            weight=weight.ctypes.data,
            delay=delay.ctypes.data,
            wide_target=target.dtype.itemsize == 4,
            wide_delay=delay.dtype.itemsize == 2,
            single=weight.dtype.itemsize == 4,
            **self._fields,
        )
        self._bundle.extract(record, self._row_start, self._n_target)
        return target, weight, delay

    def read(self, name: str) -> NDArray[Any]:
        array: NDArray[Any] = self.arrays()[ARRAYS.index(name)]
        return array

    def read_all(self) -> Three:
        return self.arrays()

    def is_common(self, name: str) -> bool:
        """Never: tables whose synapses share a value are not merged."""
        return False


class Bundle:
    """Tables of one source, whose rows it has.

    Args:
        pre: the block of the sources.
        places: where each table's input goes.
        delay_group, n_delay_group: see cuda/core/plan.h.
        n_owner: of targets; as many threads make the bundle.
    """

    def __init__(
        self,
        pre: Block,
        places: dict[SynapseTable, Place],
        delay_group: int,
        n_delay_group: int,
        n_owner: int,
    ) -> None:
        self.pre = pre
        self.key = key_of(places, delay_group)
        self._n_owner = n_owner
        self._exponent = max(exponent for exponent, _, _ in places.values())
        self._merge(places, delay_group, n_delay_group)
        # Tables refer to the bundle, which goes with the last of them.
        self._rows = WeakKeyDictionary[SynapseTable, MergedRows]()
        for table, place in places.items():
            table.rows = self._rows[table] = MergedRows(table, self, place)

    def _merge(
        self, places: dict[SynapseTable, Place], delay_group: int, n_delay_group: int
    ) -> None:
        tables, n_source = list(places), self.pre.size
        self._row_start = starts_of_merged(tables, n_source)
        n = int(self._row_start[-1])
        self._port = np.empty(n, np.uint32)
        self._delay = np.empty(n, np.result_type(*(table.delay.dtype for table in tables)))
        self._weight = np.empty(n, tables[0].weight.dtype)
        self._begin = np.empty(n_source * self._n_owner * n_delay_group + 1, np.int64)
        self._record = self._describe(n_delay_group)
        hosts = [
            HostTable(table, first_port=place[1], scale=self.factor(place))
            for table, place in places.items()
        ]
        records = np.concatenate([host.record for host in hosts])
        owners = [owner_start for _, _, owner_start in places.values()]
        row_starts = [table.row_start for table in tables]
        cpu_library().merge_rows(
            pointer(records),
            pointers(row_starts),
            pointers(owners),
            ctypes.c_int32(len(tables)),
            pointer(self._record),
            pointer(self._row_start),
            ctypes.c_int32(delay_group),
            ctypes.c_int32(self._n_owner),
            pointer(self._begin),
        )

    def _describe(self, n_delay_group: int) -> NDArray[np.void]:
        return structures.filled(
            structures.TABLE,
            begin=self._begin.ctypes.data,
            target=self._port.ctypes.data,
            delay=self._delay.ctypes.data,
            weight=self._weight.ctypes.data,
            scale=scale_of(self.pre, self._exponent),
            n_source=self.pre.size,
            n_part=self._n_owner,
            n_group=n_delay_group,
            wide_target=True,
            wide_delay=self._delay.dtype.itemsize == 2,
            single=self._weight.dtype.itemsize == 4,
        )

    @property
    def types(self) -> tuple[np.dtype[Any], np.dtype[Any]]:
        """Of weights and of delays."""
        return self._weight.dtype, self._delay.dtype

    def factor(self, place: Place) -> float:
        """That of a table's weights here."""
        return float(np.ldexp(1.0, place[0] - self._exponent))

    def record(self) -> NDArray[np.void]:
        """The record of the plan."""
        return self._record

    def extract(
        self, record: NDArray[np.void], row_start: NDArray[np.int64], n_target: int
    ) -> None:
        """Write the synapses of a table to the arrays of its record."""
        cpu_library().extract_rows(
            pointer(self._record),
            pointer(self._row_start),
            pointer(record),
            pointer(row_start),
            ctypes.c_int32(n_target),
            ctypes.c_int32(self._n_owner),
        )

    def dissolve(self) -> None:
        """Give all tables their arrays back."""
        for table, rows in list(self._rows.items()):
            if table.rows is rows:
                table.take_back()


class Bundles:
    """Which tables are bundled. `arrange` keeps it up to date."""

    def __init__(self) -> None:
        self._bundles: dict[int, Bundle | PackedBundle] = {}
        self._merged: set[int] = set()

    def arrange(
        self,
        tables: list[SynapseTable],
        place: Callable[[SynapseTable], Place],
        delay_group: int,
        n_delay_group: int,
        n_owner: int,
    ) -> None:
        """Bundle those of the tables that have the same source."""
        wanted: dict[int, dict[SynapseTable, Place]] = {}
        for table in _mergeable(tables):
            wanted.setdefault(table.pre.index, {})[table] = place(table)
        wanted = {source: places for source, places in wanted.items() if len(places) > 1}
        for source, bundle in list(self._bundles.items()):
            if source not in wanted or key_of(wanted[source], delay_group) != bundle.key:
                bundle.dissolve()
                del self._bundles[source]
        # The largest first: where a bundle is made, its tables are there twice for a moment.
        missing = [each for each in wanted.items() if each[0] not in self._bundles]
        for source, places in sorted(missing, key=lambda each: -sum(map(len, each[1]))):
            kind = PackedBundle if packs(places, delay_group) else Bundle
            pre = next(iter(places)).pre
            self._bundles[source] = kind(pre, places, delay_group, n_delay_group, n_owner)
        self._merged = {table.index for places in wanted.values() for table in places}

    def holds(self, table: SynapseTable) -> bool:
        """Whether a table is in a bundle."""
        return table.index in self._merged

    def of(self, pre: Block) -> list[Bundle | PackedBundle]:
        """The bundle of a source, if it has one."""
        return [self._bundles[pre.index]] if pre.index in self._bundles else []


def _mergeable(tables: list[SynapseTable]) -> list[SynapseTable]:
    """Those with synapses that differ, and alone between their populations at their receptor."""
    count: dict[tuple[int, int, str], int] = {}
    for table in tables:
        ends = (table.pre.index, table.post.index, table.receptor)
        count[ends] = count.get(ends, 0) + 1
    return [
        table
        for table in tables
        if not len(table.identity)
        and table.rows.place is None
        and table.mixed
        and count[table.pre.index, table.post.index, table.receptor] == 1
    ]
