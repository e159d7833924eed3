"""Graphs that readers put together, layer by layer in the order of computation."""

from __future__ import annotations

from ...errors import GraphError
from .graph import Graph, Input, Node, Output, about
from .linear import Linear, Shape


class Assembling:
    """A graph in the making, in which shapes are known as soon as a layer is there."""

    def __init__(self) -> None:
        self._nodes: dict[str, Node] = {}
        self._edges: list[tuple[str, str]] = []
        self._shapes: dict[str, Shape] = {}

    def input(self, name: str, shape: Shape) -> str:
        """An input for samples of a shape."""
        self._shapes[name] = shape
        self._nodes[name] = Input(shape)
        return name

    def layer(self, name: str, node: Node, *before: str) -> str:
        """A layer after others; the name that it has, which is longer if that one is taken.

        Raises GraphError where shapes do not fit.
        """
        while name in self._nodes:
            name += "_"
        with about(name):
            shapes = {each: self._shapes[each] for each in before}
            if len(set(shapes.values())) > 1:
                raise GraphError(f"gets different shapes: {shapes}")
            shape = shapes[before[0]]
            self._shapes[name] = node.shape_out(shape) if isinstance(node, Linear) else shape
        self._nodes[name] = node
        self._edges += [(each, name) for each in before]
        return name

    def output(self, name: str, before: str) -> str:
        """An output that shows a layer."""
        return self.layer(name, Output(self._shapes[before]), before)

    def shape(self, name: str) -> Shape:
        """Of what leaves a node, without the axis for samples."""
        return self._shapes[name]

    def graph(self) -> Graph:
        """All of it. Raises GraphError as `Graph` does."""
        return Graph(self._nodes, tuple(self._edges))
