"""A step of EGRU at batch 1, beside PyTorch, and PyTorch with the rows of active units alone.

Times are of one layer with as many inputs as units. Here two layers drive each other, so that a
time step is two steps of a layer; biases make units send once in 1 / (1 - silent) steps. In
PyTorch weights of the same pattern are multiplied by vectors of which as many elements are silent,
another in each step.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

GATES, RECURRENT = ("update", "reset", "candidate"), "recurrent"  # receptors of sim.EGRU
STEPS, CHANGING = 100, 64  # of a repeat; vectors that are taken in turn
THETA, TOP = 0.3, 0.6  # what a unit loses, and what its state goes to


def weights(n: int, pruned: float, seed: int) -> NDArray[np.float32]:
    """Kernel [n, 3 n], too weak to change when units send."""
    rng = np.random.default_rng(seed)
    values = rng.normal(0, 1e-4, (n, 3 * n))
    return np.asarray(np.where(rng.random(values.shape) < pruned, 0, values), np.float32)


def sparse(
    n: int, silent: float, kernels: list[NDArray[np.float32]]
) -> tuple[Callable[[], None], float]:
    """A function that does `STEPS` steps of a layer, and the part of silent units."""
    import pyNN.sparse as sim

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
    """Functions that do `STEPS` steps with dense products, and with those of active rows.

    Raises ImportError without torch.
    """
    torch = importlib.import_module("torch")
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
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
