"""Traces of Rockpool."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .networks import (
    N_HIDDEN,
    N_OUT,
    Case,
    torch_cases,
    vector,
)

REQUIRES = "torch==2.13.0 rockpool==3.1.0 nir==1.0.8"


def cases() -> Iterator[Case]:
    """LIFTorch and LIFNeuronTorch, several spikes a step, at dt = 1 ms, which the file tells."""
    import torch
    from rockpool.nn.combinators import Sequential
    from rockpool.nn.modules import LIFNeuronTorch, LIFTorch, LinearTorch
    from rockpool.nn.modules.torch import to_nir

    def cells(kind: Any) -> Callable[..., list[Any]]:
        def make(rng: Any, grid: bool) -> list[Any]:
            made = []
            for n in (N_HIDDEN, N_OUT):
                times = {"tau_mem": vector(rng, n, grid, 1e-3 / np.log(2), 2e-3, 20e-3)}
                if kind is LIFTorch:
                    times["tau_syn"] = vector(rng, n, grid, 1e-3 / np.log(2), 2e-3, 10e-3)
                bias, threshold = torch.zeros(n), torch.full((n,), 0.375 if grid else 1.0)
                made.append(kind(n, **times, bias=bias, threshold=threshold, dt=1e-3))
            return made

        return make

    def step(cells: list[Any]) -> Callable[[int, np.ndarray], np.ndarray]:
        for cell in cells:
            cell.reset_state()
        return lambda layer, u: cells[layer](torch.as_tensor(u)[None, None])[0][0, 0].numpy()

    def export(parts: list[Any], x: Any) -> Any:
        for place in (0, 2):
            matrix = parts[place].weight.detach().T
            parts[place] = LinearTorch(matrix.shape, weight=matrix, has_bias=False)
        return to_nir(Sequential(*parts), x[None])

    kinds = {"LIF": (cells(LIFTorch), step), "LIFNeuron": (cells(LIFNeuronTorch), step)}
    yield from torch_cases(kinds, export, lambda _: {}, scale=0.75, loop_scale=0.0625)
