"""Layers and what connects them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import GraphError
from .linear import Dense, Flatten, Linear, Shape

# Kinds of neurons, with the parameters that each has; these are the names of NIR.
PARAMETERS = {
    "Threshold": ("threshold",),
    "I": ("r",),
    "IF": ("r", "v_threshold", "v_reset"),
    "LI": ("tau", "r", "v_leak"),
    "LIF": ("tau", "r", "v_leak", "v_threshold", "v_reset"),
    "CubaLI": ("tau_syn", "tau_mem", "r", "v_leak", "w_in"),
    "CubaLIF": ("tau_syn", "tau_mem", "r", "v_leak", "v_threshold", "v_reset", "w_in"),
}


@dataclass(frozen=True)
class Input:
    """Where values or spikes enter; the shape of one sample in one step."""

    shape: Shape


@dataclass(frozen=True)
class Output:
    """What is wanted of the network; the shape of one sample in one step, () if unknown."""

    shape: Shape


@dataclass(frozen=True)
class Neurons:
    """A layer with a state.

    Attributes:
        kind: a key of `PARAMETERS`.
        values: parameter -> array of the layer's shape, or one that is broadcast to it.
        exact: numbers of a step -> array, that stand for what follows from the values.
        rule: text that says how these neurons are stepped; "" where nothing says so.
        height: what a spike counts for the layers after it; 1 where nothing else is said.
        spiking: whether what leaves are spikes, or values.
    """

    kind: str
    values: Mapping[str, NDArray[Any]]
    exact: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    rule: str = ""
    height: float = 1.0

    @property
    def spiking(self) -> bool:
        return self.kind in ("Threshold", "IF", "LIF", "CubaLIF")

    @property
    def shape(self) -> Shape:
        """The largest of the values' shapes, without axes of length 1 in front."""
        shape = np.broadcast_shapes(*(np.shape(value) for value in self.values.values()))
        while len(shape) > 1 and shape[0] == 1:
            shape = shape[1:]
        return shape


@dataclass(frozen=True)
class Rectifier:
    """y = max(x, 0), at most `ceiling`: a layer of an ordinary network, which has no steps.

    With `levels`, y is one of so many equal steps up to the ceiling, and 0: the nearest, and the
    higher of two (QCFS, Bu et al. 2022).
    """

    ceiling: float | None = None
    levels: int | None = None

    def applied(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """What leaves, for what enters."""
        if self.ceiling is None:
            return np.maximum(x, 0.0)
        if self.levels is None:
            return np.clip(x, 0.0, self.ceiling)
        share = np.floor(x / self.ceiling * self.levels + 0.5) / self.levels
        return np.clip(share, 0.0, 1.0) * self.ceiling


Node = Input | Output | Neurons | Rectifier | Linear


@dataclass(frozen=True)
class Graph:
    """Layers by name, and edges; several edges into a layer are summed.

    Attributes:
        nodes: by name.
        edges: (from, to).
        shapes: of what leaves each node, for one sample and step; found when the graph is made.

    Raises GraphError for edges of nodes that are not there, shapes that do not fit or are nowhere
    said, numbers that are not finite, and a graph without inputs or outputs.
    """

    nodes: Mapping[str, Node]
    edges: tuple[tuple[str, str], ...]
    shapes: Mapping[str, Shape] = field(init=False)

    def __post_init__(self) -> None:
        for edge in self.edges:
            for name in edge:
                if name not in self.nodes:
                    raise GraphError(f"edge {edge}: there is no node {name!r}")
        if len(set(self.edges)) < len(self.edges):
            twice = next(edge for edge in self.edges if self.edges.count(edge) > 1)
            raise GraphError(f"edge {twice} is there twice")
        for kind in (Input, Output):
            if not self.named(kind):
                raise GraphError(f"there is no node {kind.__name__}")
        for name, node in self.nodes.items():
            for field_name, value in _numbers(node).items():
                if not np.isfinite(value).all():
                    raise GraphError(f"node {name!r}: {field_name} must be finite numbers")
        object.__setattr__(self, "shapes", self._found_shapes())

    def named(self, kind: type) -> list[str]:
        """Names of the nodes of a kind."""
        return [name for name, node in self.nodes.items() if isinstance(node, kind)]

    def neurons(self, name: str) -> Neurons:
        """A node that is one of neurons."""
        node = self.nodes[name]
        assert isinstance(node, Neurons)
        return node

    def into(self, name: str) -> list[str]:
        """Nodes from which edges come to a node, in the order of names."""
        return sorted(a for a, b in self.edges if b == name)

    def out_of(self, name: str) -> list[str]:
        """Nodes to which edges go, in the order of names."""
        return sorted(b for a, b in self.edges if a == name)

    def shape_into(self, name: str) -> Shape:
        """Shape of what enters a node."""
        return next(self.shapes[each] for each in self.into(name))

    def shown_as_it_is(self, name: str, kind: type) -> str:
        """The layer of a kind that an output shows, if need be with other axes; "" for none."""
        before = self.into(name)
        while len(before) == 1 and isinstance(self.nodes[before[0]], Flatten):
            before = self.into(before[0])
        alone = len(before) == 1 and isinstance(self.nodes[before[0]], kind)
        return before[0] if alone else ""

    def _found_shapes(self) -> dict[str, Shape]:
        shapes: dict[str, Shape] = {}
        for name, node in self.nodes.items():
            if isinstance(node, Input) or (isinstance(node, Neurons) and math.prod(node.shape) > 1):
                shapes[name] = node.shape
        waiting = [name for name in self.nodes if name not in shapes]
        while waiting:
            found = [n for n in waiting if any(each in shapes for each in self.into(n))]
            if not found:
                raise GraphError(f"node {waiting[0]!r}: nothing leads to it from an input")
            for name in found:
                before = next(shapes[each] for each in self.into(name) if each in shapes)
                shapes[name] = self._shape_of(name, before)
            waiting = [name for name in waiting if name not in shapes]
        for name, node in self.nodes.items():
            for each in self.into(name):
                self._check_edge(name, node, shapes, each)
        return shapes

    def _shape_of(self, name: str, before: Shape) -> Shape:
        node = self.nodes[name]
        if not isinstance(node, Linear):
            return before
        with about(name):
            return node.shape_out(before)

    def _check_edge(self, name: str, node: Node, shapes: Mapping[str, Shape], each: str) -> None:
        gets = shapes[each]
        if isinstance(node, Input):
            raise GraphError(f"edge {(each, name)}: nothing can lead to an input")
        has = self._shape_of(name, gets) if isinstance(node, Linear) else gets
        if math.prod(has) != math.prod(shapes[name]):
            takes = node.shape_in if isinstance(node, Dense) else shapes[name]
            raise GraphError(f"node {name!r}: takes {takes}, but gets {gets} from {each!r}")
        if isinstance(node, Output) and node.shape and math.prod(node.shape) != math.prod(gets):
            raise GraphError(f"node {name!r}: is for {node.shape}, but gets {gets} from {each!r}")
        if isinstance(self.nodes[each], Output):
            raise GraphError(f"edge {(each, name)}: nothing can come from an output")


@contextmanager
def about(name: str) -> Iterator[None]:
    """Errors say which node they are about."""
    try:
        yield
    except GraphError as error:
        raise GraphError(f"node {name!r}: {error}") from None


def _numbers(node: Node) -> dict[str, NDArray[Any]]:
    """The arrays of a node."""
    values = node.values if isinstance(node, Neurons) else vars(node)
    arrays = {name: value for name, value in values.items() if isinstance(value, np.ndarray)}
    return {name: value for name, value in arrays.items() if value.dtype.kind in "fiu"}
