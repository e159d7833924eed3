"""Files of lava-dl (`netx`, HDF5), as the graph of NIR that says the same.

lava-dl writes layers one after the other, with integers as of Loihi: weights and biases in units of
64, decays in 1/4096. Here they are in slayer's unit, a 64th of Loihi's, and times in steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import GraphError
from ..layers.rule import DECAYS
from .frameworks.lava_dl import LAVA_DL
from .sidecar import SIDECAR, sidecar_of

SCALE = 64.0  # of Loihi's integers in slayer's unit
FOREVER = 2.0**30  # steps, a time constant after which nothing has decayed
GROUP = "layer"
NEURONS = ("CUBA", "LOIHI")
TYPES = ("input", "dense", "dense_rec")


def graph_of(tree: Mapping[str, Any]) -> dict[str, Any]:
    """The graph of a file's groups, as nested dictionaries, with the rule of lava-dl beside it.

    Raises GraphError for what is no file of netx, and for layers that are not supported, by their
    numbers.
    """
    layers = tree[GROUP]
    if not isinstance(layers, dict) or set(layers) != {str(k) for k in range(len(layers))}:
        raise GraphError(f"group {GROUP!r} must have the layers 0, 1, ...")
    nodes: dict[str, Any] = {}
    edges: list[tuple[str, str]] = []
    chain = ["input"]
    for number in range(len(layers)):
        try:
            _add(str(number), layers[str(number)], nodes, edges, chain)
        except (KeyError, AttributeError, TypeError, ValueError) as error:
            if isinstance(error, GraphError):
                raise
            raise GraphError(f"layer {number}: damaged: {error}") from error
    nodes["output"] = {"type": "Output", "shape": np.array([_width(nodes[chain[-1]])])}
    chain.append("output")
    rule = sidecar_of(LAVA_DL.rule.with_switches({"dt": 1.0}))
    return {
        "type": "NIRGraph",
        "nodes": nodes,
        "edges": [*pairwise(chain), *edges],
        "metadata": {SIDECAR: rule},
    }


def _add(
    name: str,
    layer: Mapping[str, Any],
    nodes: dict[str, Any],
    edges: list[tuple[str, str]],
    chain: list[str],
) -> None:
    """Add the nodes of a layer, and those in the chain from the input on to that chain."""
    kind = _text(layer["type"])
    if kind not in TYPES:
        raise GraphError(f"layer {name}: is of type {kind!r}: must be of {', '.join(TYPES)}")
    if kind == "input" and name != "0":
        raise GraphError(f"layer {name}: only the first one can be the input")
    if np.any(layer.get("delay", 0)):
        raise GraphError(f"layer {name}: has delays, which are not supported")
    n = int(np.prod(layer["shape"]))
    decays = _decays(name, layer["neuron"]) if "neuron" in layer else None
    if kind == "input":
        nodes["input"] = {"type": "Input", "shape": np.array([n])}
    else:
        weight = np.asarray(layer["weight"], np.float64).reshape(n, -1) / SCALE
        nodes.setdefault("input", {"type": "Input", "shape": np.array([weight.shape[1]])})
        nodes[f"{name}.weight"] = {"type": "Linear", "weight": weight}
        if np.any(layer.get("bias", 0)):
            if decays is not None and decays[0] < DECAYS:
                raise GraphError(
                    f"layer {name}: has biases beside a current that lasts, iDecay = {decays[0]}: "
                    f"with biases it must be {DECAYS}"
                )
            bias = np.broadcast_to(np.asarray(layer["bias"], np.float64), (n,)) / SCALE
            nodes[f"{name}.weight"] |= {"type": "Affine", "bias": bias}
        chain.append(f"{name}.weight")
    if decays is None:
        return
    nodes[name] = _neurons(n, *decays, int(layer["neuron"]["vThMant"]))
    chain.append(name)
    if kind == "dense_rec":
        recurrent = np.asarray(layer["weight_rec"], np.float64).reshape(n, n) / SCALE
        nodes[f"{name}.weight_rec"] = {"type": "Linear", "weight": recurrent}
        edges += [(name, f"{name}.weight_rec"), (f"{name}.weight_rec", name)]


def _decays(name: str, neuron: Mapping[str, Any]) -> tuple[int, int]:
    """Of current and voltage, in 1/4096."""
    kind = _text(neuron["type"])
    if kind not in NEURONS:
        raise GraphError(f"layer {name}: neurons are {kind!r}: must be {' or '.join(NEURONS)}")
    if np.any(neuron.get("gradedSpike", False)) or int(neuron.get("refDelay", 1)) != 1:
        raise GraphError(f"layer {name}: gradedSpike must be False, and refDelay 1")
    current, voltage = (int(neuron[each]) for each in ("iDecay", "vDecay"))
    for what, decay in (("iDecay", current), ("vDecay", voltage)):
        if not 0 <= decay <= DECAYS:
            raise GraphError(f"layer {name}: {what} = {decay}: must be from 0 to {DECAYS}")
    return current, voltage


def _neurons(n: int, current: int, voltage: int, threshold: int) -> dict[str, Any]:
    """Neurons of NIR for which what arrives counts once, in steps of length 1."""
    tau_syn, tau_mem = (DECAYS / each if each else FOREVER for each in (current, voltage))
    values = {
        "tau_syn": tau_syn,
        "tau_mem": tau_mem,
        "w_in": tau_syn,
        "r": tau_mem,
        "v_leak": 0.0,
        "v_reset": 0.0,
        "v_threshold": threshold / SCALE,
    }
    return {"type": "CubaLIF"} | {name: np.full(n, each) for name, each in values.items()}


def _width(node: Mapping[str, Any]) -> int:
    """Number of elements that leave the last node."""
    if node["type"] == "Input":
        raise GraphError("there are no layers")
    found: NDArray[Any] = node["weight"] if "weight" in node else node["v_threshold"]
    return len(found)


def _text(value: Any) -> str:
    """A text, alone or in an array of length 1."""
    value = np.asarray(value).ravel()[0]
    return value.decode("ascii") if isinstance(value, bytes) else str(value)
