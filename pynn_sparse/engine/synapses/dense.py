"""Tables that are stored as a matrix: rows are added as they lie in memory, without targets."""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import NDArray

from ...network import SynapseTable
from ...network.dense import DenseRows, may_be_dense
from ...network.rows import Three
from .. import structures
from ..devices.device import Device
from .stored import Arrangement, Stored, scale_of

TYPES = tuple(map(np.dtype, ("int8", "int16", "float32", "float64")))  # as DenseItem in plan.h
BUNCH = 8  # as kBunch in cuda/core/portable_cpu.h
MOST_SUM = 2.0**51  # counts, see round_small in cuda/synapses/dense.h


class StoredDense(Stored):
    """A table whose rows are a matrix, on the host and on the device."""

    @staticmethod
    def applies(table: SynapseTable, device: Device) -> bool:
        if isinstance(table.rows, DenseRows):
            return True
        rows = DenseRows.of(table) if may_be_dense(table) else None
        if rows is not None:
            table.rows = rows
        return rows is not None

    def _arrange(self, arrangement: Arrangement, moved: bool) -> Three:
        self._rows = cast(DenseRows, self.table.rows)
        self._scale, self._whole = 0.0, False
        return self._rows.first_target, self._rows.item, self._rows.delay

    def _put_items(self, scale: float) -> None:
        """Bring to the device items that are whole counts, where such items have the same type.

        They are what the weights are rounded to when spikes are delivered.
        """
        if scale == self._scale:
            return
        item = self._rows.item
        if item.dtype.kind == "i":
            self._whole = scale == np.rint(scale)
        else:  # the scale is a power of two
            exponent = int(np.frexp(scale)[1]) - 1
            whole = np.ldexp(np.rint(np.ldexp(item, exponent)), -exponent)
            self._whole = bool(np.isfinite(whole).all())
            item = whole if self._whole and (whole != item).any() else item
        self._greatest = float(max(item.max(), -float(item.min())))
        self._item = self._device.put(item)
        self._scale = scale

    def dense_record(self, exponent: int, port: int, owner_start: int) -> NDArray[np.void]:
        """The record of the plan, for accumulators in units of 2^-exponent."""
        assert self._arrangement is not None
        table, rows, put = self.table, self._rows, self._device
        scale = scale_of(table.pre, exponent) * rows.grid
        self._put_items(scale)
        most = np.max(table.pre.model.most_spikes(table.pre.parameters, table.pre.grid), initial=0)
        n_source, n_target = rows.item.shape
        filled: NDArray[np.void] = structures.filled(
            structures.DENSE,
            item=put.address(self._item),
            owner_start=owner_start,
            scale=scale,
            first_port=port + rows.first_target,
            first_source=table.first_source,
            n_source=n_source,
            first_target=rows.first_target,
            n_target=n_target,
            delay=int(rows.delay[0]),
            group=self._arrangement.first_group,
            type=TYPES.index(rows.item.dtype),
            in_sums=self._whole and BUNCH * self._greatest * scale * float(most) < MOST_SUM,
        )
        return filled
