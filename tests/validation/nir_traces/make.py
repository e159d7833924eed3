"""Makes the stored traces that `test_nir_frameworks.py` compares with; no test needs a framework.

    python tests/validation/nir_traces/make.py snntorch     # or norse, spikingjelly, ...

in an environment with the framework (REQUIRES says which versions) writes `NAME.json.xz` beside
this file: for each case the graph that the framework's own exporter makes, random input, and the
spikes that the framework's own neurons fire for it.
"""

from __future__ import annotations

import base64
import json
import lzma
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
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
    "lava-dl": "torch==2.14.1 lava-dl==0.6.0 opencv-python-headless==5.0.0.93 h5py==3.16.0",
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


def norse() -> Iterator[Case]:
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


def spikingjelly() -> Iterator[Case]:
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


def sinabs() -> Iterator[Case]:
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


def rockpool() -> Iterator[Case]:
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


def spyx() -> Iterator[Case]:
    """IF, LIF, CuBaLIF, and their recurrent forms, as its own exporter writes them."""
    import jax.numpy as jnp
    from flax import nnx
    from spyx import nn
    from spyx.nir import to_nir

    for kind in ("IF", "LIF", "CuBaLIF", "RIF", "RLIF", "RCuBaLIF"):
        for word, grid, rng in both():

            def decays(layer: Any, grid: bool = grid, rng: Any = rng) -> Any:
                for name in ("alpha", "beta"):
                    if hasattr(layer, name):
                        n = layer.hidden_shape
                        values = np.full(n, 0.5) if grid else rng.uniform(0.5, 0.95, n)
                        getattr(layer, name)[...] = jnp.asarray(values, jnp.float32)
                return layer

            rngs = nnx.Rngs(0)
            linears = []
            for shape in ((N_IN, N_HIDDEN), (N_HIDDEN, N_OUT)):
                linear = nnx.Linear(*shape, use_bias=False, rngs=rngs)
                linear.kernel[...] = jnp.asarray(weights(rng, *shape[::-1], grid).T)
                linears.append(linear)
            first = decays(getattr(nn, kind)((N_HIDDEN,), rngs=rngs))
            if kind.startswith("R"):
                matrix = weights(rng, N_HIDDEN, N_HIDDEN, grid, 0.5).T / 4
                first.recurrent_w[...] = jnp.asarray(matrix, jnp.float32)
            second = decays(getattr(nn, kind.removeprefix("R"))((N_OUT,), rngs=rngs))
            net = nn.Sequential(linears[0], first, linears[1], second)
            x, state, out = spikes(rng), net.initial_state(1), []
            for u in x:
                z, state = net(jnp.asarray(u)[None], state)
                out.append(np.asarray(z)[0])
            tree = to_nir(net, {"input": np.array([N_IN])}, {"output": np.array([N_OUT])}).to_dict()
            yield f"{kind}_{word}", tree, {}, x, np.array(out)


def lava_dl() -> Iterator[Case]:
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
    make: Callable[[], Iterator[Case]] = globals()[name.replace("-", "_")]
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
