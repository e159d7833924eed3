"""Synapses that were made on a GPU, and stay there."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...network import SynapseTable
from ...network.holder import ARRAYS, Holder
from .. import structures
from ..building.builder import Work
from ..devices.gpu_builder import GpuBuilder
from ..structures import filled


class Resident(Holder):
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
    def arrays(self) -> tuple[Any, Any, Any]:
        """`target`, `weight` and `delay`: on the GPU, or of length 1 on the host."""
        target, weight, delay = (self._arrays[name] for name in ARRAYS)
        return target, weight, delay

    @property
    def weight_range(self) -> tuple[float, float]:
        """The least and the greatest weight."""
        least, most = self._weight_range
        return float(least), float(most)

    # --- for the table ------------------------------------------------------------------------

    def one(self, table: SynapseTable, name: str) -> NDArray[Any]:
        """An array on the host."""
        array = self._arrays[name]
        return array if self._is_common(name) else self.builder.get(array)

    def extract(self, table: SynapseTable) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """All three on the host."""
        target, weight, delay = (self.one(table, name) for name in ARRAYS)
        return target, weight, delay

    def nbytes(self, table: SynapseTable) -> int:
        """Bytes of all three."""
        return sum(int(array.nbytes) for array in self.arrays)

    def is_common(self, table: SynapseTable, name: str) -> bool:
        """Whether all synapses share a value."""
        return self._is_common(name)

    def _is_common(self, name: str) -> bool:
        return name != "target" and len(self._arrays[name]) == 1

    # --- for the engine -----------------------------------------------------------------------

    def record(self, table: SynapseTable, **more: Any) -> NDArray[np.void]:
        """A record of the arrays for kernels."""
        target, weight, delay = self.arrays
        address = {
            name: self.builder.address(array)
            for name, array in self._arrays.items()
            if not self._is_common(name)
        }
        return filled(
            structures.TABLE,
            **address,
            common_delay=self.delay_range[0],
            wide_target=target.dtype.itemsize == 4,
            wide_delay=delay.dtype.itemsize == 2,
            single=weight.dtype.itemsize == 4,
            first_source=table.first_source,
            n_source=table.n_source,
            **more,
        )

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
        record = self.record(table, first_group=first_group, n_group=n_group)

        def work() -> Work:
            made = Work(builder, structures.ARRANGE, table=record, delay_group=delay_group)
            return made.point(row_start=row_start, begin=begin, place=place)

        work().run("arrange_segments", table.n_source)
        for name, array in self._arrays.items():
            if self._is_common(name):
                continue
            moved = builder.array(n, array.dtype)
            items = work().point(from_=array, to=moved)
            items.record["item_size"] = array.dtype.itemsize
            items.run("arrange_items", table.n_source)
            self._arrays[name] = moved
        return begin
