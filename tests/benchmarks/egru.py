"""A step of EGRU at batch 1: here, in PyTorch, and in PyTorch with the rows of active units alone.

python tests/benchmarks/egru.py [--units 1350] [--silent 0.9] [--pruned 0.0] [--repeats 5]

Needs PyTorch. Processor time of one thread each, for a step of one layer with as many inputs as
units; medians of repeats that alternate. Here two layers drive each other, so that a time step
is two steps of a layer; biases make units send once in 1 / (1 - silent) steps. In PyTorch
weights of the same pattern are multiplied by vectors of which as many elements are silent,
another in each step.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pyNN.sparse as sim
import torch
from numpy.typing import NDArray

from pynn_sparse.interchange.egru import GATES, RECURRENT

STEPS, CHANGING = 100, 64  # of a repeat; vectors that are taken in turn
THETA, TOP = 0.3, 0.6  # what a unit loses, and what its state goes to


def weights(n: int, pruned: float, seed: int) -> NDArray[np.float32]:
    """Kernel [n, 3 n], too weak to change when units send."""
    rng = np.random.default_rng(seed)
    values = rng.normal(0, 1e-4, (n, 3 * n))
    return np.asarray(np.where(rng.random(values.shape) < pruned, 0, values), np.float32)


def sparse(n: int, silent: float, kernels: list[NDArray[np.float32]]) -> tuple[Any, Any]:
    """A function that does a step of a layer, and one that gives the part of silent units."""
    sim.setup(timestep=1.0, threads=1, device="cpu", precision="single")
    keeps = 0.5 ** (1 / (1 / (1 - silent)))  # TOP is twice THETA: half of the way in a period
    bias = {"b_update": np.log(keeps / (1 - keeps)), "b_candidate": np.arctanh(TOP)}
    cells = [sim.Population(n, sim.EGRU(theta=THETA, **bias)) for _ in range(2)]
    for number, part in enumerate(cells):
        part.initialize(c=np.random.default_rng(number).uniform(0.0, THETA, n))
    for kernel, (pre, post) in zip(kernels, ((0, 1), (1, 0), (0, 0), (1, 1)), strict=True):
        last = RECURRENT if pre == post else GATES[2]
        for part, receptor in zip(np.split(kernel, 3, axis=1), (*GATES[:2], last), strict=True):
            kind = sim.StaticSynapse(weight=part.astype(float), delay=1.0)
            ends = cells[pre], cells[post], sim.ArrayConnector(part != 0), kind
            sim.Projection(*ends, receptor_type=receptor)
    sim.run(50.0)
    cells[0].record("spikes")
    sim.run(200.0)
    active = sum(cells[0].get_spike_counts().values()) / (n * 200)
    cells[0].recorder.reset()
    sim.run(1.0)
    return (lambda: sim.run(STEPS / 2)), 1 - active


def pytorch(n: int, silent: float, kernel: Any, recurrent: Any) -> dict[str, Callable[[], None]]:
    """Functions that do `STEPS` steps with dense products, and with those of active rows."""
    w, r = torch.tensor(kernel), torch.tensor(recurrent)
    w_t, r_t = w.T.contiguous(), r.T.contiguous()
    bias = torch.zeros(3 * n)
    rng = np.random.default_rng(5)
    vectors = torch.tensor(
        rng.uniform(0.3, 1, (CHANGING, n)) * (rng.random((CHANGING, n)) > silent)
    )
    vectors = vectors.float()

    def pointwise(a: Any, q: Any, c: Any) -> Any:
        a, q = a.chunk(3), q.chunk(3)
        z, reset = torch.sigmoid(a[0] + q[0]), torch.sigmoid(a[1] + q[1])
        c = z * c + (1 - z) * torch.tanh(a[2] + reset * q[2])
        event = torch.heaviside(c - THETA, c)
        return event * c, c - event * THETA

    def rows(matrix: Any, x: Any) -> Any:
        active = x.nonzero().squeeze(1)
        return torch.mv(matrix.index_select(0, active).T, x.index_select(0, active))

    def dense() -> None:
        c = torch.zeros(n)
        for t in range(STEPS):
            x, y = vectors[t % CHANGING], vectors[(t + 7) % CHANGING]
            _, c = pointwise(torch.addmv(bias, w_t, x), torch.addmv(bias, r_t, y), c)

    def selected() -> None:
        c = torch.zeros(n)
        for t in range(STEPS):
            x, y = vectors[t % CHANGING], vectors[(t + 7) % CHANGING]
            _, c = pointwise(rows(w, x) + bias, rows(r, y) + bias, c)

    return {"PyTorch": dense, "index_select + mv": selected}


def timed(function: Callable[[], None]) -> float:
    """Processor time of a step in us."""
    start = time.process_time()
    function()
    return (time.process_time() - start) / STEPS * 1e6


def main() -> None:
    """Prints a line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--units", type=int, default=1350)
    parser.add_argument("--silent", type=float, default=0.9)
    parser.add_argument("--pruned", type=float, default=0.0)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    n, silent = options.units, options.silent
    kernels = [weights(n, options.pruned, seed) for seed in range(4)]
    ours, found = sparse(n, silent, kernels)
    runs = {"sparse": ours, **pytorch(n, silent, kernels[0], kernels[2])}
    times: dict[str, list[float]] = {name: [] for name in runs}
    with torch.inference_mode():
        for repeat in range(options.repeats + 1):
            for name, function in runs.items():
                taken = timed(function)
                if repeat:
                    times[name].append(taken)
    medians = {name: statistics.median(each) for name, each in times.items()}
    result = {
        "units": n,
        "silent": round(found, 4),
        "pruned": options.pruned,
        "us": {name: round(each, 1) for name, each in medians.items()},
        "least us": {name: round(min(each), 1) for name, each in times.items()},
        "times faster": {
            name: round(medians[name] / medians["sparse"], 2) for name in runs if name != "sparse"
        },
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
