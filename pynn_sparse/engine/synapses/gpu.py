"""Synapses that were made on a GPU and stay there, or are arranged there."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from ...network import SynapseTable
from ...network.rows import ARRAYS, Rows, Three
from .. import structures
from ..building.builder import Work
from ..devices.device import Device
from ..devices.gpu_builder import GpuBuilder
from .stored import Arrangement, Stored, record_of


class GpuRows(Rows):
    """The arrays of a table on a GPU, which come to the host for whoever asks for them there.

    Args:
        builder: of the GPU.
        target: uint16 or uint32 [n] on the GPU.
        weight: float64 or float32 [n] on the GPU, or [1] on the host.
        delay: uint8 or uint16 [n] on the GPU, or [1] on the host.

    An array whose values are all equal becomes one of length 1 on the host.
    """

    def __init__(self, builder: GpuBuilder, target: Any, weight: Any, delay: Any) -> None:
        self.builder = builder
        self._weight_range, weight = self._condensed(weight)
        (least, most), delay = self._condensed(delay)
        self.delay_range = int(least), int(most)
        if delay.dtype == np.uint16 and most < 1 << 8:
            on_gpu = len(delay) > 1
            delay = builder.shifted(delay, 0, np.uint8) if on_gpu else delay.astype(np.uint8)
        self._arrays = dict(zip(ARRAYS, (target, weight, delay), strict=True))

    def _condensed(self, array: Any) -> tuple[tuple[Any, Any], Any]:
        """The extremes of an array, and the array."""
        if isinstance(array, np.ndarray) and len(array) == 1:
            return (array[0], array[0]), array
        least, most = self.builder.extremes(array)
        if least == most:
            return (least, most), self.builder.get(array[:1])
        return (least, most), array

    @property
    def place(self) -> GpuBuilder:
        """What makes networks on the GPU."""
        return self.builder

    def arrays(self) -> Three:
        """On the GPU, or of length 1 on the host."""
        target, weight, delay = (self._arrays[name] for name in ARRAYS)
        return target, weight, delay

    def read(self, name: str) -> NDArray[Any]:
        array = self._arrays[name]
        return array if self.is_common(name) else self.builder.get(array)

    def is_common(self, name: str) -> bool:
        return name != "target" and len(self._arrays[name]) == 1

    def weight_range(self, weight: Any = None) -> tuple[float, float]:
        least, most = self._weight_range
        return float(least), float(most)

    def arrange(self, table: SynapseTable, delay_group: int, first_group: int, n_group: int) -> Any:
        """Sort rows by groups of delays, keeping the order of what is equal.

        Returns where the segments begin, int64 [n_source * n_group + 1] on the GPU.
        """
        builder, n = self.builder, len(table)
        row_start = builder.put(table.row_start)
        if n_group == 1:
            return row_start
        begin = builder.zeros(table.n_source * n_group + 1, np.int64)
        place = builder.array(n, np.uint32)
        groups = {"first_group": first_group, "n_group": n_group}
        record = record_of(table, self.arrays(), builder.address, **groups)

        def work() -> Work:
            made = Work(builder, structures.ARRANGE, table=record, delay_group=delay_group)
            return made.point(row_start=row_start, begin=begin, place=place)

        work().run("arrange_segments", table.n_source)
        for name, array in self._arrays.items():
            if self.is_common(name):
                continue
            moved = builder.array(n, array.dtype)
            items = work().point(from_=array, to=moved)
            items.record["item_size"] = array.dtype.itemsize
            items.run("arrange_items", table.n_source)
            self._arrays[name] = moved
        return begin


class StoredOnGpu(Stored):
    """A table that a GPU arranges."""

    @staticmethod
    def applies(table: SynapseTable, device: Device) -> bool:
        return not device.shares_memory and table.rule is None

    def _arrange(self, arrangement: Arrangement, moved: bool) -> Three:
        rows = self._on_gpu()
        groups = arrangement.first_group, arrangement.n_group
        self._begin = rows.arrange(self.table, arrangement.delay_group, *groups)
        self.table.moves += 1
        return rows.arrays()

    def _on_gpu(self) -> GpuRows:
        """The table's own rows, or a copy."""
        builder, rows = cast(GpuBuilder, self._device.builder), self.table.rows
        if rows.place is builder:
            return cast(GpuRows, rows)
        target, *values = rows.read_all()
        values = [each if len(each) == 1 else builder.put(each) for each in values]
        return GpuRows(builder, builder.put(target), *values)
