"""What a discarded network held is given back at once, without the garbage collector."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
from pyNN.random import NumpyRNG, RandomDistribution
from pyNN.sparse import garbage, simulator
from support.small import build

from pynn_sparse import run_instances
from pynn_sparse.engine.synapses import layout
from pynn_sparse.engine.synapses.merged import MergedRows

DESCRIPTORS = Path("/proc/self/fd")


@pytest.fixture(autouse=True)
def _without_collector() -> Iterator[None]:
    sim.setup()
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def inner_parts() -> list[Any]:
    state = simulator.state
    network, engine = state.network, state.engine
    assert engine is not None
    parts: list[Any] = [network, engine, engine._plan, engine.recordings.spikes, engine.synapses]
    for each in (network.blocks, network.tables, network.junctions, network.probes):
        parts += each
    return parts + list(state.recorders)


def references(objects: list[Any]) -> list[weakref.ref[Any]]:
    return [weakref.ref(each) for each in objects]


def alive(refs: list[weakref.ref[Any]]) -> list[str]:
    return [type(each()).__name__ for each in refs if each() is not None]


def use(net: Any, path: Path) -> None:
    """All that may leave a reference behind."""
    sim.run(4.0, callbacks=[lambda t: t + 1.0])
    sim.save_state(path)
    sim.load_state(path)
    sim.run(2.0)
    net.cells.get_data()
    net.plastic.get("weight", format="array")
    net.plastic.connections[0].weight = 0.01
    net.plastic.set(delay=2.0)
    net.cells.set(tau_m=lambda i: 10.0 + i)
    net.cells[0].tau_m = 5.0
    assert len(net.cells.positions) == 3
    sim.describe_network()
    sim.reset()
    sim.run(2.0)
    net.cells.get_data("v", clear=True)


@pytest.mark.parametrize(
    "options", [{}, {"recording_memory": 0}, {"threads": 2}, {"precision": "single"}]
)
@pytest.mark.parametrize("ended", [True, False])
def test_nothing_stays_of_a_discarded_network(
    tmp_path: Path, options: dict[str, Any], ended: bool
) -> None:
    net = build(**options)
    use(net, tmp_path / "state.npz")
    refs = references(net.parts + inner_parts())
    del net
    if ended:
        sim.end()
    sim.setup()
    assert alive(refs) == []


def test_who_holds_a_population_holds_no_data_and_no_synapses() -> None:
    net = build()
    sim.run(3.0)
    refs = references(inner_parts())
    cell, cells, plastic = net.cells[3], net.cells, net.plastic
    del net
    sim.setup()
    kept = set(alive(refs))
    assert kept <= {"Block", "Recorder", "SynapseTable", "Network"}
    assert sum(each == "SynapseTable" for each in alive(refs)) == len(plastic._tables)
    assert cells.label == "cells"
    assert cells.get("i_offset") == 0.5
    assert cell.parent is cells
    for read in (
        cells.get_data,
        cells.get_spike_counts,
        lambda: plastic.get("weight", format="list"),
        lambda: plastic.get("weight", format="array"),
        lambda: plastic.set(weight=1.0),
        lambda: plastic[0].weight,
    ):
        with pytest.raises(RuntimeError, match=r"network that setup\(\) has discarded"):
            read()


def test_a_cell_alone_does_not_keep_its_population() -> None:
    cell = build().cells[3]
    sim.run(1.0)
    assert cell.parent.label == "cells"
    sim.setup()
    with pytest.raises(RuntimeError, match=r"cell 26 belongs to a network that setup\(\)"):
        _ = cell.parent


@pytest.mark.parametrize("merged", [True, False])
def test_static_synapses_can_be_read_by_who_holds_them(
    monkeypatch: pytest.MonkeyPatch, merged: bool
) -> None:
    if merged:
        monkeypatch.setattr(layout, "best_group", lambda *_: 7)
    sim.setup(timestep=0.1)
    rng = NumpyRNG(seed=1)
    delay = RandomDistribution("uniform", (0.2, 9.0), rng=rng)
    weight = RandomDistribution("uniform", (0.1, 0.2), rng=rng)
    cells, others = (sim.Population(50, sim.IF_curr_exp()) for _ in range(2))
    first, second = (
        sim.Projection(
            cells, post, sim.AllToAllConnector(), sim.StaticSynapse(weight=weight, delay=delay)
        )
        for post in (cells, others)
    )
    sim.run(1.0)
    assert isinstance(first._tables[0].rows, MergedRows) is merged
    expected = first.get(["weight", "delay"], format="list")
    refs = references([others, second])
    del others, second
    sim.setup(timestep=0.25)
    assert alive(refs) == []
    assert first.get(["weight", "delay"], format="list") == expected


def test_data_that_were_read_stay() -> None:
    net = build(recording_memory=0)
    sim.run(3.0)
    block = net.cells.get_data()
    before = block.segments[0].analogsignals[0].magnitude.copy()
    del net
    sim.setup()
    assert np.array_equal(block.segments[0].analogsignals[0].magnitude, before)


def test_a_traceback_that_is_kept_holds_no_data(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = []
    net = build()
    sim.run(2.0)
    assert simulator.state.engine is not None

    def fail(*_: object) -> int:
        raise MemoryError("no memory")

    monkeypatch.setattr(type(simulator.state.engine.device), "advance", fail)
    try:
        sim.run(5.0)
    except MemoryError as error:
        kept.append(error)
    refs = references(
        [*simulator.state.network.blocks, simulator.state.engine.recordings.spikes, *net.parts]
    )
    chunks = [weakref.ref(probe._chunks[0]) for probe in simulator.state.network.probes]
    del net
    sim.setup()
    assert alive(refs) == []
    assert not any(chunk() is not None for chunk in chunks)


def test_populations_that_could_not_be_made_go() -> None:
    sim.setup()
    before = len(gc.get_objects())
    for _ in range(20):
        with pytest.raises(Exception, match="must be"):
            sim.Population(100, sim.IF_curr_exp(tau_m=-1.0))
    gc.collect()
    assert len(simulator.state.recorders) == len(simulator.state.network.blocks) == 0
    assert len(gc.get_objects()) - before < 20 * 20


def test_instances_go() -> None:
    def network(module: Any, rate: float) -> Any:
        source = module.Population(5, module.SpikeSourcePoisson(rate=rate))
        source.record("spikes")
        return source

    refs = references(run_instances(network, [10.0, 20.0], 10.0))
    sim.setup()
    assert alive(refs) == []


@pytest.mark.skipif(not DESCRIPTORS.exists(), reason="needs /proc")
def test_files_are_closed_also_where_trials_and_data_are_kept() -> None:
    before = len(list(DESCRIPTORS.iterdir()))
    kept = []
    for _ in range(10):
        net = build(recording_memory=0)
        for _ in range(3):
            sim.run(2.0)
            kept.append(net.cells.get_data())
            sim.reset()
    net = None  # type: ignore[assignment]
    sim.setup()
    assert len(list(DESCRIPTORS.iterdir())) == before
    assert kept[0].segments[0].analogsignals[0].shape == (21, 60)


def test_the_collector_comes_when_neo_has_made_many_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neo's blocks, segments and signals refer to each other."""
    gc.enable()
    monkeypatch.setattr(garbage, "MOST", 1 << 20)
    sim.setup(timestep=0.1)
    cells = sim.Population(100, sim.IF_curr_exp())
    cells.record("v")
    sim.run(50.0)  # 0.4 MB of samples
    refs = [weakref.ref(cells.get_data().segments[0]) for _ in range(12)]
    assert len(alive(refs)) < 5


TURNS = """
import gc, os, sys
sys.path.insert(0, {tests!r})
import pyNN.sparse as sim
from support.small import build

def mebibytes():
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20

def turn(number):
    net = build(recording_memory=0 if number % 3 == 0 else None)
    sim.run(2.0)
    net.cells.get_data()
    sim.setup(timestep=0.1)
    cells = sim.Population(1000, sim.IF_curr_exp(i_offset=0.5))
    cells.record("v")
    sim.run(10.0)  # 0.8 MB of samples
    if number % 2:
        sim.end()

for number in range(40):
    turn(number)
first, files = mebibytes(), len(os.listdir("/proc/self/fd"))
for number in range(160):
    turn(number)
print(mebibytes() - first, len(os.listdir("/proc/self/fd")) - files)
"""


@pytest.mark.slow
@pytest.mark.skipif(not DESCRIPTORS.exists(), reason="needs /proc")
def test_memory_and_files_are_level_over_many_turns() -> None:
    """320 networks, whose recorded data alone would be 130 MB."""
    script = TURNS.format(tests=str(Path(__file__).parents[1]))
    environment = {**os.environ, "PYNN_SPARSE_DEVICE": "cpu"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        capture_output=True,
        text=True,
        env=environment,
        check=True,
    )
    growth, files = map(float, done.stdout.split())
    assert growth < 30
    assert files == 0
