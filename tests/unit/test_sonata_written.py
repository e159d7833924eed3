"""SONATA files that `to_sonata` writes, as libsonata reads them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyNN.network import Network
from pyNN.random import NumpyRNG, RandomDistribution

from pynn_sparse.errors import SonataError

libsonata = pytest.importorskip("libsonata")
h5py = pytest.importorskip("h5py")


def circuit(folder: Path) -> Any:
    return libsonata.CircuitConfig.from_file(str(folder / "circuit_config.json"))


def every(population: Any) -> Any:
    return libsonata.Selection([(0, population.size)] if population.size else [])


def edges_of(folder: Path, name: str) -> dict[str, np.ndarray]:
    """All edges of a population."""
    edges = circuit(folder).edge_population(name)
    chosen = every(edges)
    return {
        "source": edges.source_nodes(chosen),
        "target": edges.target_nodes(chosen),
        "weight": edges.get_attribute("syn_weight", chosen),
        "delay": edges.get_attribute("delay", chosen),
    }


def listed(projection: Any) -> list[tuple[float, ...]]:
    """Connections by places in the whole populations, sorted."""
    ends = [
        [cell - end.all_cells[0].parent.first_id for cell in end.all_cells]
        for end in (projection.pre, projection.post)
    ]
    rows = projection.get(["weight", "delay"], format="list")
    return sorted((ends[0][int(i)], ends[1][int(j)], *rest) for i, j, *rest in rows)


def test_libsonata_finds_cells_weights_and_delays(tmp_path: Path) -> None:
    sim.setup(timestep=0.1)
    first = sim.Population(7, sim.SpikeSourcePoisson(rate=lambda i: 5.0 + i), label="first")
    second = sim.Population(
        9, sim.IF_curr_exp(tau_m=lambda i: 10.0 + i, v_thresh=-51.5), label="second"
    )
    rng = NumpyRNG(seed=3)
    synapse = sim.StaticSynapse(
        weight=RandomDistribution("uniform", (0.1, 1.0), rng=rng),
        delay=RandomDistribution("uniform", (0.5, 4.0), rng=rng),
    )
    projections = {
        "whole": sim.Projection(
            first, second, sim.FixedProbabilityConnector(0.5, rng=rng), synapse, label="whole"
        ),
        "of views": sim.Projection(
            *(second[2:5], second[::3], sim.AllToAllConnector(), synapse),
            receptor_type="excitatory",
            label="of views",
        ),
    }
    sim.to_sonata(tmp_path / "net")
    read = circuit(tmp_path / "net")
    assert read.node_populations == {"first", "second"}
    nodes = read.node_population("second")
    assert nodes.size == 9
    for name in ("tau_m", "v_thresh", "cm"):
        found = nodes.get_dynamics_attribute(name, nodes.select_all())
        assert np.array_equal(found, np.broadcast_to(second.get(name), (9,)))
    for axis, expected in zip("xyz", second.positions, strict=True):
        assert np.array_equal(nodes.get_attribute(axis, nodes.select_all()), expected)
    assert read.edge_populations == set(projections)
    for name, projection in projections.items():
        edges = read.edge_population(name)
        ends = projection.pre, projection.post
        names = tuple(getattr(end, "grandparent", end).label for end in ends)
        assert (edges.source, edges.target) == names
        assert sorted(zip(*edges_of(tmp_path / "net", name).values(), strict=True)) == listed(
            projection
        )


def test_indices_give_the_edges_of_each_node(tmp_path: Path) -> None:
    sim.setup(timestep=0.1)
    cells = sim.Population(40, sim.IF_curr_exp(), label="cells")
    connector = sim.FixedTotalNumberConnector(300, with_replacement=True, rng=NumpyRNG(seed=1))
    sim.Projection(cells, cells, connector, sim.StaticSynapse(weight=0.1, delay=1.0), label="edges")
    sim.to_sonata(tmp_path / "net")
    edges = circuit(tmp_path / "net").edge_population("edges")
    columns = edges_of(tmp_path / "net", "edges")
    for node in range(40):
        for found, end in ((edges.efferent_edges, "source"), (edges.afferent_edges, "target")):
            expected = np.flatnonzero(columns[end] == node)
            assert np.array_equal(found([node]).flatten(), expected)
    pairs = set(zip(columns["source"].tolist(), columns["target"].tolist(), strict=True))
    assert len(pairs) < 300  # some cells are connected several times
    for source, target in list(pairs)[:20]:
        both = (columns["source"] == source) & (columns["target"] == target)
        found = edges.connecting_edges([source], [target]).flatten()
        assert np.array_equal(found, np.flatnonzero(both))


LABELS = st.text(max_size=6)


@st.composite
def networks(draw: st.DrawFn) -> dict[str, Any]:
    """Labels, sizes, and connections between views, with repetitions and none at all."""
    populations = draw(st.lists(st.tuples(LABELS, st.integers(1, 12)), min_size=1, max_size=4))
    projections = []
    for _ in range(draw(st.integers(0, 4))):
        ends = [draw(st.integers(0, len(populations) - 1)) for _ in range(2)]
        views = [
            sorted(draw(st.sets(st.integers(0, populations[end][1] - 1), min_size=1)))
            for end in ends
        ]
        row = st.tuples(
            st.integers(0, len(views[0]) - 1),
            st.integers(0, len(views[1]) - 1),
            st.floats(0.0, 5.0),
            st.integers(1, 300).map(lambda steps: steps / 10),
        )
        rows = draw(st.lists(row, max_size=20))
        projections.append((draw(LABELS), ends, views, rows))
    return {"populations": populations, "projections": projections}


def made(network: dict[str, Any]) -> tuple[list[Any], list[Any]]:
    sim.setup(timestep=0.1)
    populations = [
        sim.Population(size, sim.IF_curr_exp(), label=label)
        for label, size in network["populations"]
    ]
    projections = [
        sim.Projection(
            *(populations[end][view] for end, view in zip(ends, views, strict=True)),
            sim.FromListConnector(rows, column_names=["weight", "delay"]),
            sim.StaticSynapse(),
            label=label,
        )
        for label, ends, views, rows in network["projections"]
    ]
    return populations, projections


@given(network=networks())
@settings(max_examples=30, deadline=None)
def test_random_networks_are_what_libsonata_reads(
    network: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    populations, projections = made(network)
    folder = tmp_path_factory.mktemp("random") / "net"
    sim.to_sonata(folder)
    config = json.loads((folder / "circuit_config.json").read_text())
    read = circuit(folder)
    nodes = [next(iter(each["populations"])) for each in config["networks"]["nodes"]]
    edges = [next(iter(each["populations"])) for each in config["networks"]["edges"]]
    assert [read.node_population(name).size for name in nodes] == [p.size for p in populations]
    assert len(edges) == len(projections)
    for name, projection, (_, ends, _, _) in zip(
        edges, projections, network["projections"], strict=True
    ):
        population = read.edge_population(name)
        assert [population.source, population.target] == [nodes[end] for end in ends]
        found = sorted(zip(*edges_of(folder, name).values(), strict=True))
        assert found == listed(projection)
    again = sim.from_sonata(folder)
    assert sorted(map(len, again.projections)) == sorted(map(len, projections))
    copies = sorted(again.populations, key=lambda each: each.first_id)
    assert [each.label for each in copies] == [
        p.label.encode("utf-8", "replace").decode().replace("\0", "_") or n
        for p, n in zip(populations, nodes, strict=True)
    ]


def test_more_connections_than_16_bits_count(tmp_path: Path) -> None:
    sim.setup(timestep=0.1)
    cells = sim.Population(200, sim.IF_curr_exp(), label="cells")
    weight = np.arange(40000.0).reshape(200, 200) / 1e5
    connector = sim.AllToAllConnector()
    synapse = sim.StaticSynapse(weight=weight, delay=1.0)
    sim.Projection(cells, cells, connector, synapse, receptor_type="excitatory", label="all")
    sim.to_sonata(tmp_path / "net")
    columns = edges_of(tmp_path / "net", "all")
    assert len(columns["weight"]) == 40000
    assert np.array_equal(columns["weight"], (columns["source"] * 200.0 + columns["target"]) / 1e5)
    with h5py.File(tmp_path / "net" / "network" / "edges_000_all.h5") as file:
        index = file["edges/all/edge_group_index"]
        assert index.dtype == np.uint64
        assert np.array_equal(index, np.arange(40000))


def test_a_million_connections_are_written_and_read(tmp_path: Path) -> None:
    sim.setup(timestep=0.1)
    cells = sim.Population(2000, sim.IF_curr_exp(), label="cells")
    rng = sim.NativeRNG(seed=1)
    synapse = sim.StaticSynapse(
        weight=RandomDistribution("uniform", (0.1, 1.0), rng=rng),
        delay=RandomDistribution("uniform", (0.5, 4.0), rng=rng),
    )
    connector = sim.FixedNumberPostConnector(500, rng=rng)
    ends = cells, cells, connector, synapse
    projection = sim.Projection(*ends, receptor_type="excitatory", label="many")
    sim.to_sonata(tmp_path / "net")
    columns = edges_of(tmp_path / "net", "many")
    expected = projection.get(["weight", "delay"], format="columns")
    for found, values in zip(columns.values(), expected.values(), strict=True):
        assert np.array_equal(found, values)
    again = sim.from_sonata(tmp_path / "net").get_component("many")
    found = again.get(["weight", "delay"], format="columns")
    assert all(np.array_equal(found[name], expected[name]) for name in expected)


def test_spikes_are_what_libsonata_reads(tmp_path: Path) -> None:
    sim.setup(timestep=0.1)
    times = [[1.0, 2.5, 7.03], [], [0.1]]
    source = sim.Population(3, sim.SpikeSourceArray(spike_times=times), label="source")
    target = sim.Population(2, sim.IF_curr_delta(), label="target")
    synapse = sim.StaticSynapse(weight=50.0, delay=1.0)
    sim.Projection(source, target, sim.FromListConnector([(0, 1), (2, 0)]), synapse)
    target.record("spikes")
    sim.run(20.0)
    sim.to_sonata(tmp_path / "net")
    (file,) = (tmp_path / "net" / "inputs").iterdir()
    given = libsonata.SpikeReader(str(file))["source"]
    assert given.get() == [(0, 1.0), (0, 2.5), (0, 7.03), (2, 0.1)]
    assert given.sorting == "by_id"
    output = libsonata.SpikeReader(str(tmp_path / "net" / "output" / "spikes.h5"))["target"]
    trains = target.get_data().segments[0].spiketrains
    expected = [(i, t) for i, train in enumerate(trains) for t in train.magnitude.tolist()]
    assert output.get() == expected
    assert len(expected) == 4
    run = json.loads((tmp_path / "net" / "simulation_config.json").read_text())["run"]
    assert run == {"tstop": 20.0, "dt": 0.1, "random_seed": 42}


def test_views_are_node_sets(tmp_path: Path) -> None:
    sim.setup(timestep=0.1)
    cells = sim.Population(10, sim.IF_curr_exp(), label="cells")
    others = sim.Population(4, sim.IF_curr_exp(), label="others")
    view = sim.PopulationView(cells, [1, 4, 7], label="some")
    both = sim.Assembly(view, others, label="both")
    sim.Projection(view, both, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.1, delay=1.0))
    sim.to_sonata(tmp_path / "net")
    sets = libsonata.NodeSets.from_file(str(tmp_path / "net" / "node_sets.json"))
    read = circuit(tmp_path / "net")
    for name, of_cells, of_others in (("some", 3, 0), ("both", 3, 4), ("cells", 10, 0)):
        for population, size in (("cells", of_cells), ("others", of_others)):
            assert sets.materialize(name, read.node_population(population)).flat_size == size


def test_part_of_a_network_is_written_with_the_cells_it_connects(tmp_path: Path) -> None:
    sim.setup(timestep=0.1)
    one, two, three = (sim.Population(3, sim.IF_curr_exp(), label=name) for name in "abc")
    synapse = sim.StaticSynapse(weight=0.1, delay=1.0)
    projection = sim.Projection(two, three, sim.AllToAllConnector(), synapse, label="b to c")
    sim.Projection(one, two, sim.AllToAllConnector(), synapse, label="a to b")
    sim.to_sonata(tmp_path / "list", [projection])
    sim.to_sonata(tmp_path / "network", Network(two, three, projection))
    for folder in ("list", "network"):
        read = circuit(tmp_path / folder)
        assert read.node_populations == {"b", "c"}
        assert read.edge_populations == {"b to c"}
        assert sorted(zip(*edges_of(tmp_path / folder, "b to c").values(), strict=True)) == listed(
            projection
        )
    with pytest.raises(TypeError, match=r"network = .* must be .* populations and projections"):
        sim.to_sonata(tmp_path / "wrong", ["cells"])
    for wrong in (3, "cells"):
        with pytest.raises(TypeError, match=r"network = .*must be a pyNN.network.Network"):
            sim.to_sonata(tmp_path / "wrong", wrong)
    assert not (tmp_path / "wrong").exists()
    sim.to_sonata(tmp_path / "view", two[:2] + three)
    assert circuit(tmp_path / "view").node_populations == {"b", "c"}


def test_another_folder_is_never_overwritten(tmp_path: Path) -> None:
    sim.setup(timestep=0.1)
    sim.Population(3, sim.IF_curr_exp(), label="cells")
    folder = tmp_path / "net"
    sim.to_sonata(folder)
    before = (folder / "circuit_config.json").read_bytes()
    sim.Population(2, sim.IF_curr_exp(), label="more")
    with pytest.raises(SonataError, match="overwrite=True"):
        sim.to_sonata(folder)
    assert (folder / "circuit_config.json").read_bytes() == before
    sim.to_sonata(folder, overwrite=True)
    assert circuit(folder).node_populations == {"cells", "more"}
    (folder / "thesis.tex").write_text("precious")
    with pytest.raises(SonataError, match=r"'thesis.tex', which belongs to no circuit"):
        sim.to_sonata(folder, overwrite=True)
    assert (folder / "thesis.tex").read_text() == "precious"
    (tmp_path / "file").write_text("")
    with pytest.raises(SonataError, match="is not a folder"):
        sim.to_sonata(tmp_path / "file", overwrite=True)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["file", "net"]


def test_what_cannot_be_written_leaves_the_folder_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim.setup(timestep=0.1)
    cells = sim.Population(3, sim.IF_curr_exp(), label="cells")
    synapse = sim.StaticSynapse(weight=0.1, delay=1.0)
    sim.Projection(cells, cells, sim.AllToAllConnector(), synapse)
    folder = tmp_path / "net"
    sim.to_sonata(folder)
    before = {each: each.read_bytes() for each in folder.rglob("*") if each.is_file()}

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pynn_sparse.interchange.sonata.writing.write_index", full)
    with pytest.raises(OSError, match="No space"):
        sim.to_sonata(folder, overwrite=True)
    assert {each: each.read_bytes() for each in folder.rglob("*") if each.is_file()} == before
    assert [each.name for each in tmp_path.iterdir()] == ["net"]


def test_without_h5py_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim.setup(timestep=0.1)
    sim.Population(3, sim.IF_curr_exp())
    sim.to_sonata(tmp_path / "net")
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    for attempt in (
        lambda: sim.to_sonata(tmp_path / "b"),
        lambda: sim.from_sonata(tmp_path / "net"),
    ):
        with pytest.raises(ImportError, match=r"pip install 'pynn-sparse\[sonata\]'"):
            attempt()
    assert not (tmp_path / "b").exists()
