"""A dry run builds and runs the part that one of many processes would have."""

from __future__ import annotations

import gc
import resource
from pathlib import Path
from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
from support import networks

from pynn_sparse.engine.exchange.dry import DryProcess
from pynn_sparse.engine.exchange.stripes import stripes
from pynn_sparse.network import Network, TimeGrid

N, DELAY = 300, 1.5


def build(**options: Any) -> tuple[Any, Any, Any]:
    sim.setup(timestep=0.1, min_delay=0.1, max_delay=5.0, threads=1, **options)
    rng = sim.NativeRNG(3)
    cells = sim.Population(N, sim.IF_curr_exp(i_offset=1.2))
    few = sim.Population(10, sim.IF_curr_exp())
    some, synapse = (
        sim.FixedProbabilityConnector(0.2, rng=rng),
        sim.StaticSynapse(weight=0.05, delay=DELAY),
    )
    made = sim.Projection(cells, cells, some, synapse, receptor_type="excitatory")
    sim.Projection(cells, few, sim.AllToAllConnector(), synapse, receptor_type="excitatory")
    cells.record("spikes")
    return cells, few, made


@pytest.mark.parametrize("n", [2, 3])
def test_each_process_has_its_part(n: int) -> None:
    *_, whole = build()
    pairs = [(i, j, w) for i, j, w in whole.get("weight", "list")]
    ends = np.array(pairs)[:, 1]
    neurons = 0
    for rank in range(n):
        cells, few, made = build(dry_run=(n, rank))
        own = cells._mask_local
        assert made.get("weight", "list") == [each for each in pairs if own[int(each[1])]]
        neurons += cells.local_size + few.local_size
        sim.run(20.0)
        report = sim.dry_run_report(latency=1.0, bandwidth=1.0)
        assert (report.processes, report.rank, report.time) == (n, rank, 20.0)
        assert report.neurons == cells.local_size + few.local_size
        assert report.synapses == own[ends.astype(int)].sum() + N * few.local_size
        # One before time 0, one for each 1.5 ms, and one more where a call down ended before.
        assert 1 + 14 <= report.exchanges <= 1 + 14 + 10
        assert min(report.building, report.laying_out, report.running) > 0
        expected = 1e-6 * np.ceil(np.log2(n)) + (n - 1) * report.message / 1e9
        assert report.exchange == pytest.approx(expected)
        assert f"process {rank} of {n}" in str(report)
        trains = cells.get_data().segments[0].spiketrains
        assert len(trains) == cells.local_size
        assert sum(map(len, trains)) > 0
    assert neurons == N + 10


def test_others_send_earlier_spikes_of_the_same_places() -> None:
    network = Network(TimeGrid(0.1), 1)
    block = networks.add_neurons(network, "IF_curr_exp", N, 1)
    first = stripes(block, 3)
    process = DryProcess(3, 1)
    process.attach(network)
    gather = process.exchange_words
    every = np.zeros((3, 64), np.uint32)
    fired = [first[1], first[1] + 7, first[2] - 1]
    steps = [fired[:1], fired[1:], []]
    for step in steps:
        message = np.zeros(64, np.uint32)
        message[: 3 + len(step)] = [3 + len(step), 0, 2 * len(step), *step]
        gather(message, every)
        np.testing.assert_array_equal(every[1], message)
    # Both others are one process away: they send what this one sent one step before.
    for rank in (0, 2):
        moved = [first[rank] + each - first[1] for each in steps[1]]
        sent = [each for each in moved if each < first[rank + 1]]
        assert every[rank, : 3 + len(sent)].tolist() == [3 + len(sent), 0, 2 * len(sent), *sent]


def test_cells_of_other_processes_take_little_memory() -> None:
    """Two networks of which this process has as much: they differ by the others' cells."""

    def resident(n: int, processes: int) -> float:
        sim.setup(timestep=0.1, threads=1, dry_run=(processes, 0))
        cells = sim.Population(n, sim.IF_curr_exp())
        connector = sim.FixedNumberPreConnector(5, rng=sim.NativeRNG(seed=1))
        sim.Projection(cells, cells, connector, sim.StaticSynapse(weight=0.01, delay=1.5))
        sim.run(1.0)
        assert abs(cells.local_size - 25_000) <= 64
        del cells
        gc.collect()
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * resource.getpagesize()

    resident(200_000, 8)
    little, more = resident(200_000, 8), 2_400_000
    # Of a cell 5 bytes, and 8 as the source of a projection.
    assert resident(more, 96) - little < 16 * (more - 200_000)


@pytest.mark.parametrize("gather", [True, False])
def test_files_have_what_this_process_has(tmp_path: Any, gather: bool) -> None:
    cells, _, made = build(dry_run=(2, 1))
    sim.run(5.0)
    made.save("weight", tmp_path / "weights.txt", gather=gather)
    cells.write_data(str(tmp_path / "cells.pkl"), gather=gather)
    assert {each.name for each in tmp_path.iterdir()} == {"weights.txt", "cells.pkl"}
    assert len(np.loadtxt(tmp_path / "weights.txt")) == len(made) > 0


def test_positions_are_left_to_process_0(tmp_path: Any) -> None:
    """PyNN has the others open the file, too, so that they would empty what 0 has written."""
    cells, few, _ = build(dry_run=(2, 1))
    file = tmp_path / "positions.txt"
    file.write_text("of process 0")
    cells.save_positions(str(file))
    (cells + few).save_positions(str(file))
    assert file.read_text() == "of process 0"


@pytest.mark.parametrize("given", [3, (2,), (2, 2), (2, -1), (0, 0), (2.5, 1), "21", (2**21, 0)])
def test_options(given: Any) -> None:
    with pytest.raises(ValueError, match="dry_run = "):
        sim.setup(dry_run=given)


def test_what_others_would_have_to_give_is_refused(tmp_path: Any) -> None:
    build()
    with pytest.raises(RuntimeError, match="no dry run"):
        sim.dry_run_report()
    build(dry_run=(2, 0))
    sim.run(1.0)
    for ask in (
        lambda: sim.save_state(tmp_path / "state"),
        lambda: sim.load_state(tmp_path / "state"),
        lambda: sim.to_sonata(tmp_path / "circuit"),
    ):
        with pytest.raises(NotImplementedError, match="in a dry run"):
            ask()
    assert list(tmp_path.iterdir()) == []
