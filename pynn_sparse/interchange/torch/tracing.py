"""A module as a graph: traced by `torch.fx`, and read call by call."""

from __future__ import annotations

import importlib
from typing import Any

from ...errors import GraphError
from ..layers import Assembling, Graph
from ..layers.linear import Shape
from .calls import SIZES, function, is_qcfs, method, module


def is_model(source: Any) -> bool:
    """Whether it is a module of torch."""
    return any(
        each.__name__ == "Module" and each.__module__.startswith("torch.nn")
        for each in type(source).__mro__
    )


def read(source: Any, shape: Shape) -> Graph:
    """The graph of a module, as it is after training (`eval()`), for samples of a shape.

    Raises GraphError, with the name of the call, for what cannot be traced, and for modules,
    functions and methods that no layer computes.
    """
    fx = importlib.import_module("torch.fx")

    class Tracer(fx.Tracer):  # type: ignore[misc, name-defined]
        def is_leaf_module(self, m: Any, module_qualified_name: str) -> bool:
            return is_qcfs(m) or bool(super().is_leaf_module(m, module_qualified_name))

    try:
        # A module that is itself a leaf has no graph of its own.
        whole = source if list(source.children()) else _in_a_sequence(source)
        traced = Tracer().trace(whole)
    except Exception as error:  # whatever its `forward` raises where it asks for a value
        kind = type(source).__name__
        raise GraphError(
            f"{kind}: torch.fx cannot trace it: {error}; its forward must not depend on values"
        ) from error
    return _read(traced, dict(whole.named_modules()), shape)


def _in_a_sequence(source: Any) -> Any:
    return importlib.import_module("torch.nn").Sequential(source)


def _read(traced: Any, modules: dict[str, Any], shape: Shape) -> Graph:
    made = Assembling()
    layers: dict[Any, str] = {}  # node of the trace -> layer
    for node in traced.nodes:
        if node.op == "placeholder":
            layers[node] = made.input(node.name, shape)
            continue
        if node.op == "output":
            if node.args[0] not in layers:
                raise GraphError("the output of the module must be one tensor")
            made.output("output", layers[node.args[0]])
            continue
        if node.op == "get_attr" or (node.op, node.target) in SIZES:
            continue
        before = [layers[each] for each in node.all_input_nodes if each in layers]
        if not before and all((n.op, n.target) in SIZES for n in node.all_input_nodes):
            continue  # an entry of a size
        shapes = [made.shape(each) for each in before]
        name = node.target if node.op == "call_module" else node.name
        if node.op == "call_module":
            found = module(name, modules[node.target], shapes[0])
        elif node.op == "call_function":
            found = function(name, node.target, node.args, node.kwargs, shapes, set(layers))
        else:
            found = method(name, node.target, node.args, node.kwargs, shapes[0])
        layers[node] = made.layer(name, found, *before) if found is not None else before[0]
    return made.graph()
