"""Rockpool 3.1.0: `LIFTorch` and `LIFNeuronTorch`, with several spikes a step and a soft reset.

Its files have the true time constants and r = tau/dt exp(-dt/tau), from which dt follows. They lack
`bias` and recurrent weights, which nothing can bring back.
"""

from __future__ import annotations

import numpy as np

from ...layers import Graph, Neurons, Rule
from ..framework import Framework


def _dt(graph: Graph) -> float | None:
    """x = dt/tau solves x e^x = 1/r."""
    for name in graph.named(Neurons):
        node = graph.neurons(name)
        tau = node.values.get("tau_mem", node.values.get("tau"))
        if tau is None or not (np.asarray(node.values["r"]) > 0).all():
            continue
        ratio = 1.0 / np.asarray(node.values["r"], np.float64).ravel()
        x = np.log1p(ratio)
        for _ in range(50):  # Newton's method, which converges from there
            x = x - (x * np.exp(x) - ratio) / (np.exp(x) * (1 + x))
        found = x * np.ravel(tau)
        dt = float(np.median(found))
        if np.allclose(found, dt, rtol=1e-4):
            return float(f"{dt:.5g}")  # r is of single precision
    return None


ROCKPOOL = Framework(
    name="rockpool",
    title="Rockpool 3.1",
    rule=Rule(
        decay="exponential",
        gain="one",
        jump="one",
        current="decay_last",
        fires=">=",
        reset="subtract",
        spikes="many",
        leak="none",
        v_start=0.0,
        least_v="none",
        output_delay=0,
    ),
    source="rockpool/nn/modules/torch/lif_torch.py",
    found_dt=_dt,
)
