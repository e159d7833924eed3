"""Indices of edges: which edges begin, or end, at a node."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def write_index(indices: Any, name: str, nodes: NDArray[np.int64], n_nodes: int) -> None:
    """Write the index of one end of the edges.

    Edges that follow each other and have the same node are a range; `node_id_to_ranges` says which
    ranges a node has, and `range_to_edge_id` which edges a range. BMTK calls the former
    `node_id_to_range`, which is a second name of it here.

    Args:
        indices: HDF5 group to write to.
        name: "source_to_target" or "target_to_source".
        nodes: [n], the node of each edge.
        n_nodes: number of nodes in the population.
    """
    starts = np.flatnonzero(np.append(True, nodes[1:] != nodes[:-1])) if len(nodes) else nodes
    ends = np.append(starts[1:], len(nodes))[: len(starts)]
    order = np.argsort(nodes[starts], kind="stable")
    last = np.cumsum(np.bincount(nodes[starts], minlength=n_nodes))
    first = np.concatenate([[0], last[:-1]])
    group = indices.create_group(name)
    group["node_id_to_ranges"] = np.column_stack([first, last]).astype(np.uint64)
    group["range_to_edge_id"] = np.column_stack([starts[order], ends[order]]).astype(np.uint64)
    group["node_id_to_range"] = group["node_id_to_ranges"]
