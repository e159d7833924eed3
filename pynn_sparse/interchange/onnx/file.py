"""Files and models of ONNX as graphs of layers."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import GraphError
from ..layers import Assembling, Graph
from .operators import NOTHING_TO_DO, OPERATORS, Operator, Value

STANDARD = ("", "ai.onnx")  # domains of the operators that ONNX itself describes


def is_model(source: Any) -> bool:
    """Whether it is a model that was read with the package onnx."""
    return type(source).__name__ == "ModelProto" and hasattr(source, "graph")


def read(source: Any) -> Graph:
    """The graph of a file, or of an `onnx.ModelProto`.

    Raises GraphError, with the node, for an operator or an attribute that is not known, an axis
    whose length the file does not say, weights that are not in the file, and shapes that do not
    fit; FileNotFoundError; ImportError without onnx.
    """
    onnx = _onnx()
    model = source if is_model(source) else _loaded(onnx, Path(os.fspath(source)))
    return _Reader(onnx, model.graph).graph()


def _onnx() -> Any:
    try:
        importlib.import_module("onnx.numpy_helper")
        return importlib.import_module("onnx")
    except ImportError as error:
        raise ImportError("ONNX files need onnx: pip install 'pynn-sparse[onnx]'") from error


def _loaded(onnx: Any, path: Path) -> Any:
    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such file")
    try:
        model = onnx.load(path)
    except Exception as error:  # protobuf has a class of its own for each of its implementations
        raise GraphError(f"{path}: damaged, or no ONNX file: {error}") from error
    if not model.graph.node:
        raise GraphError(f"{path}: no ONNX file, or one without operators")
    return model


class _Reader:
    """A graph of ONNX, operator by operator."""

    def __init__(self, onnx: Any, source: Any) -> None:
        self._onnx, self._source = onnx, source
        self._made = Assembling()
        self._values: dict[str, Value] = {}  # name of a tensor -> layer, or constant

    def graph(self) -> Graph:
        for tensor in self._source.initializer:
            self._values[tensor.name] = self._array(tensor)
        for given in self._source.input:
            if given.name not in self._values:
                self._values[given.name] = self._made.input(given.name, self._shape(given))
        for node in self._source.node:
            self._add(node)
        for wanted in self._source.output:
            before = self._values.get(wanted.name)
            if not isinstance(before, str):
                raise GraphError(f"output {wanted.name!r}: does not depend on an input")
            self._made.output(wanted.name, before)
        return self._made.graph()

    def _array(self, tensor: Any) -> Any:
        try:
            return self._onnx.numpy_helper.to_array(tensor)
        except (TypeError, ValueError) as error:
            raise GraphError(f"tensor {tensor.name!r}: {error}") from error

    def _shape(self, given: Any) -> tuple[int, ...]:
        """Of one sample; the first axis counts samples."""
        axes = given.type.tensor_type.shape.dim
        if len(axes) < 2:
            raise GraphError(f"input {given.name!r}: must have an axis for samples, and others")
        for number, axis in enumerate(axes):
            if number and not axis.dim_value > 0:
                raise GraphError(
                    f"input {given.name!r}: the length of its axis {number} is "
                    f"{axis.dim_param or 'nothing'!r}, not a number; export it with a fixed one"
                )
        return tuple(axis.dim_value for axis in axes)[1:]

    def _add(self, node: Any) -> None:
        name = node.name or node.output[0]
        if node.op_type == "Constant" and node.domain in STANDARD:
            self._values[node.output[0]] = self._constant(name, node)
            return
        inputs = []
        for each in node.input:
            if each and each not in self._values:
                raise GraphError(f"node {name!r}: {each!r} is nothing that was computed before")
            inputs.append(self._values[each] if each else None)
        get = self._onnx.helper.get_attribute_value
        attributes = {each.name: get(each) for each in node.attribute}
        operator = Operator(name, node.op_type, tuple(inputs), attributes, self._made)
        if node.domain not in STANDARD or node.op_type not in OPERATORS:
            raise operator.refused()
        layers = [each for each in inputs if isinstance(each, str)]
        if not layers:
            raise operator.error("depends on constants alone; export with constants folded")
        made = OPERATORS[node.op_type](operator)
        new = layers[0] if made is NOTHING_TO_DO else self._made.layer(name, made, *layers)
        self._values[node.output[0]] = new

    def _constant(self, name: str, node: Any) -> Any:
        (attribute,) = node.attribute
        value = self._onnx.helper.get_attribute_value(attribute)
        if attribute.name == "value":
            return self._array(value)
        if attribute.name in ("value_float", "value_int", "value_floats", "value_ints"):
            return np.asarray(value)
        raise GraphError(f"node {name!r}: Constant of {attribute.name} is not known")
