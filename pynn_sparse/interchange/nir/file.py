"""Files and graphs of NIR as nested dictionaries, and as a flat graph of layers."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...door import shown
from ...errors import GraphError
from ...notices import warn
from ..layers import Convolution, Dense, Graph, Input, Neurons
from . import netx
from .flat import flattened
from .nodes import node_of

LARGEST = 2**34  # bytes of all data sets together


@dataclass(frozen=True)
class Source:
    """What was read.

    Attributes:
        name: of the file, or what was given instead.
        graph: its layers.
        recurrent: names of the neurons that are connected to themselves, perhaps through layers.
        metadata: of the graph, name -> value.
    """

    name: str
    graph: Graph
    recurrent: frozenset[str]
    metadata: Mapping[str, Any]


def read(source: Any) -> Source:
    """The graph of a file, of a `nir.NIRGraph`, or of the dictionary that its `to_dict` gives.

    Nothing in it is executed. Files of older versions, and what writers are known to do wrong, are
    read with a warning that says what it is.

    Raises GraphError with the file and the node for what is no NIR, is damaged or contradicts
    itself; FileNotFoundError; ImportError without h5py.
    """
    name, tree = _tree(source)
    try:
        kind = tree.get("type", "nothing")
        if not is_text(kind) or kind != "NIRGraph":
            raise GraphError(f"must be a NIRGraph, but its type is {shown(kind)}")
        notes: list[str] = []
        raw, edges = flattened(tree)
        nodes = {each: node_of(each, values, notes) for each, values in raw.items()}
        graph = Graph(_without_batch(nodes, edges, notes), tuple(edges))
    except GraphError as error:
        raise GraphError(f"{name}: {error}") from None
    for note in notes:
        warn(f"{name}: {note}")
    return Source(name, graph, _recurrent(graph), dict(tree.get("metadata") or {}))


def _tree(source: Any) -> tuple[str, Mapping[str, Any]]:
    if isinstance(source, (str, os.PathLike)):
        return os.fspath(source), _of_file(Path(source))
    if isinstance(source, Mapping):
        return "graph", source
    if type(source).__name__ == "NIRGraph" and hasattr(source, "to_dict"):
        return "graph", source.to_dict()
    must = "the path of a NIR file, a nir.NIRGraph, or what its to_dict() gives"
    raise TypeError(f"source = {shown(source)}: must be {must}")


def _of_file(path: Path) -> Mapping[str, Any]:
    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such file")
    try:
        h5py = importlib.import_module("h5py")
    except ImportError as error:
        raise ImportError("NIR files need h5py: pip install 'pynn-sparse[nir]'") from error
    try:
        with h5py.File(path, "r") as file:
            if netx.GROUP in file and "node" not in file:
                return _of_netx(_of_group(h5py, file, path), path)
            if "node" not in file:
                raise GraphError(
                    f"{path}: is an HDF5 file, but no NIR, nor one of lava-dl: there is no group "
                    f"'node' or {netx.GROUP!r}"
                )
            return _of_group(h5py, file["node"], path)
    except (OSError, KeyError, RuntimeError, TypeError, UnicodeDecodeError) as error:
        raise GraphError(f"{path}: damaged, or no NIR file: {error}") from error


def _of_netx(tree: Mapping[str, Any], path: Path) -> dict[str, Any]:
    try:
        return netx.graph_of(tree)
    except GraphError as error:
        raise GraphError(f"{path}: {error}") from None


def _of_group(h5py: Any, group: Any, path: Path) -> dict[str, Any]:
    """A group as a dictionary. Links to other files and objects are refused."""
    found: dict[str, Any] = {}
    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise GraphError(f"{path}: {group.name}/{name} is a link, which NIR has none of")
        item = group[name]
        if isinstance(item, h5py.Group):
            found[name] = _of_group(h5py, item, path)
            continue
        if item.nbytes > LARGEST:
            raise GraphError(f"{path}: {item.name} has {item.nbytes:,} bytes; at most {LARGEST:,}")
        value = item[()]
        found[name] = value.decode() if isinstance(value, bytes) else value
    return found


def _without_batch(
    nodes: Mapping[str, Any], edges: list[tuple[str, str]], notes: list[str]
) -> dict[str, Any]:
    """Inputs without an axis for samples, which Norse, Rockpool and snnTorch may leave there."""
    changed = dict(nodes)
    for name, node in nodes.items():
        if not (isinstance(node, Input) and len(node.shape) > 1 and node.shape[0] == 1):
            continue
        after = [nodes[b] for a, b in edges if a == name]
        wanted = {_axes(each) for each in after} - {0}
        if wanted and len(node.shape) > max(wanted):
            shape = node.shape[len(node.shape) - max(wanted) :]
            notes.append(
                f"node {name!r}: shape {node.shape} has an axis for samples, which NIR has none "
                f"of; read as {shape}"
            )
            changed[name] = Input(shape)
    return changed


def _axes(node: Any) -> int:
    """How many axes a node takes; 0 where that is not known."""
    if isinstance(node, (Dense, Convolution)):
        return node.weight.ndim - 1
    if isinstance(node, Neurons):
        return len(node.shape)
    return 0


def _recurrent(graph: Graph) -> frozenset[str]:
    """Neurons that lead back to themselves without other neurons in between."""
    found = set()
    for name in graph.named(Neurons):
        seen: set[str] = set()
        waiting = graph.out_of(name)
        while waiting:
            each = waiting.pop()
            if each == name:
                found.add(name)
            elif each not in seen and not isinstance(graph.nodes[each], Neurons):
                seen.add(each)
                waiting += graph.out_of(each)
    return frozenset(found)


def is_text(value: Any) -> bool:
    """Whether a value is a text, as it is read."""
    return isinstance(value, (str, bytes, np.str_, np.bytes_))
