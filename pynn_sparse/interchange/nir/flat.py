"""A graph without graphs in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...door import shown
from ...errors import GraphError

Edge = tuple[str, str]


def flattened(tree: Mapping[str, Any]) -> tuple[dict[str, Mapping[str, Any]], list[Edge]]:
    """Nodes by name and edges, of a graph as nested dictionaries.

    The nodes of a graph in it are named `graph.node`; its inputs and outputs vanish. Raises
    GraphError.
    """
    return _flat(tree, "")


def _flat(tree: Mapping[str, Any], prefix: str) -> tuple[dict[str, Mapping[str, Any]], list[Edge]]:
    nodes: dict[str, Mapping[str, Any]] = {}
    edges = [(prefix + a, prefix + b) for a, b in _edges(tree, prefix)]
    inner = tree.get("nodes")
    if not isinstance(inner, Mapping) or not inner:
        raise GraphError(f"graph {prefix or 'itself'!r}: has no nodes: must be a mapping of them")
    for name, node in inner.items():
        if not isinstance(node, Mapping) or "type" not in node:
            raise GraphError(
                f"node {prefix + str(name)!r}: has no type: must be a mapping with one"
            )
        if not isinstance(node["type"], str):
            raise GraphError(
                f"node {prefix + str(name)!r}: type = {shown(node['type'])}: must be a string"
            )
        full = f"{prefix}{name}"
        if node["type"] != "NIRGraph":
            nodes[full] = node
            continue
        own, between = _flat(node, f"{full}.")
        edges = _joined(full, own, between, edges)
        nodes |= {k: v for k, v in own.items() if v["type"] not in ("Input", "Output")}
    return nodes, edges


def _joined(
    name: str, own: Mapping[str, Mapping[str, Any]], between: list[Edge], edges: list[Edge]
) -> list[Edge]:
    """Edges with those of a graph in it, whose inputs and outputs are passed through."""
    ends = {
        kind: [each for each, node in own.items() if node["type"] == kind]
        for kind in ("Input", "Output")
    }
    for kind, found in ends.items():
        if len(found) != 1:
            raise GraphError(f"graph {name!r}: has {len(found)} nodes {kind}; must have one")
    (entry,), (leave,) = ends["Input"], ends["Output"]
    inwards = [a for a, b in edges if b == name]
    outwards = [b for a, b in edges if a == name]
    others = [edge for edge in edges if name not in edge]
    if any(a == b == name for a, b in edges):
        raise GraphError(f"edge {(name, name)}: a graph in it leads to itself")
    joined = [(a, b) for a in inwards for c, b in between if c == entry and b != leave]
    joined += [(a, b) for a, c in between if c == leave and a != entry for b in outwards]
    if (entry, leave) in between:
        joined += [(a, b) for a in inwards for b in outwards]
    kept = [edge for edge in between if entry not in edge and leave not in edge]
    return others + kept + joined


def _edges(tree: Mapping[str, Any], prefix: str) -> list[Edge]:
    given = tree.get("edges", [])
    several = isinstance(given, (list, tuple, set, frozenset)) or getattr(given, "ndim", 0) > 0
    pairs: list[Any] = list(given) if several else [given]
    must = f"edges of {prefix or 'the graph'!r}: must be pairs of names"
    for pair in pairs:
        two = isinstance(pair, (list, tuple, np.ndarray)) and np.shape(pair) == (2,)
        if not two or not all(isinstance(each, (str, bytes)) for each in pair):
            raise GraphError(f"{must}, but one is {shown(pair)}")
    return [(_text(a), _text(b)) for a, b in pairs]


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
