"""Tables whose arrays are on the host, where their rows are sorted in place."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...network import SynapseTable
from ...network.rows import Three
from ..devices.device import Device
from ..toolchain.libraries import cpu_library
from .stored import Arrangement, HostTable, Stored, pointer


class StoredOnHost(Stored):
    """A table that the host arranges, by threads.

    So are those on a GPU of which something changes with spikes: that is to come back in the order
    of the table.
    """

    @staticmethod
    def applies(table: SynapseTable, device: Device) -> bool:
        return True

    def _arrange(self, arrangement: Arrangement, moved: bool) -> Three:
        table, put = self.table, self._device.put
        if moved:
            table.take_back()
            self._begin = put(arrange(table, arrangement, self._device.build_threads))
        target, weight, delay = table.arrays()
        return (
            put(target),
            weight if len(weight) == 1 and table.rule is None else put(weight),
            delay if len(delay) == 1 else put(delay),
        )


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
