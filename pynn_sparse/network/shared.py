"""Synapses that share the weights of a kernel, as those of a convolution do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ParameterError
from ..notices import warn
from . import memory
from .rows import OwnRows, Rows, Three, common, index_type

MOST_PLACES = 1 << 16  # along an axis
BYTES_PER_SYNAPSE = 40  # of arrays that have each synapse, while they are made


@dataclass(frozen=True)
class Axis:
    """Which places of the target each place of the source reaches along one axis of space.

    Attributes:
        begin: int32 [n_source + 1], into the arrays below.
        place: uint16, of the target.
        tap: uint16, element of the kernel along this axis.
        n_target, n_tap: how many places and taps there are.
    """

    begin: NDArray[np.int32]
    place: NDArray[np.uint16]
    tap: NDArray[np.uint16]
    n_target: int
    n_tap: int

    @classmethod
    def of(
        cls,
        n_source: int,
        n_target: int,
        n_tap: int,
        source: NDArray[Any],
        target: NDArray[Any],
        tap: NDArray[Any],
    ) -> Axis:
        """An axis of pairs in any order, each place of the source with one of the target, once.

        Raises `ParameterError` for more than 65,536 places or taps.
        """
        for what, n in (("source", n_source), ("target", n_target), ("kernel", n_tap)):
            if n > MOST_PLACES:
                raise ParameterError(
                    f"{n} places along an axis of the {what}: must be at most {MOST_PLACES}"
                )
        order = np.lexsort((target, source))
        begin = np.zeros(n_source + 1, np.int32)
        np.cumsum(np.bincount(source, minlength=n_source), out=begin[1:])
        place, taps = (each[order].astype(np.uint16) for each in (target, tap))
        return cls(begin, place, taps, n_target, n_tap)

    @property
    def n_source(self) -> int:
        return len(self.begin) - 1

    @property
    def source(self) -> NDArray[np.int64]:
        """Place of the source of each pair."""
        return np.repeat(np.arange(self.n_source), np.diff(self.begin))

    @cached_property
    def uses(self) -> NDArray[np.int64]:
        """Pairs of each place of the source that have each tap, [n_source, n_tap]."""
        uses = np.zeros((self.n_source, self.n_tap), np.int64)
        np.add.at(uses, (self.source, self.tap), 1)
        return uses

    @property
    def nbytes(self) -> int:
        return self.begin.nbytes + self.place.nbytes + self.tap.nbytes


@dataclass(frozen=True)
class Windows:
    """Which cells a kernel connects, and by which of its weights. Both ends are [channel, y, x].

    Attributes:
        y, x: the axes.
        channels: of the source.
        group_source, group_target: how many channels of the source and of the target belong to a
            group; the source's lead to the target's channels of the same group.
        per_channel: whether each channel of the source has weights of its own.
        present: bool of `shape`, the elements of the kernel that make synapses; None for all.
    """

    y: Axis
    x: Axis
    channels: int
    group_source: int
    group_target: int
    per_channel: bool
    present: NDArray[np.bool_] | None = None

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Shape of the kernel: channels of the source, taps of y and x, channels of the target.

        The last are those of a group. There is one channel of the source where all have the same
        weights.
        """
        channels = self.channels if self.per_channel else 1
        return channels, self.y.n_tap, self.x.n_tap, self.group_target

    @property
    def n_pre(self) -> int:
        return self.channels * self.y.n_source * self.x.n_source

    @property
    def n_post(self) -> int:
        groups = self.channels // self.group_source
        return groups * self.group_target * self.y.n_target * self.x.n_target

    @cached_property
    def _present_targets(self) -> NDArray[np.int64]:
        """Channels of the target to which synapses lead, [channel of the source, tap y, tap x]."""
        if self.present is None:
            return np.full(self.shape[:3], self.group_target)
        found: NDArray[np.int64] = np.count_nonzero(self.present, axis=3)
        return found

    def __len__(self) -> int:
        """Number of synapses."""
        uses = np.einsum("yi,xj->ij", self.y.uses, self.x.uses)
        n = int((self._present_targets * uses).sum())
        return n if self.per_channel else n * self.channels

    def uses(self) -> NDArray[np.int64]:
        """How many synapses have each weight, of `shape`."""
        uses = np.einsum("yi,xj->ij", self.y.uses, self.x.uses)
        uses = uses if self.per_channel else uses * self.channels
        each = np.broadcast_to(uses[None, :, :, None], self.shape)
        return each if self.present is None else np.where(self.present, each, 0)

    def row_start(self) -> NDArray[np.int64]:
        """Where the rows of cells of the source begin and end, [n_pre + 1]."""
        length = np.einsum("cij,yi,xj->cyx", self._present_targets, self.y.uses, self.x.uses)
        length = np.broadcast_to(length, (self.channels, *length.shape[1:]))
        start = np.zeros(self.n_pre + 1, np.int64)
        np.cumsum(length.ravel(), out=start[1:])
        return start

    def synapses(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The target of each synapse, and the place of its weight in the kernel, row by row.

        Raises `NetworkTooLargeError`.
        """
        memory.require(len(self) * BYTES_PER_SYNAPSE, f"{len(self)} synapses, one by one")
        y, x = self.y, self.x
        source = (y.source[:, None] * x.n_source + x.source).ravel()
        place = (y.place[:, None].astype(np.int64) * x.n_target + x.place).ravel()
        tap = (y.tap[:, None].astype(np.int64) * x.n_tap + x.tap).ravel()
        order = np.argsort(source, kind="stable")
        sizes = y.n_target * x.n_target, y.n_tap * x.n_tap
        groups = self.group_source, self.group_target
        targets, weights = [], []
        for target, weight in of_channels(
            place[order], tap[order], *sizes, self.channels, *groups, self.per_channel
        ):
            if self.present is not None:
                there = self.present.ravel()[weight]
                target, weight = target[there], weight[there]
            targets.append(target)
            weights.append(weight)
        return np.concatenate(targets), np.concatenate(weights)

    @property
    def nbytes(self) -> int:
        return self.y.nbytes + self.x.nbytes + (0 if self.present is None else self.present.nbytes)


def of_channels(
    place: NDArray[np.int64],
    tap: NDArray[np.int64],
    n_place: int,
    n_tap: int,
    channels: int,
    group_source: int,
    group_target: int,
    per_channel: bool,
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Synapses of one channel of the source after the other, for all pairs of places in space.

    Args:
        place: flat, of the target of each pair.
        tap: flat, of the kernel of each pair.
        n_place: of the target.
        n_tap: of the kernel.
        channels: of the source.
        group_source: channels of the source in a group.
        group_target: channels of the target in a group.
        per_channel: whether each channel of the source has weights of its own.

    Yields the target of each synapse and the place of its weight in the kernel, [pairs *
    group_target].
    """
    of_group = np.arange(group_target)
    for channel in range(channels):
        first = channel // group_source * group_target
        of_channel = (channel if per_channel else 0) * n_tap
        target = (first + of_group) * n_place + place[:, None]
        weight = (of_channel + tap[:, None]) * group_target + of_group
        yield target.ravel(), weight.ravel()


class SharedRows(Rows):
    """Rows of which only the kernel is stored; the arrays are made when they are asked for.

    Args:
        windows: which cells are connected.
        weight: float64 or float32, flat, of the shape of the kernel, and 0 where there is no
            synapse; or [1] where all synapses have the same.
        delay: uint8 or uint16 [1].
    """

    share_weights = True

    def __init__(self, windows: Windows, weight: NDArray[Any], delay: NDArray[Any]) -> None:
        self.windows = windows
        self.weight = common(weight)
        self.delay = delay

    def arrays(self) -> Three:
        target, place = self.windows.synapses()
        weight = self.weight if self.is_common("weight") else self.weight[place]
        return target.astype(index_type(self.windows.n_post)), weight, self.delay

    def read(self, name: str) -> NDArray[Any]:
        if self.is_common(name):
            return self.weight if name == "weight" else self.delay
        target, weight, _ = self.arrays()
        array: NDArray[Any] = target if name == "target" else weight
        return array

    def is_common(self, name: str) -> bool:
        return name == "delay" or (name == "weight" and len(self.weight) == 1)

    def write(self, name: str, values: NDArray[Any]) -> Rows:
        """Rows of the same kind where the values allow it."""
        if name == "delay" and len(values) == 1:
            return SharedRows(self.windows, self.weight, values)
        kernel = self._kernel_of(values) if name == "weight" else None
        if kernel is not None:
            return SharedRows(self.windows, kernel, self.delay)
        return self.own().write(name, values)

    def _kernel_of(self, weight: NDArray[Any]) -> NDArray[Any] | None:
        """The kernel that gives synapses these weights, one for all or each one's, if any does."""
        windows = self.windows
        if len(weight) == 1:
            if windows.present is None:
                return weight
            return np.where(windows.present.ravel(), weight, 0).astype(weight.dtype)
        _, place = windows.synapses()
        kernel = np.zeros(int(np.prod(windows.shape)), weight.dtype)
        kernel[place] = weight
        return kernel if (kernel[place] == weight).all() else None

    def for_changes(self) -> Rows:
        return self

    @property
    def weight_type(self) -> np.dtype[Any]:
        return self.weight.dtype

    def own(self) -> OwnRows:
        n = len(self.windows)
        warn(
            f"{n} synapses that shared the weights of a kernel get values of their own, which no "
            f"kernel has; they take {n * 10 / 2**20:.3g} MiB"
        )
        return super().own()

    @property
    def nbytes(self) -> int:
        return self.windows.nbytes + int(self.weight.nbytes) + int(self.delay.nbytes)
