"""The network as a graph of NIR, with the weights that the tables hold.

NIR (Pedersen et al. 2024, doi:10.1038/s41467-024-52259-9) describes networks in continuous time and
floats, for exchange between simulators; it has no fixed-point arithmetic, so that only the weights
are those of the tables, and the quantisation is told in the metadata of each matrix. Times are in
s, voltages in mV, currents in nA, resistances in MOhm.

`IF_curr_exp` becomes ``CubaLIF`` with w_in = tau_syn, so that a spike adds its weight to the
current; `IF_curr_delta` becomes ``LIF`` with R = tau_m, so that it adds it to the voltage. The
synapses of a projection become a dense ``Linear`` and a ``Delay`` for each delay that occurs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...interchange.nir.writing import contents, graph, node, plain_name
from ..errors import ExportError
from ..exported import Exported
from ..models.dynamics import dynamics
from ..nets.floatnet import Cells, Connections

MOST_ENTRIES = 50_000_000  # of all matrices together
MS = 1e-3


def nir_bytes(tables: Exported) -> bytes:
    """The file `net.nir`. Errors are those of `nir_graph`."""
    made = nir_graph(tables)
    try:
        return contents(made)
    except ImportError as error:
        raise ExportError(str(error)) from None


def nir_graph(tables: Exported) -> dict[str, Any]:
    """A graph; nodes are named by number and label of population or projection.

    Raises `ExportError` with all that NIR cannot say: refractory periods, two synaptic time
    constants, and matrices of more than `MOST_ENTRIES`.
    """
    net = tables.net
    problems = [problem for cells in net.cells for problem in _problems(cells, net.dt)]
    sizes = [
        net.cells[part.pre].size * net.cells[part.post].size * len(np.unique(part.delay))
        for part in net.connections
    ]
    if sum(sizes) > MOST_ENTRIES:
        problems.append(f"matrices of {sum(sizes):,} weights; up to {MOST_ENTRIES:,} are written")
    if problems:
        raise ExportError("NIR cannot say the same:\n  " + "\n  ".join(problems))
    names = [_name(index, cells.label) for index, cells in enumerate(net.cells)]
    nodes: dict[str, Any] = {}
    chains: list[tuple[str, ...]] = []
    for name, cells in zip(names, net.cells, strict=True):
        if cells.is_source:
            nodes[name] = node("Input", {"shape": np.array([cells.size])})
            continue
        nodes[name] = _neurons(cells)
        nodes[f"{name} out"] = node("Output", {"shape": np.array([cells.size])})
        chains.append((name, f"{name} out"))
    for index, (part, values) in enumerate(zip(net.connections, tables.weights(), strict=True)):
        for delay, matrix in _matrices(tables, part, values):
            weights = f"{_name(index, part.label)} after {delay:g} ms"
            nodes[weights] = node("Linear", {"weight": matrix}, _about(tables, index))
            nodes[f"{weights} delay"] = node("Delay", {"delay": np.full(len(matrix), delay * MS)})
            chains.append((names[part.pre], weights, f"{weights} delay", names[part.post]))
    return graph(nodes, chains)


def _name(index: int, label: str) -> str:
    """Unique, and without what would be a path in HDF5."""
    return f"{index} {plain_name(label)}"


def _problems(cells: Cells, dt: float) -> Iterator[str]:
    if cells.is_source:
        return
    step = dynamics(cells, dt)
    if step.refractory.any():
        yield f"{cells.label}: refractory periods up to {step.refractory.max()} steps; must be 0"
    if (step.current_factor[:, 0] != step.current_factor[:, 1]).any():
        yield f"{cells.label}: tau_syn_E and tau_syn_I differ; must be equal"


def _neurons(cells: Cells) -> dict[str, Any]:
    p = cells.parameters
    tau = p["tau_m"] * MS
    resistance = p["tau_m"] / p["cm"]
    threshold = {"v_threshold": p["v_thresh"], "v_reset": p["v_reset"]}
    leak = p["v_rest"] + resistance * p["i_offset"]
    if cells.model == "IF_curr_delta":
        return node("LIF", {"tau": tau, "r": tau, "v_leak": leak, **threshold})
    tau_syn = p["tau_syn_E"] * MS
    currents = {"tau_syn": tau_syn, "r": resistance, "w_in": tau_syn}
    return node("CubaLIF", {"tau_mem": tau, "v_leak": leak, **threshold, **currents})


def _matrices(
    tables: Exported, part: Connections, values: NDArray[np.float64]
) -> Iterator[tuple[float, NDArray[np.float64]]]:
    """Delays (ms) and weights [post, pre]; those between the same two cells are added up."""
    cells = tables.net.cells
    for delay in np.unique(part.delay):
        mine = part.delay == delay
        matrix = np.zeros((cells[part.post].size, cells[part.pre].size))
        np.add.at(matrix, (part.target[mine], part.source[mine]), values[mine])
        yield float(delay * tables.dt), matrix


def _about(tables: Exported, index: int) -> dict[str, Any]:
    """How the weights of a projection were rounded."""
    kind, loss = tables.rule.minifloat, tables.losses[index]
    return {
        "target": tables.target.name,
        "weight_bits": tables.rule.weight_bits,
        "format": str(kind) if kind else "integer",
        "rounding": tables.rule.rounding,
        "step": loss.step,
        "quantised_to_zero": loss.zeroed,
    }
