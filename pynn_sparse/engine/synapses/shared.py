"""Tables whose synapses share the weights of a kernel: the kernel on a device, and small arrays."""

from __future__ import annotations

from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from ...network import SynapseTable
from ...network.rows import Three
from ...network.shared import Axis, SharedRows
from .. import structures
from ..devices.device import Device
from .stored import Arrangement, Stored


class Place(Protocol):
    """Where arrays are: a device, or the host."""

    def put(self, array: NDArray[Any]) -> Any:
        """An array of the host, there."""

    def address(self, array: Any) -> int:
        """What a structure holds of an array."""


class SharedArrays:
    """What kernels read of rows that share weights, for as long as this lives.

    Attributes:
        weight: the kernel, flat, where it is read; of length 1 on the host where it has one weight.
    """

    def __init__(self, rows: SharedRows, place: Place) -> None:
        windows = rows.windows
        self._place = place
        self._alive: list[Any] = []
        self._delay = int(rows.delay[0])
        self._common = len(rows.weight) == 1
        self._single = rows.weight.dtype.itemsize == 4
        self.weight = rows.weight if self._common else place.put(rows.weight)
        taps = windows.y.n_tap * windows.x.n_tap
        shared = structures.filled(
            structures.SHARED,
            y=self._axis(windows.y)[0],
            x=self._axis(windows.x)[0],
            group_source=windows.group_source,
            group_target=windows.group_target,
            per_channel=taps * windows.group_target if windows.per_channel else 0,
        )
        self._shared = place.put(shared)

    def _axis(self, axis: Axis) -> NDArray[np.void]:
        arrays = {name: self._place.put(getattr(axis, name)) for name in ("begin", "place", "tap")}
        self._alive += arrays.values()
        filled: NDArray[np.void] = structures.filled(
            structures.AXIS,
            **{name: self._place.address(each) for name, each in arrays.items()},
            n_source=axis.n_source,
            n_target=axis.n_target,
            n_tap=axis.n_tap,
        )
        return filled

    def record(self, table: SynapseTable, **more: Any) -> NDArray[np.void]:
        """The record of a table that has these rows, with other fields."""
        return structures.filled(
            structures.TABLE,
            shared=self._place.address(self._shared),
            weight=0 if self._common else self._place.address(self.weight),
            single=self._single,
            common_delay=self._delay,
            n_source=table.n_source,
            **more,
        )


class StoredShared(Stored):
    """A table of which a device has the kernel alone; its rows follow from windows."""

    @staticmethod
    def applies(table: SynapseTable, device: Device) -> bool:
        return table.rows.share_weights

    def _arrange(self, arrangement: Arrangement, moved: bool) -> Three:
        rows = cast(SharedRows, self.table.rows)
        first, n = arrangement.first_owner, arrangement.n_part
        starts = np.array(arrangement.owner_start[first : first + n + 1], np.int64)
        self._begin = self._device.put(starts)
        self._shared = SharedArrays(rows, self._device)
        return np.zeros(0, np.uint16), self._shared.weight, rows.delay

    def _record(self, **fields: Any) -> NDArray[np.void]:
        return self._shared.record(self.table, **fields)
