"""Projections of all pairs of cells, whose rows the CPU adds in vectors, with the same bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
from numpy.typing import NDArray
from support.devices import threads

from pynn_sparse.engine.synapses import own

N_PRE, N_POST = 13, 37
Graded = sim.native_cell_type(
    "Sender",
    parameters={"theta": 0.5},
    state={"v": 0.0},
    update="v = 0.9 * v",
    receptors={"input": "v += weight"},
    signed=("input",),
    threshold="v > theta",
    send="-v",
    reset="v = 0",
    unit=2.0**-9,
    limit=1000.0,
    conductance_based=False,
)


def results(precision: str, matrix: NDArray[np.float64], weight: float) -> list[Any]:
    """States of cells that several sources and each other drive, at all times."""
    sim.setup(timestep=1.0, precision=precision)
    sources = [
        sim.Population(N_PRE, sim.SpikeSourcePoisson(rate=900.0)),
        sim.Population(N_PRE, sim.SpikeSourceArray(spike_times=[[k, k + 3.0] for k in range(13)])),
    ]
    cells = sim.Population(N_POST, Graded())
    targets = [cells, sim.Population(N_POST, sim.IF_curr_delta(v_rest=0.0, v_thresh=1e3))]
    for post in targets:
        for pre in (*sources, cells):
            scaled = weight * np.resize(matrix, (pre.size, N_POST))
            synapse = sim.StaticSynapse(weight=scaled, delay=2.0)
            receptor = "input" if post is cells else "excitatory"
            if post is not cells:
                synapse = sim.StaticSynapse(weight=np.abs(scaled), delay=2.0)
            sim.Projection(pre, post, sim.AllToAllConnector(), synapse, receptor_type=receptor)
    targets[1].initialize(v=0.0)
    for post in targets:
        post.record("v")
    sim.run(40.0)
    segments = [post.get_data().segments[0] for post in targets]
    return [segment.filter(name="v")[0].magnitude for segment in segments]


@pytest.mark.parametrize("precision", ["double", "single"])
@pytest.mark.parametrize(("n", "weight"), [(1, 0.01), (2, 0.01), (1, 3e-9)])
def test_bits_are_those_of_any_other_way(
    precision: str, n: int, weight: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    matrix = np.random.default_rng(3).normal(0, 1, (N_POST, N_POST))
    matrix[0, 0] = 0.0
    asked, is_dense = [], own.is_dense

    def noted(table: Any) -> bool:
        asked.append(is_dense(table))
        return asked[-1]

    with threads(n):
        monkeypatch.setattr(own, "is_dense", noted)
        found = results(precision, matrix, weight)
        monkeypatch.setattr(own, "is_dense", lambda table: False)
        expected = results(precision, matrix, weight)
    assert asked
    assert all(asked)
    for mine, theirs in zip(found, expected, strict=True):
        assert np.array_equal(mine, theirs)
        assert len(np.unique(mine)) > 100


def test_what_is_not_dense(fresh: None) -> None:
    cells = sim.Population(5, sim.IF_curr_delta())
    weights = np.arange(25.0).reshape(5, 5)
    made = {
        "same weight": (sim.AllToAllConnector(), 1.0, 1.0),
        "one missing": (sim.ArrayConnector(weights != 7), weights, 1.0),
        "several delays": (sim.AllToAllConnector(), weights, 1.0 + weights),
        "one twice": (
            sim.FromListConnector([(i, max(j, 1), i + j, 1.0) for i in range(5) for j in range(5)]),
            None,
            None,
        ),
    }
    for name, (connector, weight, delay) in made.items():
        kind = (
            sim.StaticSynapse() if weight is None else sim.StaticSynapse(weight=weight, delay=delay)
        )
        projection = sim.Projection(cells, cells, connector, kind)
        assert not own.is_dense(projection.network_parts()[1][0]), name
    kind = sim.StaticSynapse(weight=weights, delay=1.0)
    projection = sim.Projection(cells, cells, sim.AllToAllConnector(), kind)
    assert own.is_dense(projection.network_parts()[1][0])


def test_weights_may_change_between_runs(fresh: None) -> None:
    sources = sim.Population(3, sim.SpikeSourceArray(spike_times=[1.0, 5.0]))
    cells = sim.Population(4, sim.IF_curr_delta(v_thresh=1e3, tau_m=1e9, v_rest=0.0))
    cells.initialize(v=0.0)
    weights = np.arange(12.0).reshape(3, 4)
    kind = sim.StaticSynapse(weight=weights, delay=1.0)
    made = sim.Projection(sources, cells, sim.AllToAllConnector(), kind)
    cells.record("v")
    sim.run(4.0)
    made.set(weight=10 * weights)
    sim.run(4.0)
    v = cells.get_data().segments[0].filter(name="v")[0].magnitude
    assert v[-1] == pytest.approx(11 * weights.sum(axis=0), rel=1e-6)
