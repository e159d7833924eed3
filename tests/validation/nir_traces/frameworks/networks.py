"""Networks of two layers with random weights and input, with any framework's neurons."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

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


def looped(tree: dict[str, Any], name: str, matrix: np.ndarray) -> dict[str, Any]:
    """A graph with a loop at neurons, of weights that the framework's exporter leaves out."""
    nodes = tree["nodes"] | {f"{name} rec": {"type": "Linear", "weight": matrix}}
    edges = [*map(tuple, tree["edges"]), (name, f"{name} rec"), (f"{name} rec", name)]
    return {**tree, "nodes": nodes, "edges": edges}


def neurons_of(tree: dict[str, Any]) -> str:
    """The name of the first layer of neurons."""
    kinds = "IF", "LIF", "CubaLIF"
    neurons = {name: node for name, node in tree["nodes"].items() if node["type"] in kinds}
    return next(n for n, node in neurons.items() if len(node["v_threshold"]) == N_HIDDEN)


def stepped(
    step: Callable[[int, np.ndarray], np.ndarray],
    layers: list[np.ndarray],
    loop: np.ndarray | None,
    x: np.ndarray,
) -> np.ndarray:
    """Spikes of the last of two layers; `step(layer, input)` is one of the framework's."""
    z, out = np.zeros(N_HIDDEN, np.float32), []
    for u in x:
        u = layers[0] @ u
        z = step(0, u if loop is None else u + loop @ z)
        out.append(step(1, layers[1] @ z))
    return np.array(out)


def torch_cases(
    kinds: dict[str, tuple[Callable[..., list[Any]], Callable[[Any], Any]]],
    export: Callable[[Any, Any], Any],
    said: Callable[[str], dict[str, Any]],
    scale: float = 1.0,
    loop_scale: float = 0.25,
) -> Iterator[Case]:
    """Two layers of each kind, with a loop and without; `kinds` make the neurons and a step."""
    import torch

    for kind, (make, stepper) in kinds.items():
        for loop in (False, True):
            for word, grid, rng in both():
                matrices = [weights(rng, N_HIDDEN, N_IN, grid), weights(rng, N_OUT, N_HIDDEN, grid)]
                matrices = [scale * each for each in matrices]
                matrix = loop_scale * weights(rng, N_HIDDEN, N_HIDDEN, grid, 0.5) if loop else None
                cells = make(rng, grid)
                parts: list[Any] = []
                for values, cell in zip(matrices, cells, strict=True):
                    linear = torch.nn.Linear(values.shape[1], values.shape[0], bias=False)
                    parts += [load(torch, linear, values), cell]
                x = spikes(rng)
                tree = export(parts, torch.as_tensor(x[:1])).to_dict()
                step = stepper(cells)
                with torch.no_grad():
                    out = stepped(step, matrices, matrix, x)
                if matrix is not None:
                    tree = looped(tree, neurons_of(tree), matrix)
                recurrent = "rec" if loop else "ff"
                yield f"{kind}_{recurrent}_{word}", tree, said(kind), x, out


def with_state(cells: list[Any]) -> Callable[[int, np.ndarray], np.ndarray]:
    """A step of cells that take their state and return it."""
    import torch

    states: list[Any] = [None] * len(cells)

    def step(layer: int, u: np.ndarray) -> np.ndarray:
        z, states[layer] = cells[layer](torch.as_tensor(u)[None], states[layer])
        return z[0].numpy()

    return step


def vector(rng: Any, n: int, grid: bool, even: float, low: float, high: float) -> Any:
    import torch

    values = np.full(n, even) if grid else rng.uniform(low, high, n)
    return torch.tensor(values, dtype=torch.float32)
