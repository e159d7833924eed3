"""Nodes of NIR 1.0.8, and of older versions, as layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...door import as_numbers, is_number, shown
from ...errors import GraphError
from ..layers import Convolution, Delay, Dense, Flatten, Input, Neurons, Output, Pool, Scale
from ..layers.graph import PARAMETERS, about
from ..layers.rule import NUMBERS

Values = Mapping[str, Any]
MOST_CELLS = 2**31 - 1  # along an axis
SIDECAR = "pynn_sparse_"  # before names in the metadata of nodes that this package has written
# What a node may have besides its parameters: texts, and shapes that follow from others.
BESIDE = ("type", "metadata", "input_type", "output_type", "name")


def node_of(name: str, values: Values, notes: list[str]) -> Any:
    """A layer of a node's dictionary. `notes` gets what is wrong, and was read nevertheless.

    Raises GraphError.
    """
    kind = str(values["type"])
    with about(name):
        if kind in PARAMETERS:
            return _neurons(name, kind, values, notes)
        if kind not in _LAYERS:
            known = ", ".join(sorted([*_LAYERS, *PARAMETERS, "NIRGraph"]))
            raise GraphError(f"type {kind!r} is not one of NIR's: {known}")
        make, fields = _LAYERS[kind]
        _check_fields(values, fields)
        return make(values)


def _check_fields(values: Values, fields: tuple[str, ...]) -> None:
    unknown = sorted(set(values) - {*fields, *BESIDE})
    if unknown:
        raise GraphError(f"field {unknown[0]!r} is not one of {values['type']}: {fields}")


def _neurons(name: str, kind: str, values: Values, notes: list[str]) -> Neurons:
    fields = PARAMETERS[kind]
    _check_fields(values, fields)
    found = {}
    for each in fields:
        if each in values:
            found[each] = _array(values, each)
        elif each == "v_reset":  # up to NIR 1.0.5 there was none
            notes.append(f"node {name!r}: has no v_reset, as in older versions of NIR; read as 0")
            found[each] = np.zeros(1)
        elif each == "w_in":
            found[each] = np.ones(1)
        else:
            raise GraphError(f"{kind} has no {each}")
    try:
        np.broadcast_shapes(*(value.shape for value in found.values()))
    except ValueError:
        shapes = ", ".join(f"{each} {value.shape}" for each, value in found.items())
        raise GraphError(f"its parameters must have one shape, and have: {shapes}") from None
    axes = max(value.ndim for value in found.values())
    neurons = Neurons(kind, found, *_sidecar(values))
    if axes > len(neurons.shape) > 0:
        notes.append(
            f"node {name!r}: parameters have {axes} axes, with one for samples or time; read as of "
            f"shape {neurons.shape}"
        )
    return neurons


def _sidecar(values: Values) -> tuple[dict[str, NDArray[Any]], str]:
    """What this package has written beside what NIR says: numbers of a step, and the rule."""
    about = values.get("metadata") or {}
    own = {name.removeprefix(SIDECAR): v for name, v in about.items() if name.startswith(SIDECAR)}
    rule = own.pop("rule", "")
    unknown = sorted(set(own) - set(NUMBERS))
    if unknown:
        raise GraphError(f"metadata {SIDECAR + unknown[0]!r} is not one of {NUMBERS}")
    exact = {name: _array(own, name) for name in own}
    for name, value in exact.items():
        if np.isnan(value).any():
            raise GraphError(f"metadata {SIDECAR + name!r} has values that are no numbers")
    return exact, rule.decode() if isinstance(rule, bytes) else str(rule)


def _array(values: Values, name: str, dimensions: tuple[int, ...] = ()) -> NDArray[Any]:
    """A field as an array of numbers, which is what most readers check last."""
    if name not in values:
        raise GraphError(f"has no {name}")
    try:
        array = np.asarray(values[name])
    except Exception as error:  # of whatever class, which NumPy cannot make an array of
        raise GraphError(f"{name} must be numbers, but is {shown(values[name])}") from error
    odd = np.ma.is_masked(values[name]) or hasattr(values[name], "units")
    if odd or array.dtype.kind not in "fiub":
        raise GraphError(f"{name} must be numbers, but is of type {array.dtype}")
    if dimensions and array.ndim not in dimensions:
        raise GraphError(f"{name} must have {dimensions[0]} axes, but its shape is {array.shape}")
    array = array.astype(array.dtype.newbyteorder("="))
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def _integers(values: Values, name: str, axes: int, least: int) -> tuple[int, ...]:
    """One integer for each axis; a single one is for all."""
    array = _array(values, name)
    if array.size not in (1, axes) or (array != np.rint(array)).any() or (array < least).any():
        raise GraphError(f"{name} = {array.tolist()}: must be {axes} integers of {least} or more")
    return tuple(np.broadcast_to(array.ravel().astype(int), axes).tolist())


def _shape(values: Values) -> tuple[int, ...]:
    for name in ("shape", "input_type", "output_type"):
        if name in values:
            given = values[name]
            inner = next(iter(given.values()), None) if isinstance(given, Mapping) else given
            return _sizes(inner)
    raise GraphError("has no shape")


def _sizes(given: Any) -> tuple[int, ...]:
    sizes = as_numbers([given] if is_number(given) else given)
    whole = sizes is not None and sizes.size and ((sizes == np.rint(sizes)) & (sizes >= 1)).all()
    if sizes is None or not whole or sizes.max() > MOST_CELLS:
        raise GraphError(f"shape = {shown(given)}: must be integers, 1 to {MOST_CELLS}")
    return tuple(sizes.astype(int).ravel().tolist())


def _dense(values: Values) -> Dense:
    weight = _array(values, "weight")
    if weight.ndim < 2:
        raise GraphError(f"weight must be a matrix [out, in], but its shape is {weight.shape}")
    bias = _array(values, "bias") if "bias" in values else None
    if bias is not None and bias.shape[-1:] != weight.shape[-2:-1]:
        raise GraphError(f"bias {bias.shape} does not fit weight {weight.shape}")
    return Dense(weight, bias)


def _convolution(axes: int) -> Callable[[Values], Convolution]:
    def make(values: Values) -> Convolution:
        weight = _array(values, "weight", (axes + 2,))
        groups = _integers(values, "groups", 1, 1)[0] if "groups" in values else 1
        bias = _array(values, "bias") if "bias" in values else None
        if weight.shape[0] % groups:
            raise GraphError(f"weight {weight.shape} cannot be divided into {groups} groups")
        if bias is not None and bias.shape != weight.shape[:1]:
            raise GraphError(f"bias {bias.shape} does not fit weight {weight.shape}")
        return Convolution(
            stride=_integers(values, "stride", axes, 1),
            padding=_padding(values, axes),
            dilation=_integers(values, "dilation", axes, 1),
            weight=weight,
            bias=bias,
            groups=groups,
        )

    return make


def _padding(values: Values, axes: int) -> tuple[int, ...] | str:
    given = values.get("padding", 0)
    text = np.asarray(given).item() if np.asarray(given).dtype.kind in "SUO" else given
    if isinstance(text, bytes):
        text = text.decode()
    if isinstance(text, str):
        if text not in ("same", "valid"):
            raise GraphError(f"padding = {text!r}: must be numbers, 'same' or 'valid'")
        return text
    return _integers({"padding": given}, "padding", axes, 0)


def _pool(mean: bool) -> Callable[[Values], Pool]:
    def make(values: Values) -> Pool:
        return Pool(
            stride=_integers(values, "stride", 2, 1),
            padding=_padding(values, 2),
            dilation=(1, 1),
            size=_integers(values, "kernel_size", 2, 1),
            mean=mean,
        )

    return make


def _flatten(values: Values) -> Flatten:
    start = int(np.asarray(values.get("start_dim", 1)))
    end = int(np.asarray(values.get("end_dim", -1)))
    return Flatten(start, end)


_CONV = ("weight", "bias", "stride", "padding", "dilation", "groups", "input_shape")
_POOL = ("kernel_size", "stride", "padding")
_LAYERS: dict[str, tuple[Callable[[Values], Any], tuple[str, ...]]] = {
    "Input": (lambda values: Input(_shape(values)), ("shape",)),
    "Output": (lambda values: Output(_shape(values)), ("shape",)),
    "Linear": (_dense, ("weight",)),
    "Affine": (_dense, ("weight", "bias")),
    "Scale": (lambda values: Scale(_array(values, "scale")), ("scale",)),
    "Conv1d": (_convolution(1), _CONV),
    "Conv2d": (_convolution(2), _CONV),
    "SumPool2d": (_pool(mean=False), _POOL),
    "AvgPool2d": (_pool(mean=True), _POOL),
    "Flatten": (_flatten, ("start_dim", "end_dim")),
    "Delay": (lambda values: Delay(_array(values, "delay")), ("delay",)),
}
