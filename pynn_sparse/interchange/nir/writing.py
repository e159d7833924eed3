"""Files of NIR, of graphs as nested dictionaries."""

from __future__ import annotations

import importlib
import io
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

VERSION = "1.0.8"  # of NIR, whose fields are written
WORTH_PACKING = 1000  # elements; smaller arrays would take more room, for what HDF5 has to know


def graph(
    nodes: Mapping[str, Mapping[str, Any]],
    chains: Sequence[Sequence[str]],
    metadata: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A graph whose edges lead along chains of nodes, as `nir.NIRGraph.to_dict` gives it."""
    edges = [pair for chain in chains for pair in pairwise(chain)]
    found = {"type": "NIRGraph", "nodes": dict(nodes), "edges": list(dict.fromkeys(edges))}
    return found | ({"metadata": dict(metadata)} if metadata else {})


def node(
    kind: str, fields: Mapping[str, Any], metadata: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """A node; what has no metadata says nothing of it."""
    return {"type": kind, **fields} | ({"metadata": dict(metadata)} if metadata else {})


def plain_name(name: str) -> str:
    """A name without what would be a path in HDF5."""
    return name.replace("/", "_")


def contents(tree: Mapping[str, Any]) -> bytes:
    """The file of a graph, as `nir.write` makes it. Raises ImportError without h5py."""
    try:
        h5py = importlib.import_module("h5py")
    except ImportError as error:
        raise ImportError("NIR files need h5py: pip install 'pynn-sparse[nir]'") from error
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file["version"] = VERSION
        _write(h5py, file.create_group("node"), tree)
    return buffer.getvalue()


def _write(h5py: Any, group: Any, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if isinstance(value, Mapping):
            _write(h5py, group.create_group(name), value)
        elif isinstance(value, str) or name == "edges":
            group.create_dataset(name, data=value, dtype=h5py.string_dtype())
        else:
            array = np.asarray(value)
            packed = {"compression": "gzip"} if array.size >= WORTH_PACKING else {}
            group.create_dataset(name, data=array, **packed)
