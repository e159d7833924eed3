"""A population's arrays on the device."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...network import Block
from .. import structures
from ..devices.device import Device
from .spikes import BITS_OF_NEURON

LAST_STAMP = (1 << 63 - BITS_OF_NEURON) - 1  # of a key: beyond where simulations get
SCALARS = {"double": np.float64, "single": np.float32}


def scalar(block: Block, precision: str) -> Any:
    """Type of a block's state and parameters on a device."""
    return np.float64 if block.model.double_only else SCALARS[precision]


class BlockArrays:
    """State and parameters of a `Block` on a device, brought up to date by `synchronise`.

    Of several processes each has those of its `own` neurons; the others' are 0 and take no memory.
    """

    def __init__(
        self, block: Block, device: Device, precision: str, own: slice | None = None
    ) -> None:
        self.block = block
        self.device = device
        self._own = slice(0, block.size) if own is None else own
        self._n_own = self._own.stop - self._own.start
        self.scalar = scalar(block, precision)
        self._row = {name: row for row, name in enumerate(block.model.state)}
        self.state = self._partly(len(self._row))
        for name, row in self._row.items():
            self._assign(row, block.initial[name])
        block.assigned.clear()
        self.current: Any = None
        self.events: Any = None
        self.param: Any = None
        self.heterogeneous = False
        self._version = -1

    def _partly(self, *rows: int) -> Any:
        shape = (*rows, self.block.size)
        return self.device.partly(shape, self.scalar, self._n_own / self.block.size)

    def _assign(self, row: int, values: Any) -> None:
        """Give own neurons their values of a variable, one for all or [n of the block]."""
        own = values[self._own] if np.ndim(values) else np.full(self._n_own, values)
        self.device.assign(self.state, (row, self._own), own.astype(self.scalar))

    @property
    def single(self) -> bool:
        """Whether state and parameters are single precision."""
        return self.scalar is np.float32

    @property
    def kind(self) -> int:
        """Bit of what its kernel has to know, as `with_flags` of step/neuron_step.h counts."""
        return 1 << (2 * self.heterogeneous + (self.current is not None))

    def synchronise(self, step: int) -> None:
        """Take over what the user changed before step `step`."""
        block = self.block
        stale = block.model.outputs is not None and (self._version < 0 or bool(block.assigned))
        for name, mask in block.assigned.items():
            index = self._own.start + np.flatnonzero(mask[self._own])
            values = block.initial[name][index].astype(self.scalar)
            self.device.assign(self.state, (self._row[name], index), values)
        block.assigned.clear()
        if stale:
            self._put_outputs()
        if self._version == block.version:
            return
        self._put_parameters()
        if block.model.events:
            self._put_events(block.model.events(block.parameters, block.grid), step)
        self._version = block.version

    def _put_parameters(self) -> None:
        values = [np.asarray(self.block.derived[name]) for name in self.block.model.derived]
        self.heterogeneous = any(value.ndim for value in values)
        n = self._n_own
        if not self.heterogeneous:
            self.param = self.device.put(np.array(values).astype(self.scalar))
            return
        param = np.empty((len(values), n), self.scalar)
        for row, value in enumerate(values):
            param[row] = value[self._own] if value.ndim else value
        if n == self.block.size:
            self.param = self.device.put(param)
            return
        self.param = self._partly(len(values))
        self.device.assign(self.param, (slice(None), self._own), param)
        self.block.forget_derived()

    def _put_outputs(self) -> None:
        """Fields that follow from the state, which the kernel brings up to date in each step."""
        assert self.block.model.outputs is not None
        state = dict(zip(self._row, self.snapshot(), strict=True))
        own = {
            name: each[self._own] if np.ndim(each) else each
            for name, each in {**self.block.parameters, **state}.items()
        }
        with np.errstate(all="ignore"):
            values = self.block.model.outputs(own, self.block.grid)
        for name, each in values.items():
            self.device.assign(self.state, (self._row[name], self._own), each)

    def _put_events(self, events: list[NDArray[np.int64]], step: int) -> None:
        """What a source reads; spike times that lie behind are passed over."""
        row_start = np.concatenate([[0], np.cumsum([len(each) for each in events])])
        parts = [row_start, *events]
        if self.block.model.given_times and self.device.has_schedules:
            neuron = np.repeat(np.arange(self.block.size), np.diff(row_start))
            stamps = np.concatenate([np.zeros(0, np.int64), *events])
            reached = np.minimum(stamps, LAST_STAMP)
            parts.append(np.sort(reached << BITS_OF_NEURON | neuron))
        self.events = self.device.put(np.concatenate(parts).astype(np.int64))
        if "bin" in self._row:  # of a source whose parameters change with time
            self._assign(self._row["bin"], 0.0)
        if self.block.model.given_times:
            behind = np.array([np.searchsorted(each, step, side="right") for each in events])
            self._assign(self._row["next"], behind)

    def snapshot(self) -> NDArray[Any]:
        """The state of all neurons, [variable][neuron]."""
        return self.device.get(self.state)

    def restore(self, state: NDArray[Any]) -> None:
        """Go back to a snapshot."""
        for row, values in enumerate(state):
            self._assign(row, values)
        self.block.assigned.clear()

    def row(self, name: str) -> Any:
        """The device's array of a state variable."""
        return self.state[self._row[name]]

    @property
    def first(self) -> int:
        """The first of the own neurons."""
        return int(self._own.start)

    def own(self, name: str) -> Any:
        """The same of the own neurons."""
        return self.row(name)[self._own]

    def sample(self, name: str, index: NDArray[np.int32]) -> NDArray[np.float64]:
        """Values of a state variable for some neurons."""
        return self.device.get(self.row(name))[index].astype(np.float64)

    def require_current(self) -> Any:
        """The injected current (nA) of each neuron, from now on read in every step."""
        if self.current is None:
            self.current = self._partly()
        return self.current

    def describe(
        self,
        number: int,
        first_port: int,
        unit: Any,
        owner_start: Any,
        histories: tuple[int, int],
        awake: int,
        backgrounds: tuple[int, int],
    ) -> tuple[Any, ...]:
        """The fields of this block's record in the plan.

        `histories` are the address of records of histories, and their number; `backgrounds` the
        first record of backgrounds, and their number; `awake` the address of bits, see `Rest`.
        """
        address = self.device.address
        pointers = (self.state, self.param, self.current, self.events, unit, owner_start)
        return (
            *(0 if array is None else address(array) for array in pointers),
            histories[0],
            awake,
            self.block.stream.key,
            first_port,
            self.block.size,
            self.block.first,
            self.heterogeneous,
            number,
            histories[1],
            self.block.first - self.block.stream.first,
            *backgrounds,
        )


assert len(structures.BLOCK.names or ()) == 18
