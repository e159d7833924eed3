"""Small graphs of NIR, and a plain program for one of them."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

DT = 1e-4
LITERAL = {"rule": "literal", "dt": DT}


def lif(n: int, **values: Any) -> dict[str, Any]:
    """Half of v is left after a step of DT, and the input counts once."""
    given = {"tau": 2e-4, "r": 2.0, "v_leak": 0.0, "v_threshold": 1.0, "v_reset": 0.0} | values
    return {"type": "LIF"} | {k: np.broadcast_to(v, (n,)).copy() for k, v in given.items()}


def graph(edges: str, **nodes: Any) -> dict[str, Any]:
    """`edges` are chains, such as "input fc lif output, lif rec lif"."""
    pairs = [pair for chain in edges.split(",") for pair in pairwise(chain.split())]
    return {"type": "NIRGraph", "nodes": nodes, "edges": list(dict.fromkeys(pairs))}


def port(kind: str, *shape: int) -> dict[str, Any]:
    return {"type": kind, "shape": np.array(shape)}


def weights(*shape: int, seed: int = 0) -> np.ndarray:
    """On a grid, so that sums are exact and often just the threshold."""
    return np.random.default_rng(seed).integers(-8, 11, shape) / 8


def write(path: Path, tree: dict[str, Any]) -> Path:
    """As nir.write does."""
    import h5py

    def write_group(group: Any, values: dict[str, Any]) -> None:
        for name, value in values.items():
            if isinstance(value, dict):
                write_group(group.create_group(name), value)
            else:
                group[name] = value

    with h5py.File(path, "w") as file:
        file["version"] = "1.0.8"
        write_group(file.create_group("node"), tree)
    return path


def chain() -> dict[str, Any]:
    return graph(
        "input fc lif fc2 lif2 output, lif rec lif, lif hidden, input skip lif2",
        input=port("Input", 5),
        fc={"type": "Affine", "weight": weights(6, 5), "bias": weights(6, seed=1) / 4},
        lif=lif(6, v_threshold=0.75),
        rec={"type": "Linear", "weight": weights(6, 6, seed=2) / 2},
        fc2={"type": "Affine", "weight": weights(3, 6, seed=3), "bias": weights(3, seed=4) / 4},
        skip={"type": "Linear", "weight": weights(3, 5, seed=5) / 4},
        lif2=lif(3),
        output=port("Output", 3),
        hidden=port("Output", 6),
    )


def plain_chain(tree: dict[str, Any], x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All layers in one step, and the loop one step later."""
    n = tree["nodes"]
    hidden, output = np.zeros((*x.shape[:2], 6)), np.zeros((*x.shape[:2], 3))
    for sample, sequence in enumerate(x):
        v, v2, z = np.zeros(6), np.zeros(3), np.zeros(6)
        for step, u in enumerate(sequence):
            v = v / 2 + n["fc"]["weight"] @ u + n["fc"]["bias"] + n["rec"]["weight"] @ z
            z = (v > 0.75).astype(float)
            v[z > 0] = 0
            v2 = v2 / 2 + n["fc2"]["weight"] @ z + n["fc2"]["bias"] + n["skip"]["weight"] @ u
            hidden[sample, step], output[sample, step] = z, v2 > 1
            v2[v2 > 1] = 0
    return hidden, output
