"""Modules, functions and methods of torch as layers; None for those that pass on what they get."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import GraphError
from ..layers import Convolution, Dense, Flatten, Pool, Rectifier, Scale
from ..layers.linear import Shape, check_no_remainder, normalization, pool_of_all

Error = Callable[[str], GraphError]
# Calls that ask for a shape, where one axis counts samples.
SIZES = (
    ("call_method", "size"),
    ("call_function", getattr),
)


def _error(name: str, kind: str, what: str) -> GraphError:
    return GraphError(f"node {name!r} ({kind}): {what}")


def is_qcfs(module: Any) -> bool:
    """Whether it is the authors' activation of QCFS: a learnt `thresh`, in `L` steps."""
    return hasattr(module, "thresh") and isinstance(getattr(module, "L", None), int)


def module(name: str, module: Any, shape: Shape) -> Any:
    """The layer of a module, for samples of a shape. Raises GraphError."""
    kind = type(module).__name__
    error = partial(_error, name, kind)
    if is_qcfs(module):
        threshold = array(module.thresh)
        if threshold.size != 1 or not threshold > 0 or module.L < 1:
            raise error(f"thresh = {threshold}, L = {module.L}: must be single numbers above 0")
        return Rectifier(threshold.item(), module.L)
    if kind not in MODULES or not type(module).__module__.startswith("torch.nn."):
        known = ", ".join(sorted(MODULES))
        raise error(HINTS.get(kind, f"this module cannot be converted; known are {known}"))
    return MODULES[kind](module, shape, error)


HINTS = {
    "MaxPool2d": "train with AvgPool2d: the greatest of several rates is no sum of spikes",
    "Softmax": "convert the module without it: outputs are then in the same order",
    "LogSoftmax": "convert the module without it: outputs are then in the same order",
}


def function(
    name: str,
    called: Any,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    shapes: Sequence[Shape],
    layers: Collection[Any],
) -> Any:
    """The layer of a function that is called. Raises GraphError."""
    kind = getattr(called, "__name__", str(called))
    error = partial(_error, name, kind)
    if called in (operator.add, operator.iadd) or kind == "add":
        if kwargs.get("alpha", 1) != 1 or len(shapes) != 2 or any(a not in layers for a in args):
            raise error("must add two layers")
        return Scale(np.ones(1))
    if kind in ("relu", "relu_"):
        return Rectifier()
    if kind == "relu6":
        return Rectifier(6.0)
    if kind == "flatten":
        return _flatten(args[1:], kwargs, shapes[0], error)
    if kind == "dropout":
        return None
    raise error("this function cannot be converted; known are add, dropout, flatten, relu, relu6")


def method(
    name: str, called: str, args: Sequence[Any], kwargs: Mapping[str, Any], shape: Shape
) -> Any:
    """The layer of a method of a tensor that is called. Raises GraphError."""
    error = partial(_error, name, called)
    if called in ("relu", "relu_"):
        return Rectifier()
    if called == "contiguous":
        return None
    if called == "flatten":
        return _flatten(args[1:], kwargs, shape, error)
    if called in ("view", "reshape"):
        given = args[1] if len(args) == 2 and isinstance(args[1], (tuple, list)) else args[1:]
        if len(given) != 2 or given[1] not in (-1, math.prod(shape)):
            raise error(f"to {given}: must be to one axis of {math.prod(shape)} for each sample")
        return Flatten(0, -1)
    raise error("this method cannot be converted; known are flatten, relu, reshape, view")


def _flatten(args: Sequence[Any], kwargs: Mapping[str, Any], shape: Shape, error: Error) -> Flatten:
    start = args[0] if args else kwargs.get("start_dim", 0)
    end = args[1] if len(args) > 1 else kwargs.get("end_dim", -1)
    axes = len(shape) + 1
    start, end = (each + axes * (each < 0) for each in (start, end))
    if not 1 <= start <= end < axes:
        raise error(f"from axis {start} to {end}: would mix samples, or there is no such axis")
    return Flatten(start - 1, end - 1)


def array(tensor: Any) -> NDArray[np.float64]:
    """The numbers of a tensor, in double precision."""
    return np.asarray(tensor.detach().cpu().double().numpy())


def _linear(module: Any, shape: Shape, error: Error) -> Dense:
    return Dense(array(module.weight), None if module.bias is None else array(module.bias))


def _convolution(module: Any, shape: Shape, error: Error) -> Convolution:
    if module.padding_mode != "zeros":
        raise error(f"padding_mode = {module.padding_mode!r}: must be 'zeros'")
    bias = None if module.bias is None else array(module.bias)
    padding = module.padding if isinstance(module.padding, str) else tuple(module.padding)
    sizes = tuple(module.stride), padding, tuple(module.dilation)
    return Convolution(*sizes, array(module.weight), bias, module.groups)


def _normalization(module: Any, shape: Shape, error: Error) -> Scale:
    if module.running_mean is None:
        raise error("has no running mean and variance, so that samples would depend on others")
    mean, variance = array(module.running_mean), array(module.running_var)
    one, zero = np.ones_like(mean), np.zeros_like(mean)
    scale, shift = (array(module.weight), array(module.bias)) if module.affine else (one, zero)
    return normalization(shape, scale, shift, mean, variance, module.eps)


def _pool(module: Any, shape: Shape, error: Error) -> Pool:
    axes = len(shape) - 1
    each = (module.kernel_size, module.stride, module.padding)
    size, stride, padding = (tuple(np.broadcast_to(e, axes).tolist()) for e in each)
    if any(padding) and not module.count_include_pad:
        raise error("padding with count_include_pad = False is not supported")
    if getattr(module, "divisor_override", None):
        raise error("divisor_override is not supported")
    if module.ceil_mode:
        check_no_remainder(error, shape[1:], size, stride, tuple((p, p) for p in padding))
    return Pool(stride, padding, (1,) * axes, size, mean=True)


def _adaptive_pool(module: Any, shape: Shape, error: Error) -> Pool:
    if np.prod(module.output_size) != 1:
        raise error(f"output_size = {module.output_size}: must be 1")
    return pool_of_all(shape)


def _clip(module: Any, shape: Shape, error: Error) -> Rectifier:
    if module.min_val != 0 or module.max_val <= 0:
        raise error(f"min_val = {module.min_val}, max_val = {module.max_val}: min_val must be 0")
    return Rectifier(float(module.max_val))


def _flattened(module: Any, shape: Shape, error: Error) -> Flatten:
    return _flatten((module.start_dim, module.end_dim), {}, shape, error)


def _rectifier(module: Any, shape: Shape, error: Error) -> Rectifier:
    return Rectifier()


def _passed_on(module: Any, shape: Shape, error: Error) -> None:
    return None


MODULES: dict[str, Callable[[Any, Shape, Error], Any]] = {
    "AdaptiveAvgPool1d": _adaptive_pool,
    "AdaptiveAvgPool2d": _adaptive_pool,
    "AvgPool1d": _pool,
    "AvgPool2d": _pool,
    "BatchNorm1d": _normalization,
    "BatchNorm2d": _normalization,
    "Conv1d": _convolution,
    "Conv2d": _convolution,
    "Dropout": _passed_on,
    "Dropout2d": _passed_on,
    "Flatten": _flattened,
    "Hardtanh": _clip,
    "Identity": _passed_on,
    "Linear": _linear,
    "ReLU": _rectifier,
    "ReLU6": _clip,
}
