"""Traces of SpikingJelly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .networks import (
    Case,
    torch_cases,
)

REQUIRES = "torch==2.13.0 spikingjelly==2.0.0 nir==1.0.8 nirtorch==2.6"


def cases() -> Iterator[Case]:
    """IFNode, LIFNode with and without decay_input, CUBALIFNode, at dt = 0.1 ms."""
    import torch
    from spikingjelly.activation_based import neuron, nir_exchange

    def cells(kind: str, **options: Any) -> Callable[..., list[Any]]:
        def make(rng: Any, grid: bool) -> list[Any]:
            return [getattr(neuron, kind)(**options) for _ in range(2)]

        return make

    def step(cells: list[Any]) -> Callable[[int, np.ndarray], np.ndarray]:
        for cell in cells:
            cell.reset()
        return lambda layer, u: cells[layer](torch.as_tensor(u)[None])[0].numpy()

    def export(parts: list[Any], x: Any) -> Any:
        return nir_exchange.export_to_nir(torch.nn.Sequential(*parts), x, dt=1e-4)

    kinds = {
        "IF": (cells("IFNode"), step),
        "IF_reset": (cells("IFNode", v_reset=-0.25), step),
        "LIF": (cells("LIFNode", tau=2.0, v_threshold=0.375), step),
        "LIF_whole_input": (cells("LIFNode", tau=4.0, decay_input=False, v_reset=-0.25), step),
        "CUBA": (cells("CUBALIFNode", c_decay=0.5, v_decay=0.75), step),
    }
    yield from torch_cases(kinds, export, lambda _: {"dt": 1e-4})
