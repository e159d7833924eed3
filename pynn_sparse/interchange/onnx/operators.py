"""Operators of ONNX as layers.

What they compute is described at https://onnx.ai/onnx/operators; the first axis counts samples.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import GraphError
from ..layers import Assembling, Convolution, Dense, Flatten, Pool, Rectifier, Scale
from ..layers.linear import check_no_remainder, normalization, pool_of_all

Array = NDArray[Any]
Value = str | Array | None  # name of a layer, a constant, or what was left out
Pads = tuple[tuple[int, int], ...]

NOTHING_TO_DO = None  # an operator that passes on what it gets
HINTS = {
    "MaxPool": "train with AveragePool: the greatest of several rates is no sum of spikes",
    "GlobalMaxPool": "train with GlobalAveragePool",
    "Softmax": "export without it: outputs are then what it is computed from, in the same order",
    "LogSoftmax": "export without it: outputs are then what it is computed from, in the same order",
    "LeakyRelu": "train with Relu: rates are not below 0",
    "Shape": "export with fixed shapes",
}


@dataclass(frozen=True)
class Operator:
    """A node of a graph: its inputs are names of layers, or constants."""

    name: str
    kind: str
    inputs: tuple[Value, ...]
    attributes: Mapping[str, Any]
    made: Assembling

    def error(self, what: str) -> GraphError:
        """One that says which node it is about."""
        return GraphError(f"node {self.name!r} ({self.kind}): {what}")

    def refused(self) -> GraphError:
        """That there is no layer for it."""
        hint = HINTS.get(self.kind)
        known = "known are " + ", ".join(sorted({*OPERATORS, "Constant"}))
        return self.error(f"this operator cannot be converted; {hint or known}")

    def shape(self, number: int = 0) -> tuple[int, ...]:
        """Of what the layer gives that is an input, for one sample."""
        value = self.inputs[number]
        assert isinstance(value, str)
        return self.made.shape(value)

    def constant(self, number: int, what: str) -> Array:
        """An input that has to be a constant, in double precision."""
        value = self.inputs[number] if number < len(self.inputs) else None
        if isinstance(value, str) or value is None:
            raise self.error(f"its {what} is no constant of the file, but {value!r}")
        return np.asarray(value, np.float64)

    def has(self, number: int) -> bool:
        """Whether an input that may be left out is there."""
        return len(self.inputs) > number and self.inputs[number] is not None

    def known(self, **defaults: Any) -> dict[str, Any]:
        """Its attributes, with defaults. Raises GraphError for others."""
        for each in self.attributes:
            if each not in defaults:
                raise self.error(f"attribute {each!r} is not known")
        return defaults | dict(self.attributes)

    def first_is_layer(self) -> None:
        """Raise GraphError if the first input is a constant."""
        if not isinstance(self.inputs[0], str):
            raise self.error("its first input must depend on the network's input")


def _convolution(op: Operator) -> Convolution:
    op.first_is_layer()
    weight = op.constant(1, "weight")
    bias = op.constant(2, "bias") if op.has(2) else None
    axes = weight.ndim - 2
    window = ("auto_pad", "dilations", "kernel_shape", "pads", "strides")
    given = op.known(group=1, **dict.fromkeys(window))
    if given["kernel_shape"] and tuple(given["kernel_shape"]) != weight.shape[2:]:
        raise op.error(f"kernel_shape = {given['kernel_shape']}, but its weight is {weight.shape}")
    stride, dilation = _axes(op, given, "strides", axes), _axes(op, given, "dilations", axes)
    padding = _padding(op, given, weight.shape[2:], stride, dilation)
    return Convolution(stride, padding, dilation, weight, bias, int(given["group"]))


def _axes(op: Operator, given: Mapping[str, Any], name: str, axes: int) -> tuple[int, ...]:
    values = tuple(int(each) for each in given[name] or (1,) * axes)
    if len(values) != axes or min(values) < 1:
        raise op.error(f"{name} = {list(values)}: must be {axes} numbers above 0")
    return values


def _padding(
    op: Operator,
    given: Mapping[str, Any],
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    dilation: tuple[int, ...],
) -> Pads:
    """Zeros (before, after) each axis of space."""
    words = given["auto_pad"] or b"NOTSET"
    words = words.decode() if isinstance(words, bytes) else words
    axes = len(kernel)
    space = op.shape()[1:]
    if len(space) != axes:
        raise op.error(f"takes channels and {axes} axes of space, but gets {op.shape()}")
    if words == "NOTSET":
        pads = [int(each) for each in given["pads"] or (0,) * (2 * axes)]
        if len(pads) != 2 * axes or min(pads) < 0:
            raise op.error(f"pads = {pads}: must be {2 * axes} numbers, none below 0")
        return tuple(zip(pads[:axes], pads[axes:], strict=True))
    if words == "VALID":
        return ((0, 0),) * axes
    if words not in ("SAME_UPPER", "SAME_LOWER"):
        raise op.error(f"auto_pad = {words!r} is not known")
    found = []
    for n, k, s, d in zip(space, kernel, stride, dilation, strict=True):
        total = max((math.ceil(n / s) - 1) * s + d * (k - 1) + 1 - n, 0)
        less, more = total // 2, total - total // 2
        found.append((less, more) if words == "SAME_UPPER" else (more, less))
    return tuple(found)


def _gemm(op: Operator) -> Dense:
    op.first_is_layer()
    given = op.known(alpha=1.0, beta=1.0, transA=0, transB=0)
    if given["transA"]:
        raise op.error("transA = 1 would mix samples")
    weight = op.constant(1, "B")
    weight = given["alpha"] * (weight if given["transB"] else weight.T)
    bias = None
    if op.has(2):
        try:
            added = np.broadcast_to(op.constant(2, "C"), (1, len(weight)))
        except ValueError as error:
            raise op.error(f"its C does not fit {len(weight)} outputs: {error}") from None
        bias = given["beta"] * added[0]
    return Dense(weight, bias)


def _matmul(op: Operator) -> Dense:
    op.first_is_layer()
    op.known()
    weight = op.constant(1, "second factor")
    if weight.ndim != 2:
        raise op.error(f"its second factor must be a matrix, but its shape is {weight.shape}")
    return Dense(weight.T)


def _normalization(op: Operator) -> Scale:
    op.first_is_layer()
    given = op.known(epsilon=1e-5, momentum=0.9, training_mode=0, spatial=1)
    if given["training_mode"] or not given["spatial"]:
        raise op.error("must be as it is after training: training_mode = 0, spatial = 1")
    names = ("scale", "B", "mean", "variance")
    scale, shift, mean, variance = (op.constant(k + 1, name) for k, name in enumerate(names))
    return normalization(op.shape(), scale, shift, mean, variance, given["epsilon"])


def _relu(op: Operator) -> Rectifier:
    op.known()
    return Rectifier()


def _clip(op: Operator) -> Rectifier:
    op.first_is_layer()
    given = op.known(min=None, max=None)
    ends = []
    for number, name in enumerate(("min", "max"), start=1):
        value = op.constant(number, name) if op.has(number) else given[name]
        ends.append(None if value is None else float(np.asarray(value).reshape(())))
    if ends[0] != 0 or ends[1] is None or ends[1] <= 0:
        raise op.error(f"min, max = {ends}: must be 0 and a number above it")
    return Rectifier(ends[1])


def _pool(op: Operator) -> Pool:
    window = ("auto_pad", "dilations", "kernel_shape", "pads", "strides")
    given = op.known(ceil_mode=0, count_include_pad=0, **dict.fromkeys(window))
    size = tuple(given["kernel_shape"] or ())
    if not size:
        raise op.error("has no kernel_shape")
    stride, dilation = (_axes(op, given, name, len(size)) for name in ("strides", "dilations"))
    padding = _padding(op, given, size, stride, dilation)
    if any(map(any, padding)) and not given["count_include_pad"]:
        raise op.error("pads with count_include_pad = 0 are not supported: give it as 1")
    if given["ceil_mode"]:
        check_no_remainder(op.error, op.shape()[1:], size, stride, padding)
    return Pool(stride, padding, dilation, size, mean=True)


def _global_pool(op: Operator) -> Pool:
    op.known()
    return pool_of_all(op.shape())


def _flatten(op: Operator) -> Flatten:
    axis = int(op.known(axis=1)["axis"])
    if axis not in (1, -len(op.shape())):
        raise op.error(f"axis = {axis} would mix samples, or keep an axis: must be 1")
    return Flatten(0, -1)


def _reshape(op: Operator) -> Flatten:
    op.first_is_layer()
    op.known(allowzero=0)
    wanted = [int(each) for each in op.constant(1, "shape")]
    size = math.prod(op.shape())
    if len(wanted) != 2 or wanted[1] not in (-1, size) or wanted == [-1, -1]:
        raise op.error(f"to {wanted}: must be to one axis of {size} for each sample")
    return Flatten(0, -1)


def _add(op: Operator) -> Scale:
    op.known()
    one = np.ones(1)
    constants = [each for each in op.inputs if not isinstance(each, str)]
    if not constants:
        return Scale(one)
    shape = op.shape(0 if isinstance(op.inputs[0], str) else 1)
    bias = np.asarray(constants[0], np.float64)
    if bias.ndim > len(shape):
        if bias.shape[0] != 1 or bias.ndim > len(shape) + 1:
            raise op.error(f"its constant {bias.shape} is not the same for all samples")
        bias = bias[0]
    try:
        return Scale(one, np.broadcast_to(bias, shape))
    except ValueError:
        raise op.error(f"its constant {bias.shape} does not fit {shape}") from None


def _passed_on(op: Operator) -> None:
    """What does nothing after training."""
    return NOTHING_TO_DO


OPERATORS: dict[str, Callable[[Operator], Any]] = {
    "Add": _add,
    "AveragePool": _pool,
    "BatchNormalization": _normalization,
    "Clip": _clip,
    "Conv": _convolution,
    "Dropout": _passed_on,
    "Flatten": _flatten,
    "Gemm": _gemm,
    "GlobalAveragePool": _global_pool,
    "Identity": _passed_on,
    "MatMul": _matmul,
    "Relu": _relu,
    "Reshape": _reshape,
}
