"""Layers without a state: each is a linear map of what arrives in a step, and perhaps a constant.

Axes are those of one sample: channels first, then space. Elements are counted in C order.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import GraphError
from ...network import memory
from .kernel import Kernel, Steps
from .synapses import Synapses

Shape = tuple[int, ...]
Array = NDArray[Any]
BYTES_PER_ENTRY = 64  # of a map while it is made
FEW_ENTRIES = 1 << 20  # that windows see at once, so that they stay in a cache
SAME, VALID = "same", "valid"


class Linear(ABC):
    """What the layers of this module have in common."""

    @abstractmethod
    def shape_out(self, shape: Shape) -> Shape:
        """Shape of what leaves, for the shape of what enters. Raises GraphError."""

    @abstractmethod
    def synapses(self, shape: Shape) -> Synapses:
        """The map of flat layers, for the shape of what enters."""

    @abstractmethod
    def applied(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """What leaves, [samples, *shape_out], for what enters, [samples, *shape], as one step."""

    def as_kernel(self, shape: Shape) -> Kernel | None:
        """The same map with weights that all places share; None where it has no such weights."""
        return None

    def constant(self, shape: Shape) -> NDArray[np.float64]:
        """What is added in every step, flat; for the shape of what enters."""
        return np.zeros(math.prod(self.shape_out(shape)))


@dataclass(frozen=True)
class Dense(Linear):
    """y = W x + b over the last axis: weight [..., out, in], bias [..., out] or None."""

    weight: Array
    bias: Array | None = None

    @property
    def shape_in(self) -> Shape:
        return (*self.weight.shape[:-2], self.weight.shape[-1])

    def _leading(self, shape: Shape) -> Shape:
        if self.weight.ndim > 2 or shape[-1:] != self.weight.shape[-1:]:
            if math.prod(shape) != math.prod(self.shape_in):
                raise GraphError(
                    f"its weight {self.weight.shape} takes {self.shape_in}, but gets {shape}"
                )
            return self.weight.shape[:-2]
        return shape[:-1]

    def shape_out(self, shape: Shape) -> Shape:
        return (*self._leading(shape), self.weight.shape[-2])

    def synapses(self, shape: Shape) -> Synapses:
        leading = self._leading(shape)
        n_out, n_in = self.weight.shape[-2:]
        weight = np.broadcast_to(self.weight, (*leading, n_out, n_in)).reshape(-1, n_out, n_in)
        block, target, source = np.nonzero(weight)
        return Synapses(
            len(weight) * n_in,
            len(weight) * n_out,
            block * n_in + source,
            block * n_out + target,
            weight[block, target, source].astype(np.float64),
            np.zeros(len(block)),
        )

    def applied(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        leading, size = self._leading(x.shape[1:]), self.weight.shape[-1]
        column = x.reshape(len(x), *leading, size, 1)
        found: NDArray[np.float64] = np.matmul(self.weight.astype(np.float64), column)[..., 0]
        return found if self.bias is None else found + self.bias.astype(np.float64)

    def constant(self, shape: Shape) -> NDArray[np.float64]:
        out = self.shape_out(shape)
        if self.bias is None:
            return np.zeros(math.prod(out))
        return np.broadcast_to(self.bias, out).astype(np.float64).ravel()


class OfEach(Linear):
    """A map of each element to itself."""

    def shape_out(self, shape: Shape) -> Shape:
        return shape


@dataclass(frozen=True)
class Scale(OfEach):
    """The product with a factor for each element, and perhaps a constant; with 1, a plain sum."""

    scale: Array
    bias: Array | None = None

    def synapses(self, shape: Shape) -> Synapses:
        factor = per_element(self.scale, shape).astype(np.float64)
        return Synapses.each(factor, np.zeros(len(factor))).merged()

    def applied(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        shape = x.shape[1:]
        factor = per_element(self.scale, shape).reshape(shape)
        return x * factor + self.constant(shape).reshape(shape)

    def constant(self, shape: Shape) -> NDArray[np.float64]:
        if self.bias is None:
            return super().constant(shape)
        return per_element(self.bias, shape).astype(np.float64)

    def as_kernel(self, shape: Shape) -> Kernel | None:
        factor = per_element(self.scale, shape).astype(np.float64).reshape(shape[0], -1)
        if (factor != factor[:, :1]).any():
            return None
        axes = tuple(map(Steps.identity, shape[1:]))
        return Kernel(axes, shape[0], 1, factor[:, :1].reshape(-1, *(1 for _ in axes), 1))


@dataclass(frozen=True)
class Delay(OfEach):
    """Each element after a time of its own."""

    delay: Array

    def synapses(self, shape: Shape) -> Synapses:
        delay = per_element(self.delay, shape).astype(np.float64)
        return Synapses.each(np.ones(len(delay)), delay)

    def applied(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        raise GraphError("has a delay, which is nothing within one step")


@dataclass(frozen=True)
class Flatten(Linear):
    """Joins the axes from `start` to `end`, both counted without an axis for samples."""

    start: int
    end: int

    def shape_out(self, shape: Shape) -> Shape:
        axes = len(shape)
        start = self.start + axes * (self.start < 0)
        end = self.end + axes * (self.end < 0)
        if not 0 <= start <= end < axes:
            # Others count the axis of samples, so that this one has nothing left to join.
            return shape
        return (*shape[:start], math.prod(shape[start : end + 1]), *shape[end + 1 :])

    def synapses(self, shape: Shape) -> Synapses:
        return Synapses.identity(math.prod(shape))

    def applied(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        return x.reshape(len(x), *self.shape_out(x.shape[1:]))


@dataclass(frozen=True)
class Window(Linear):
    """A window that moves over the axes of space.

    `stride` and `dilation` have a number for each axis of space; `padding` too, or (before, after)
    for each, or is "same" or "valid".
    """

    stride: Shape
    padding: Shape | tuple[tuple[int, int], ...] | str
    dilation: Shape

    @property
    @abstractmethod
    def kernel(self) -> Shape:
        """Extent of the window along each axis of space."""

    def _before_after(self) -> list[tuple[int, int]]:
        """How many zeros are put before and after each axis."""
        spans = [d * (k - 1) for d, k in zip(self.dilation, self.kernel, strict=True)]
        if self.padding == VALID:
            return [(0, 0)] * len(spans)
        if self.padding == SAME:
            if set(self.stride) != {1}:
                raise GraphError(
                    f"padding 'same' with stride {self.stride} means one thing in Flax and nothing "
                    "in PyTorch: give the padding as numbers"
                )
            return [(span // 2, span - span // 2) for span in spans]
        return [
            each if isinstance(each, tuple) else (int(each), int(each)) for each in self.padding
        ]

    def extent(self, space: Shape) -> Shape:
        """How many places the window has along each axis."""
        if len(space) != len(self.kernel):
            raise GraphError(
                f"takes channels and {len(self.kernel)} axes of space, but gets {len(space) + 1}"
            )
        places = []
        for n, k, s, d, (before, after) in zip(
            space, self.kernel, self.stride, self.dilation, self._before_after(), strict=True
        ):
            places.append((n + before + after - d * (k - 1) - 1) // s + 1)
        if min(places) < 1:
            raise GraphError(f"its window {self.kernel} is larger than its input {space}")
        return tuple(places)

    def steps(self, space: Shape) -> tuple[Steps, ...]:
        """Which places each element of the window leads from and to, along each axis."""
        found = []
        for n, n_out, k, stride, dilation, (before, _) in zip(
            *(space, self.extent(space), self.kernel, self.stride, self.dilation),
            self._before_after(),
            strict=True,
        ):
            tap, to = np.indices((k, n_out)).reshape(2, -1)
            origin = to * stride + tap * dilation - before
            inside = (origin >= 0) & (origin < n)
            found.append(Steps(n, n_out, k, origin[inside], to[inside], tap[inside]))
        return tuple(found)

    def taps(self, space: Shape) -> list[tuple[Array, Array]]:
        """(from, to) in flat space for each element of the window, in C order."""
        out, steps = self.extent(space), self.steps(space)
        found = []
        for place in product(*map(range, self.kernel)):
            mine = [axis.tap == at for axis, at in zip(steps, place, strict=True)]
            starts = [axis.source[at] for axis, at in zip(steps, mine, strict=True)]
            ends = [axis.target[at] for axis, at in zip(steps, mine, strict=True)]
            start = np.ravel_multi_index(np.ix_(*starts), space)
            end = np.ravel_multi_index(np.ix_(*ends), out)
            found.append((start.ravel(), end.ravel()))
        return found

    def places(self, space: Shape) -> Array:
        """Where in flat space the window's elements are, [element, place]; its size if outside."""
        taps = self.taps(space)
        found = np.full((len(taps), math.prod(self.extent(space))), math.prod(space))
        for row, (start, end) in zip(found, taps, strict=True):
            row[end] = start
        return found


def seen_at(x: NDArray[np.float64], places: Array) -> NDArray[np.float64]:
    """What windows see of samples, [samples, channels, element, place]; 0 outside."""
    flat = x.reshape(*x.shape[:2], -1)
    return np.concatenate([flat, np.zeros((*x.shape[:2], 1))], axis=2)[..., places]


@dataclass(frozen=True)
class Convolution(Window):
    """Cross-correlation, as PyTorch's: weight [out, in / groups, *kernel], bias [out] or None."""

    weight: Array
    bias: Array | None = None
    groups: int = 1

    @property
    def kernel(self) -> Shape:
        return self.weight.shape[2:]

    def shape_out(self, shape: Shape) -> Shape:
        if shape[0] != self.weight.shape[1] * self.groups:
            raise GraphError(
                f"its weight {self.weight.shape} with {self.groups} groups takes "
                f"{self.weight.shape[1] * self.groups} channels, but gets {shape}"
            )
        return (self.weight.shape[0], *self.extent(shape[1:]))

    def synapses(self, shape: Shape) -> Synapses:
        out = self.shape_out(shape)
        n_in, n_out = math.prod(shape[1:]), math.prod(out[1:])
        memory.require(self.weight.size * n_out * BYTES_PER_ENTRY, "the synapses of a convolution")
        channel_out, channel_in = map(np.ravel, np.indices(self.weight.shape[:2]))
        group = channel_out // (self.weight.shape[0] // self.groups)
        channel_in = channel_in + group * self.weight.shape[1]
        taps = self.weight.reshape(*self.weight.shape[:2], -1)
        parts = []
        for index, (start, end) in enumerate(self.taps(shape[1:])):
            weight = taps[:, :, index].ravel().astype(np.float64)
            there = np.flatnonzero(weight)
            parts.append(
                (
                    (channel_in[there, None] * n_in + start).ravel(),
                    (channel_out[there, None] * n_out + end).ravel(),
                    np.repeat(weight[there], len(start)),
                )
            )
        source, target, weight = (np.concatenate(each) for each in zip(*parts, strict=True))
        sizes = math.prod(shape), math.prod(out)
        return Synapses(*sizes, source, target, weight, np.zeros(len(weight)))

    def applied(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        out, places = self.shape_out(x.shape[1:]), self.places(x.shape[2:])
        weight = self.weight.astype(np.float64).reshape(self.groups, -1, self.weight[0].size)
        found = np.empty((len(x), *weight.shape[:2], places.shape[1]))
        at_once = max(FEW_ENTRIES // (x.shape[1] * places.size), 1)
        for begin in range(0, len(x), at_once):
            seen = seen_at(x[begin : begin + at_once], places)
            columns = seen.reshape(len(seen), self.groups, -1, places.shape[1])
            np.matmul(weight, columns, out=found[begin : begin + at_once])
        return found.reshape(len(x), *out) + self.constant(x.shape[1:]).reshape(out)

    def as_kernel(self, shape: Shape) -> Kernel | None:
        out = self.shape_out(shape)
        n_in = self.weight.shape[1]
        of_group = self.weight.reshape(self.groups, -1, *self.weight.shape[1:])
        weight = np.moveaxis(of_group, 1, -1).reshape(shape[0], *self.kernel, -1)
        assert weight.shape[-1] * self.groups == out[0]
        return Kernel(self.steps(shape[1:]), shape[0], n_in, weight.astype(np.float64))

    def constant(self, shape: Shape) -> NDArray[np.float64]:
        out = self.shape_out(shape)
        bias = np.zeros(out[0]) if self.bias is None else np.asarray(self.bias, np.float64)
        return np.repeat(bias, math.prod(out[1:]))


@dataclass(frozen=True)
class Pool(Window):
    """Sum over a window, or its mean, in which zeros of the padding count."""

    size: Shape
    mean: bool

    @property
    def kernel(self) -> Shape:
        return self.size

    @property
    def _weight(self) -> float:
        return 1.0 / math.prod(self.size) if self.mean else 1.0

    def as_kernel(self, shape: Shape) -> Kernel | None:
        one = [
            replace(axis, n_tap=1, tap=np.zeros_like(axis.tap)) for axis in self.steps(shape[1:])
        ]
        weight = np.full((1, *(1 for _ in one), 1), self._weight)
        return Kernel(tuple(one), shape[0], 1, weight)

    def shape_out(self, shape: Shape) -> Shape:
        return (shape[0], *self.extent(shape[1:]))

    def synapses(self, shape: Shape) -> Synapses:
        out = self.shape_out(shape)
        n_in, n_out = math.prod(shape[1:]), math.prod(out[1:])
        channel = np.arange(shape[0])[:, None]
        taps = self.taps(shape[1:])
        source = np.concatenate([(channel * n_in + start).ravel() for start, _ in taps])
        target = np.concatenate([(channel * n_out + end).ravel() for _, end in taps])
        weight = np.full(len(source), self._weight)
        sizes = math.prod(shape), math.prod(out)
        return Synapses(*sizes, source, target, weight, np.zeros(len(weight)))

    def applied(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        total: NDArray[np.float64] = seen_at(x, self.places(x.shape[2:])).sum(axis=2)
        found = total / math.prod(self.size) if self.mean else total
        return found.reshape(len(x), *self.shape_out(x.shape[1:]))


def per_element(values: Any, shape: Shape) -> Array:
    """One value for each element, flat: of all, of one, or of each channel.

    Raises GraphError where shapes do not fit.
    """
    array = np.asarray(values)
    n = math.prod(shape)
    if array.size == n:
        return array.ravel()
    if array.size == 1:
        return np.full(n, array.reshape(()))
    try:
        return np.broadcast_to(array, shape).ravel()
    except ValueError:
        raise GraphError(f"has values of shape {array.shape}, but gets {shape}") from None


def normalization(
    shape: Shape, scale: Array, shift: Array, mean: Array, variance: Array, epsilon: float
) -> Scale:
    """Batch normalisation with the mean and variance of each channel that training has left."""
    factor = scale / np.sqrt(variance + epsilon)
    per_channel = (-1, *(1 for _ in shape[1:]))
    return Scale(factor.reshape(per_channel), (shift - mean * factor).reshape(per_channel))


def pool_of_all(shape: Shape) -> Pool:
    """The mean of each channel."""
    axes = len(shape) - 1
    return Pool((1,) * axes, (0,) * axes, (1,) * axes, shape[1:], mean=True)


def check_no_remainder(
    error: Callable[[str], GraphError],
    space: Shape,
    size: Shape,
    stride: Shape,
    padding: tuple[tuple[int, int], ...],
) -> None:
    """Raise an error where rounding up the number of windows adds one that is partly outside."""
    for n, k, s, (before, after) in zip(space, size, stride, padding, strict=True):
        if (n + before + after - k) % s:
            raise error("ceil_mode with windows that are partly outside is not supported")
