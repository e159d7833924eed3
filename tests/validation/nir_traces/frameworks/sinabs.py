"""Traces of sinabs."""

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

REQUIRES = "torch==2.13.0 sinabs==3.1.3 nir==1.0.4"


def cases() -> Iterator[Case]:
    """IAF and LIF with norm_input and without, several spikes a step."""
    import sinabs.layers as sl
    import torch
    from sinabs.activation import SingleSpike
    from sinabs.nir import to_nir

    def lif(threshold: float = 1.0, **options: Any) -> Callable[..., list[Any]]:
        def make(rng: Any, grid: bool) -> list[Any]:
            return [
                sl.LIFSqueeze(
                    tau_mem=vector(rng, n, grid, 1 / np.log(2), 2.0, 20.0),
                    spike_threshold=torch.full(
                        (n,), threshold * (4 if grid and threshold < 1 else 1)
                    ),
                    batch_size=1,
                    **options,
                )
                for n in (N_HIDDEN, N_OUT)
            ]

        return make

    def iaf(**options: Any) -> Callable[..., list[Any]]:
        def make(rng: Any, grid: bool) -> list[Any]:
            return [
                sl.IAFSqueeze(spike_threshold=torch.ones(n), batch_size=1, **options)
                for n in (N_HIDDEN, N_OUT)
            ]

        return make

    def step(cells: list[Any]) -> Callable[[int, np.ndarray], np.ndarray]:
        for cell in cells:
            cell.reset_states()
        return lambda layer, u: cells[layer](torch.as_tensor(u)[None])[0].numpy()

    def export(parts: list[Any], x: Any) -> Any:
        for linear in parts[::2]:  # sinabs leaves out layers without a bias
            linear.bias = torch.nn.Parameter(torch.zeros(linear.out_features))
        return to_nir(torch.nn.Sequential(*parts), x)

    words = {
        "LIF_norm": {"gain": "one_minus_decay"},
        "IAF_clamped": {"least_v": "minus_threshold"},
        "LIF_single": {"spikes": "one"},
    }
    kinds = {
        "LIF": (lif(norm_input=False), step),
        "LIF_norm": (lif(0.125, norm_input=True), step),
        "LIF_single": (lif(norm_input=False, spike_fn=SingleSpike), step),
        "IAF": (iaf(), step),
        "IAF_clamped": (iaf(min_v_mem=-1.0), step),
    }
    yield from torch_cases(kinds, export, lambda kind: words.get(kind, {}))
