"""Layers without a state that have a kernel: a window that moves over space, with its weights."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...network.shared import MOST_PLACES, Axis, Windows, of_channels
from .synapses import Synapses, meeting

# From these on, synapses that share weights are delivered as fast as those that are stored.
LEAST_TARGETS = 8  # channels that a channel leads to, and that are served in a row
LEAST_PRESENT = 0.75  # of the kernel's elements that are not 0: the others are served in vain


@dataclass(frozen=True)
class Steps:
    """Which places before a layer lead to which after it, along one axis of space.

    Attributes:
        n_source, n_target, n_tap: places before and after, and elements of the kernel.
        source, target, tap: of each pair of places, [n]; no pair is there twice.
    """

    n_source: int
    n_target: int
    n_tap: int
    source: NDArray[np.int64]
    target: NDArray[np.int64]
    tap: NDArray[np.int64]

    @property
    def uses(self) -> NDArray[np.int64]:
        """Pairs of each place after that have each element, [n_target, n_tap]."""
        pairs = self.target * self.n_tap + self.tap
        found = np.bincount(pairs, minlength=self.n_target * self.n_tap)
        return found.reshape(self.n_target, self.n_tap)

    @classmethod
    def identity(cls, n: int) -> Steps:
        """Each place to itself."""
        each = np.arange(n)
        return cls(n, n, 1, each, each, np.zeros_like(each))

    def then(self, other: Steps) -> Steps | None:
        """These and then others; None where two ways lead from one place to another."""
        mine, theirs = meeting(self.target, other.source, other.n_source)
        source, target = self.source[mine], other.target[theirs]
        if len(np.unique(source * other.n_target + target)) < len(source):
            return None
        tap = self.tap[mine] * other.n_tap + other.tap[theirs]
        return Steps(self.n_source, other.n_target, self.n_tap * other.n_tap, source, target, tap)


@dataclass(frozen=True)
class Kernel:
    """A linear map between layers whose axes are channels and space, with weights for all places.

    Attributes:
        axes: of space.
        channels: before.
        group: channels before that lead to the same channels after.
        weight: [channels, taps of each axis..., channels after of a group]; one channel where all
            have the same.
    """

    axes: tuple[Steps, ...]
    channels: int
    group: int
    weight: NDArray[np.float64]

    @property
    def delay(self) -> NDArray[np.float64]:
        """One for all synapses: none."""
        return np.zeros(1)

    @property
    def per_channel(self) -> bool:
        """Whether each channel has weights of its own."""
        return len(self.weight) == self.channels

    @property
    def group_target(self) -> int:
        """Channels after that a channel before leads to."""
        return int(self.weight.shape[-1])

    @property
    def worthwhile(self) -> bool:
        """Whether delivery by the kernel is as fast as by a list of synapses."""
        places = max(max(axis.n_source, axis.n_target, axis.n_tap) for axis in self.axes)
        return (
            len(self.axes) in (1, 2)
            and places <= MOST_PLACES
            and self.group_target >= LEAST_TARGETS
            and int(np.count_nonzero(self.weight)) >= LEAST_PRESENT * self.weight.size
        )

    def windows(self) -> Windows:
        """The same for a network, whose images have two axes."""
        y, x = (
            Axis.of(each.n_source, each.n_target, each.n_tap, each.source, each.target, each.tap)
            for each in (Steps.identity(1), *self.axes)[-2:]
        )
        return Windows(y, x, self.channels, self.group, self.group_target, self.per_channel)

    @property
    def apart(self) -> bool:
        """Whether each channel leads to one, and to no other channel's."""
        return self.group == self.group_target == 1

    def then(self, other: Kernel) -> Kernel | None:
        """One after the other, where no weight comes to be a sum; else None."""
        if len(self.axes) != len(other.axes) or not (self.apart or other.apart):
            return None
        axes = [mine.then(theirs) for mine, theirs in zip(self.axes, other.axes, strict=True)]
        found = tuple(each for each in axes if each is not None)
        if len(found) < len(axes):
            return None
        return Kernel(found, self.channels, self._group_with(other), self._weight_with(other))

    def _group_with(self, other: Kernel) -> int:
        return other.group if self.apart else self.group

    def _weight_with(self, other: Kernel) -> NDArray[np.float64]:
        n = len(self.axes)
        mine, theirs = self.weight, other.weight
        if not self.apart and other.per_channel:
            # The other's weights belong to this one's targets, by group.
            group = np.arange(self.channels) // self.group
            after = group[:, None] * self.group_target + np.arange(self.group_target)
            theirs = np.moveaxis(theirs[after, ..., 0], 1, -1)
            mine = np.broadcast_to(mine, (self.channels, *mine.shape[1:]))
        # [channel, taps of mine and of theirs in turn, channel after]
        mine = mine.reshape(mine.shape[0], *(k for t in mine.shape[1:-1] for k in (t, 1)), -1)
        theirs = theirs.reshape(
            theirs.shape[0], *(k for t in theirs.shape[1:-1] for k in (1, t)), -1
        )
        product = mine * theirs
        taps = [product.shape[1 + 2 * k] * product.shape[2 + 2 * k] for k in range(n)]
        return product.reshape(product.shape[0], *taps, product.shape[-1])

    def greatest_sum(self) -> float:
        """The greatest sum of the sizes of the weights that a target has."""
        size = np.broadcast_to(np.abs(self.weight), (self.channels, *self.weight.shape[1:]))
        sums = size.reshape(-1, self.group, *size.shape[1:]).sum(axis=1)
        for axis in self.axes:  # from taps to places of the target, which come to be the last axis
            sums = np.tensordot(sums, axis.uses, axes=([1], [1]))
        return float(sums.max(initial=0.0))

    def _pairs_of_space(self) -> tuple[NDArray[np.int64], ...]:
        """Flat places before and after, and flat taps, of all pairs of places."""
        source = target = tap = np.zeros(1, np.int64)
        for axis in self.axes:
            source = (source[:, None] * axis.n_source + axis.source).ravel()
            target = (target[:, None] * axis.n_target + axis.target).ravel()
            tap = (tap[:, None] * axis.n_tap + axis.tap).ravel()
        return source, target, tap

    def synapses(self) -> Synapses:
        """The same as a list, by source and target, without those of weight 0."""
        n_in = math.prod(axis.n_source for axis in self.axes)
        n_out = math.prod(axis.n_target for axis in self.axes)
        source, target, tap = self._pairs_of_space()
        n_tap = math.prod(axis.n_tap for axis in self.axes)
        groups = self.group, self.group_target
        flat, parts = self.weight.ravel(), []
        each = np.repeat(source, self.group_target)
        for channel, (to, place) in enumerate(
            of_channels(target, tap, n_out, n_tap, self.channels, *groups, self.per_channel)
        ):
            there = np.flatnonzero(flat[place])
            parts.append((channel * n_in + each[there], to[there], flat[place[there]]))
        columns = [np.concatenate(each) for each in zip(*parts, strict=True)]
        order = np.lexsort((columns[1], columns[0]))
        start, end, weight = (each[order] for each in columns)
        sizes = self.channels * n_in, self.channels // self.group * self.group_target * n_out
        return Synapses(*sizes, start, end, weight, np.zeros(len(weight)))
