"""Traces of snnTorch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .networks import (
    N_HIDDEN,
    N_IN,
    N_OUT,
    Case,
    both,
    load,
    spikes,
    weights,
)

REQUIRES = "torch==2.13.0 snntorch==1.0.0 nir==1.0.8 nirtorch==2.6"


def snntorch_neurons(n: int, kind: str, rng: Any, grid: bool, options: dict[str, Any]) -> Any:
    import snntorch as snn
    import torch

    def decay(low: float, high: float) -> Any:
        values = np.full(n, 0.5) if grid else rng.uniform(low, high, n)
        return torch.tensor(values, dtype=torch.float32)

    given = {"beta": decay(0.6, 0.95)}
    if "Synaptic" in kind:
        given["alpha"] = decay(0.4, 0.9)
    if kind.startswith("R"):
        given |= {"linear_features": n, "all_to_all": True}
    make = getattr(snn, kind)
    made = make(**given, threshold=torch.ones(n), init_hidden=True, **options)
    if kind.startswith("R"):
        bias = rng.integers(-2, 3, n) / 16
        load(torch, made.recurrent, weights(rng, n, n, grid, 0.5) / 4, bias)
    return made


def cases() -> Iterator[Case]:
    """Leaky, Synaptic, RLeaky, RSynaptic; each kind of reset."""
    import torch
    from snntorch.export_nir import export_to_nir

    torch.manual_seed(1)
    options = {
        "default": ({}, {}),
        "zero": ({"reset_mechanism": "zero", "reset_delay": False}, {"reset": "value"}),
        "zero_delayed": ({"reset_mechanism": "zero"}, {"reset": "blank"}),
        "subtract": ({"reset_delay": False}, {"reset": "subtract_again"}),
    }
    for kind in ("Leaky", "Synaptic", "RLeaky", "RSynaptic"):
        for reset, (more, said) in options.items():
            if reset == "subtract" and kind != "Leaky":
                continue
            if reset == "zero" and kind == "RSynaptic":
                continue  # raises TypeError with init_hidden=True
            for word, grid, rng in both():
                first = load(
                    torch,
                    torch.nn.Linear(N_IN, N_HIDDEN),
                    weights(rng, N_HIDDEN, N_IN, grid),
                    rng.integers(-2, 3, N_HIDDEN) / 16,
                )
                second = load(
                    torch,
                    torch.nn.Linear(N_HIDDEN, N_OUT, bias=False),
                    weights(rng, N_OUT, N_HIDDEN, grid),
                )
                net = torch.nn.Sequential(
                    first,
                    snntorch_neurons(N_HIDDEN, kind, rng, grid, more),
                    second,
                    snntorch_neurons(N_OUT, kind.removeprefix("R"), rng, grid, more),
                )
                x = torch.as_tensor(spikes(rng))
                graph = export_to_nir(net, x[:1], ignore_dims=[0])
                for module in net[1::2]:
                    module.reset_mem()  # `utils.reset` leaves the state of RSynaptic as it is
                with torch.no_grad():
                    out = np.concatenate([np.asarray(net(u[None])) for u in x])
                yield f"{kind}_{reset}_{word}", graph.to_dict(), said, x.numpy(), out
