"""Traces of lava-dl."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from .networks import (
    N_HIDDEN,
    N_IN,
    N_OUT,
    Case,
    looped,
    spikes,
    stepped,
    weights,
)

REQUIRES = "torch==2.14.1 lava-dl==0.6.0 opencv-python-headless==5.0.0.93 h5py==3.16.0"


def cases() -> Iterator[Case]:
    """slayer's cuba neurons, with several decays; graphs are made here, since it writes no NIR."""
    import torch
    from lava.lib.dl.slayer.neuron import cuba

    dt, quantum = 1e-3, 32  # slayer's weights are multiples of 2 / 64
    for word, decays in (("fast", (1024, 512)), ("slow", (300, 123)), ("plain", (4096, 123))):
        for loop in (False, True):
            rng = np.random.default_rng(decays[0])
            matrices = [
                np.rint(quantum * weights(rng, *shape, False)).astype(np.float32) / quantum
                for shape in ((N_HIDDEN, N_IN), (N_OUT, N_HIDDEN), (N_HIDDEN, N_HIDDEN))
            ]
            cells = [
                cuba.Neuron(
                    threshold=1.25,
                    current_decay=decays[0] / 4096,
                    voltage_decay=decays[1] / 4096,
                    persistent_state=True,
                )
                for _ in range(2)
            ]

            def step(layer: int, u: np.ndarray, cells: Any = cells) -> np.ndarray:
                return cells[layer](torch.as_tensor(u, dtype=torch.float32)[None, :, None])[0, :, 0]

            x = spikes(rng)
            back = matrices[2] / 4 if loop else None
            with torch.no_grad():
                out = stepped(lambda k, u: step(k, u).numpy(), matrices[:2], back, x)
            tree = cuba_graph(matrices[:2], *(dt * 4096 / each for each in decays), dt)
            if back is not None:
                tree = looped(tree, "1", back)
            yield f"CUBA_{word}_{'rec' if loop else 'ff'}", tree, {"dt": dt}, x, out


def cuba_graph(
    matrices: list[np.ndarray], tau_syn: float, tau_mem: float, dt: float
) -> dict[str, Any]:
    """Layers of neurons in which what arrives counts once."""
    nodes: dict[str, Any] = {"input": {"type": "Input", "shape": np.array([N_IN])}}
    names = ["input"]
    for number, matrix in enumerate(matrices):
        one = np.ones(len(matrix))
        nodes[str(2 * number)] = {"type": "Linear", "weight": matrix}
        nodes[str(2 * number + 1)] = {
            "type": "CubaLIF",
            "tau_syn": tau_syn * one,
            "tau_mem": tau_mem * one,
            "r": tau_mem / dt * one,
            "w_in": tau_syn / dt * one,
            "v_leak": 0 * one,
            "v_reset": 0 * one,
            "v_threshold": 1.25 * one,
        }
        names += [str(2 * number), str(2 * number + 1)]
    nodes["output"] = {"type": "Output", "shape": np.array([N_OUT])}
    names.append("output")
    return {"type": "NIRGraph", "nodes": nodes, "edges": list(pairwise(names))}
