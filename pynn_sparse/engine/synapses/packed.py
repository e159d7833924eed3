"""Merged rows of which a word of 64 bits is all that a synapse takes, see cuda/synapses/packed.h.

Words have a weight as what it adds to an accumulator, in whole counts, with fewer digits than the
weight itself. So this is for rows whose weights are drawn anew for whoever asks for them.
"""

from __future__ import annotations

import ctypes
from typing import Any, cast
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from ...network import Block, SynapseTable
from .. import structures
from ..building.builder import HostBuilder
from ..building.connect import Rows as Connections
from ..building.drawn_rows import DrawnRows
from ..structures import filled, host_address
from .stored import Place, key_of, pointer, pointers, scale_of, starts_of_merged

WORD = 64


class PackedRows(DrawnRows):
    """The rows of a table among those of a bundle."""

    def __init__(
        self, table: SynapseTable, rows: DrawnRows, bundle: PackedBundle, port: int
    ) -> None:
        self.known, self._weight = rows.known, None
        self._bundle, self._port = bundle, port
        self._row_start = table.row_start
        self._ends = table.first_source, table.n_source, table.post.size
        self._index_type = table.index_type

    def connections(self) -> Connections:
        target = np.empty(int(self._row_start[-1]), self._index_type)
        first_source, n_source, n_target = self._ends
        record = filled(
            structures.TABLE,
            target=host_address(target),
            wide_target=target.itemsize == 4,
            first_port=self._port,
            first_source=first_source,
            n_source=n_source,
        )
        self._bundle.unpack(record, self._row_start, n_target, self.known.builder)
        return Connections(self._row_start, target)

    def delays(self) -> NDArray[Any]:
        return self.known.laws.delays(self.connections(), self.known.builder)

    def loose(self) -> DrawnRows:
        """The same without the bundle."""
        connections = self.connections()
        delay = self.known.laws.delays(connections, self.known.builder)
        return DrawnRows(self.known, connections, delay)

    @property
    def nbytes(self) -> int:
        return WORD // 8 * int(self._row_start[-1])


class PackedBundle:
    """Tables of one source, whose rows it has; arguments as those of `merged.Bundle`."""

    def __init__(
        self,
        pre: Block,
        places: dict[SynapseTable, Place],
        delay_group: int,
        n_delay_group: int,
        n_owner: int,
    ) -> None:
        self.key = key_of(places, delay_group)
        self._row_start = starts_of_merged(places, pre.size)
        self._words = np.empty(int(self._row_start[-1]), np.uint64)
        self._begin = np.empty(pre.size * n_owner * n_delay_group + 1, np.int64)
        port_bits, delay_bits = _bits(places, delay_group)
        self._record = filled(
            structures.TABLE,
            begin=host_address(self._begin),
            target=host_address(self._words),
            n_source=pre.size,
            n_part=n_owner,
            n_group=n_delay_group,
            port_bits=port_bits,
            delay_bits=delay_bits,
            group_steps=delay_group,
        )
        self._fill(places)
        # Tables refer to the bundle, which goes with the last of them.
        self._rows = WeakKeyDictionary[SynapseTable, PackedRows]()
        for table, (_, port, _) in places.items():
            rows = PackedRows(table, _drawn(table), self, port)
            table.rows = self._rows[table] = rows

    def _fill(self, places: dict[SynapseTable, Place]) -> None:
        tables = list(places)
        drawings = [_drawn(table).drawing() for table in tables]
        delays = [_drawn(table).delays() for table in tables]
        records = [
            filled(
                structures.TABLE,
                delay=host_address(delay),
                wide_delay=delay.itemsize == 2,
                scale=scale_of(table.pre, exponent),
                first_port=port,
                first_source=table.first_source,
                n_source=table.n_source,
            )
            for (table, (exponent, port, _)), delay in zip(places.items(), delays, strict=True)
        ]
        most = max(_drawn(table).delay_range[1] for table in tables)
        _drawn(tables[0]).known.builder.call(
            "pack_rows",
            pointer(np.concatenate(records)),
            pointer(np.concatenate([each.record for each in drawings])),
            pointers([owner_start for _, _, owner_start in places.values()]),
            ctypes.c_int32(len(tables)),
            pointer(self._record),
            pointer(self._row_start),
            ctypes.c_int32(most),
            pointer(self._begin),
        )

    def record(self) -> NDArray[np.void]:
        """The record of the plan."""
        return self._record

    def unpack(
        self,
        record: NDArray[np.void],
        row_start: NDArray[np.int64],
        n_target: int,
        builder: HostBuilder,
    ) -> None:
        """Write the targets of a table, ascending in each row, to the array of its record."""
        builder.call(
            "unpack_targets",
            pointer(self._record),
            pointer(self._row_start),
            pointer(record),
            pointer(row_start),
            ctypes.c_int64(n_target),
        )

    def dissolve(self) -> None:
        """Give all tables rows of their own back."""
        for table, rows in list(self._rows.items()):
            if table.rows is rows:
                table.rows = rows.loose()


def packs(places: dict[SynapseTable, Place], delay_group: int) -> bool:
    """Whether a word holds a synapse of any of these tables, and nothing is lost by it."""
    if not all(isinstance(table.rows, DrawnRows) for table in places):
        return False
    room = WORD - 1 - sum(_bits(places, delay_group))
    return all(
        max(map(abs, _drawn(table).extremes)) * scale_of(table.pre, exponent) < 2.0**room - 1
        for table, (exponent, _, _) in places.items()
    )


def _bits(places: dict[SynapseTable, Place], delay_group: int) -> tuple[int, int]:
    """Of the ports of all tables, and of the delays of a group."""
    last = max(port + table.post.size for table, (_, port, _) in places.items())
    return max(last - 1, 1).bit_length(), (delay_group - 1).bit_length()


def _drawn(table: SynapseTable) -> DrawnRows:
    return cast(DrawnRows, table.rows)
