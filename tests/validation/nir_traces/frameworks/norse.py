"""Traces of Norse."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .networks import (
    N_HIDDEN,
    N_OUT,
    Case,
    torch_cases,
    vector,
    with_state,
)

REQUIRES = "torch==2.13.0 norse==1.1.0 nir==1.0.8 nirtorch==2.6"


def cases() -> Iterator[Case]:
    """LIFBoxCell, LIFCell and IAFCell, at dt = 1 ms; files as its writer makes them."""
    import norse.torch as norse
    import torch
    from norse.torch.functional.iaf import IAFParameters
    from norse.torch.functional.lif import LIFParameters
    from norse.torch.functional.lif_box import LIFBoxParameters
    from norse.torch.module.iaf import IAFCell

    sizes = (N_HIDDEN, N_OUT)

    def box(rng: Any, grid: bool) -> list[Any]:
        return [
            norse.LIFBoxCell(
                LIFBoxParameters(
                    tau_mem_inv=vector(rng, n, grid, 500.0, 100.0, 400.0),
                    v_th=torch.full((n,), 0.25),
                    v_leak=torch.full((n,), 0.125),
                )
            )
            for n in sizes
        ]

    def cuba(rng: Any, grid: bool) -> list[Any]:
        return [
            norse.LIFCell(
                LIFParameters(
                    tau_mem_inv=vector(rng, n, grid, 500.0, 100.0, 400.0),
                    tau_syn_inv=vector(rng, n, grid, 500.0, 200.0, 500.0),
                    v_th=torch.full((n,), 0.5),
                    v_leak=torch.zeros(n),
                    v_reset=torch.zeros(n),
                )
            )
            for n in sizes
        ]

    def iaf(rng: Any, grid: bool) -> list[Any]:
        return [IAFCell(IAFParameters(v_th=torch.ones(n))) for n in sizes]

    def export(parts: list[Any], x: Any) -> Any:
        return norse.to_nir(norse.SequentialState(*parts), x)

    kinds = {"LIFBox": (box, with_state), "LIF": (cuba, with_state), "IAF": (iaf, with_state)}
    yield from torch_cases(kinds, export, lambda _: {"dt": 1e-3})
