"""What layers of an ordinary network compute: one step, of many samples at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

import numpy as np
from numpy.typing import NDArray

from ...errors import GraphError
from .graph import Graph, Input, Linear, Rectifier, about

Array = NDArray[np.float64]


def forward(graph: Graph, inputs: Mapping[str, Array]) -> Iterator[tuple[str, Array]]:
    """Each node and what leaves it, `[samples, *shape]`, from inputs to outputs.

    Values are kept until all that takes them has been computed. Raises GraphError for a graph with
    a cycle.
    """
    left = {name: len(graph.out_of(name)) for name in graph.nodes}
    values: dict[str, Array] = {}
    for name in _in_order(graph):
        node = graph.nodes[name]
        if isinstance(node, Input):
            value = inputs[name]
        else:
            shape = graph.shape_into(name)
            value = np.zeros((len(next(iter(inputs.values()))), *shape))
            for each in graph.into(name):
                value += values[each].reshape(value.shape)
            if isinstance(node, (Linear, Rectifier)):
                with about(name):
                    value = node.applied(value)
        yield name, value
        values[name] = value
        for each in graph.into(name):
            left[each] -= 1
            if not left[each]:
                del values[each]


def _in_order(graph: Graph) -> tuple[str, ...]:
    try:
        return tuple(TopologicalSorter({n: graph.into(n) for n in graph.nodes}).static_order())
    except CycleError as error:
        cycle = " -> ".join(reversed(error.args[1]))
        raise GraphError(f"the cycle {cycle}: a network without steps has none") from None
