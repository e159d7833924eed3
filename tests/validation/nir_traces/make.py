"""Makes the stored traces that `test_nir_frameworks.py` compares with; no test needs a framework.

    python tests/validation/nir_traces/make.py snntorch     # or norse, spikingjelly, ...

in an environment that has the framework (REQUIRES says which versions), writes `NAME.json.xz` beside
this file: for each case the graph that the framework's own exporter makes, random input, and the
spikes that the framework's own neurons fire for it.
"""

from __future__ import annotations

import base64
import json
import lzma
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
REQUIRES = {
    "snntorch": "torch==2.13.0 snntorch==1.0.0 nir==1.0.8 nirtorch==2.6",
    "norse": "torch==2.13.0 norse==1.1.0 nir==1.0.8 nirtorch==2.6",
    "spikingjelly": "torch==2.13.0 spikingjelly==2.0.0 nir==1.0.8 nirtorch==2.6",
    "sinabs": "torch==2.13.0 sinabs==3.1.3 nir==1.0.4",
    "rockpool": "torch==2.13.0 rockpool==3.1.0 nir==1.0.8",
    "spyx": "jax==0.10.2 flax==0.12.8 spyx==1.0.0 nir==1.0.8",
}
N_IN, N_HIDDEN, N_OUT, STEPS = 6, 12, 5, 160
Case = tuple[str, dict[str, Any], dict[str, Any], np.ndarray, np.ndarray]


def weights(rng: Any, n_out: int, n_in: int, grid: bool, scale: float = 1.0) -> np.ndarray:
    """Random weights, or of a grid, on which v often meets the threshold exactly."""
    if grid:
        return rng.integers(-6, 9, (n_out, n_in)).astype(np.float32) / 8
    return rng.normal(0.12, 0.5 * scale, (n_out, n_in)).astype(np.float32)


def spikes(rng: Any) -> np.ndarray:
    return (rng.random((STEPS, N_IN)) < 0.35).astype(np.float32)


def both() -> Iterator[tuple[str, bool, Any]]:
    for word, grid in (("random", False), ("grid", True)):
        yield word, grid, np.random.default_rng(7 + grid)


def load(torch: Any, module: Any, values: np.ndarray, bias: np.ndarray | None = None) -> Any:
    with torch.no_grad():
        module.weight.copy_(torch.as_tensor(values))
        if bias is not None:
            module.bias.copy_(torch.as_tensor(bias))
    return module


# --- frameworks -------------------------------------------------------------------------------


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


def snntorch() -> Iterator[Case]:
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


# --- files --------------------------------------------------------------------------------------


def encoded(tree: Any) -> Any:
    """Nested dictionaries with arrays as JSON has them."""
    if isinstance(tree, dict):
        return {name: encoded(value) for name, value in tree.items() if value is not None}
    array = np.asarray(tree)
    if array.dtype.kind == "U" and not array.ndim:
        return str(array)
    if array.dtype.kind in "UO":
        return array.tolist()
    data = base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
    return {"dtype": array.dtype.str, "shape": array.shape, "data": data}


def main(name: str) -> None:
    make: Callable[[], Iterator[Case]] = globals()[name]
    cases = {}
    for case, tree, said, x, out in make():
        assert set(np.unique(x)) <= {0.0, 1.0}
        counts = np.rint(out).astype(np.uint8)
        assert (counts == out).all()
        arrays = {"in": x.astype(np.uint8), "out": counts}
        cases[case] = encoded({"graph": tree, **arrays}) | {"said": said}
        print(f"{case:32} {counts.sum():6} spikes in {counts.size} bins")
    about = {"command": f"python make.py {name}", "requires": REQUIRES[name], "cases": cases}
    (HERE / f"{name}.json.xz").write_bytes(lzma.compress(json.dumps(about).encode()))


if __name__ == "__main__":
    main(sys.argv[1])
