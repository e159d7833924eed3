"""The graph for NIR, read by the package nir, and run by the equations of its nodes."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from export_networks import neurons, random_float, sources

from pynn_sparse import export
from pynn_sparse.export.folder import nir as nir_file
from pynn_sparse.export.nets.floatnet import FloatNet, make_connections

nir = pytest.importorskip("nir")
DT, END = 0.02, 60.0  # ms


def chain(model: str, **parameters: Any) -> FloatNet:
    """Two layers with excitation, inhibition and two delays; no refractory period."""
    rng = np.random.default_rng(3)
    step, cell = np.nonzero(rng.random((int(END / DT), 6)) < 0.004)
    options = {"tau_refrac": 0.0, "cm": 0.5, "i_offset": 0.05} | parameters
    cells = (
        sources("in/put", 6, np.stack([cell, step], axis=1)),
        neurons("hidden", 5, model, **options),
        neurons("output", 3, model, **options),
    )
    parts = []
    size = 3.0 if model == "IF_curr_delta" else 0.6
    for pre, post in ((0, 1), (1, 2)):
        for receptor, sign, scale in (("excitatory", 1, size), ("inhibitory", -1, size / 4)):
            source, target = map(np.ravel, np.indices((cells[pre].size, cells[post].size)))
            weight = sign * scale * rng.uniform(0.5, 1.0, len(source))
            delay = rng.choice([50, 125], len(source))
            ends = cells[pre].size, source, target
            parts.append(
                make_connections(f"{pre}{sign}", pre, post, receptor, *ends, weight, delay)
            )
    return FloatNet(DT, cells, tuple(parts))


def run(graph: Any, spikes: dict[str, list[np.ndarray]]) -> dict[str, list[list[float]]]:
    """Spike times (ms) of all neurons: Euler's method in steps of DT, events on its grid."""
    neurons = {
        n: node for n, node in graph.nodes.items() if isinstance(node, nir.LIF | nir.CubaLIF)
    }
    paths = []
    after = dict(edge for edge in graph.edges if "ms" in edge[0])
    for source, first in graph.edges:
        if isinstance(graph.nodes[first], nir.Linear):
            lag = graph.nodes[after[first]].delay[0] * 1e3
            paths.append((source, graph.nodes[first].weight, lag, after[after[first]]))
    steps = int(END / DT)
    given = {n: [np.rint(t / DT).astype(int) for t in each] for n, each in spikes.items()}
    arriving = {n: np.zeros((steps * 2, len(node.v_leak))) for n, node in neurons.items()}
    v = {n: np.full(len(node.v_leak), -65.0) for n, node in neurons.items()}  # at v_rest
    current = {n: np.zeros(len(node.v_leak)) for n, node in neurons.items()}
    found = {n: [[] for _ in node.v_leak] for n, node in neurons.items()}
    for step in range(steps):
        fired = {n: [step in times for times in each] for n, each in given.items()}
        for n, node in neurons.items():
            spike_input = arriving[n][step]
            seconds = DT * 1e-3
            drive, jump, tau = 0.0, 0.0, getattr(node, "tau", None)
            if isinstance(node, nir.CubaLIF):
                tau, drive = node.tau_mem, node.r * current[n]
                current[n] = current[n] * (1 - seconds / node.tau_syn)
                current[n] += node.w_in / node.tau_syn * spike_input
            else:
                jump = node.r / node.tau * spike_input
            v[n] = v[n] + seconds / tau * (node.v_leak - v[n] + drive) + jump
            fired[n] = v[n] > node.v_threshold
            v[n] = np.where(fired[n], node.v_reset, v[n])
            for cell in np.flatnonzero(fired[n]):
                found[n][cell].append(step * DT)
        for source, weight, lag, target in paths:
            slot = step + round(lag / DT)
            arriving[target][slot] += weight @ np.array(fired[source], float)
    return found


@pytest.mark.parametrize("model", ["IF_curr_exp", "IF_curr_delta"])
def test_the_graph_fires_as_the_tables(model: str, tmp_path: Path) -> None:
    """But for what time steps, in which a reset takes effect at the end, and 14 bits make of it."""
    net, target = chain(model), export.find("asic", voltage_bits=32, decay_bits=24)
    tables = export.lower(net, target, quantise=export.Quantise(weight_bits=14))
    tables.save(tmp_path, nir=True)
    graph = nir.read(tmp_path / "net.nir")
    given = net.cells[0].spikes
    times = [given[given[:, 0] == cell, 1] * DT for cell in range(6)]
    found = run(graph, {"0 in_put": times})
    block = tables.run(END)
    total = 0
    for train in block.segments[0].spiketrains:
        label = {"hidden": "1 hidden", "output": "2 output"}[train.annotations["source_population"]]
        mine = np.array(found[label][train.annotations["source_index"]])
        expected = np.asarray(train.magnitude)
        n = min(len(mine), len(expected))
        assert np.abs(mine[:n] - expected[:n]).max(initial=0.0) < 0.3, label
        late = np.append(mine[n:], expected[n:])  # one that the other has after the end
        assert len(late) <= 1
        assert (late > END - 0.3).all(), label
        total += len(expected)
    assert total > 20


def test_weights_are_those_of_the_tables_and_metadata_tells_how(tmp_path: Path) -> None:
    net = chain("IF_curr_exp")
    tables = export.lower(net, "asic", quantise=export.Quantise().with_bits("e2m1"))
    graph = nir.read(io.BytesIO(export.emit(tables, nir=True)["net.nir"]))
    matrices = {n: node for n, node in graph.nodes.items() if isinstance(node, nir.Linear)}
    part, values = net.connections[0], tables.weights()[0]
    dense = np.zeros((5, 6))
    dense[part.target, part.source] = values
    pieces = [node for n, node in matrices.items() if n.startswith("0 01 after")]
    np.testing.assert_allclose(sum(node.weight for node in pieces), dense, rtol=1e-12)
    about = pieces[0].metadata
    assert about["weight_bits"][()] == 4
    assert about["format"] in (b"e2m1", "e2m1")
    assert export.emit(tables, nir=True) == export.emit(tables, nir=True)


def test_what_nir_cannot_say_is_told_at_once(tmp_path: Path, monkeypatch: Any) -> None:
    net = random_float(1, tau_refrac=3.0, tau_syn_I=9.0)
    monkeypatch.setattr(nir_file, "MOST_ENTRIES", 1000)
    with pytest.raises(export.ExportError) as caught:
        export.lower(net, "asic").save(tmp_path / "out", nir=True)
    for text in (
        "neurons: refractory periods up to 3 steps; must be 0",
        "neurons: tau_syn_E and tau_syn_I differ; must be equal",
        "up to 1,000 are written",
    ):
        assert text in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_empty_projections_are_left_out() -> None:
    net = chain("IF_curr_delta")
    empty = net.connections[1].kept(np.zeros(len(net.connections[1]), bool))
    net = replace(net, connections=(net.connections[0], empty))
    graph = nir.read(io.BytesIO(export.emit(export.lower(net, "asic"), nir=True)["net.nir"]))
    assert sum(isinstance(node, nir.Linear) for node in graph.nodes.values()) == 2
