"""Damaged SONATA files, and those that do not fit together: one error, and nothing is made."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
from pyNN.random import NumpyRNG

from pynn_sparse.errors import SonataError
from pynn_sparse.interchange import sonata
from pynn_sparse.interchange.sonata import indices

h5py = pytest.importorskip("h5py")
EDGES = "network/edges_000_plain.h5"
CELLS = "network/nodes_001_cells.h5"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    sim.setup(timestep=0.1)
    times = [[float(i), 9.0] for i in range(5)]
    source = sim.Population(5, sim.SpikeSourceArray(spike_times=times), label="source")
    cells = sim.Population(6, sim.IF_curr_exp(tau_m=lambda i: 10.0 + i), label="cells")
    connector = sim.FixedProbabilityConnector(0.6, rng=NumpyRNG(seed=2))
    synapse = sim.StaticSynapse(weight=0.2, delay=1.0)
    sim.Projection(source, cells[1:5], connector, synapse, label="plain")
    depressing = sim.TsodyksMarkramSynapse(weight=0.2, delay=1.0, U=np.linspace(0.1, 0.9, 36)
                                           .reshape(6, 6))  # fmt: skip
    sim.Projection(cells, cells, sim.AllToAllConnector(), depressing, label="depressing")
    cells.inject(sim.StepCurrentSource(times=[1.0], amplitudes=[0.5]))
    folder = tmp_path_factory.mktemp("written") / "net"
    sim.to_sonata(folder)
    return folder


@pytest.fixture
def folder(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "net"))


def refused(folder: Path, match: str = "") -> str:
    """The message, after which there is as much as before: one population."""
    sim.setup(timestep=0.1)
    sim.Population(2, sim.IF_curr_exp(), label="before")
    state = sim.simulator.state
    with pytest.raises(SonataError, match=match) as caught:
        sim.from_sonata(folder)
    network = state.network
    assert [block.size for block in network.blocks] == [2]
    made = network.tables, network.junctions, network.injections, state.projections
    assert made == ([], [], [], [])
    assert network.size == 2
    assert len(state.recorders) == 1
    return str(caught.value)


def change(path: Path, edit: Callable[[Any], None]) -> None:
    with h5py.File(path, "r+") as file:
        edit(file)


def replace(group: str, name: str, data: Any) -> Callable[[Any], None]:
    def edit(file: Any) -> None:
        attributes = dict(file[group][name].attrs)
        del file[group][name]
        file[group][name] = data
        file[group][name].attrs.update(attributes)

    return edit


WRONG: dict[str, tuple[str, Callable[[Any], None], str]] = {
    "a node that is not there": (
        EDGES, lambda f: f["edges/plain/source_node_id"].__setitem__(0, 5), "node 5 is not in",
    ),
    "a population that is not there": (
        EDGES, lambda f: f["edges/plain/source_node_id"].attrs.update(node_population="none"),
        "no node population 'none'",
    ),
    "another length": (
        EDGES, replace("edges/plain", "target_node_id", np.zeros(3, "u8")), "has 3 rows",
    ),
    "rows beyond the group": (
        CELLS, lambda f: f["nodes/cells/node_group_index"].__setitem__(2, 900), "900 is not a row",
    ),
    "columns of different lengths": (
        CELLS, replace("nodes/cells/0", "x", np.zeros(4)), "different lengths",
    ),
    "an unknown type": (
        CELLS, replace("nodes/cells", "node_type_id", np.full(6, 77)), "node_type_id 77",
    ),
    "two nodes of one id": (
        CELLS, replace("nodes/cells", "node_id", np.array([0, 1, 2, 3, 4, 4])), "occurs twice",
    ),
    "text for numbers": (
        CELLS, replace("nodes/cells/0/dynamics_params", "tau_m", ["a"] * 6), "must be numbers",
    ),
    "a parameter that the model does not have": (
        CELLS, lambda f: f["nodes/cells/0/dynamics_params"].move("tau_m", "tau_n"), "'tau_n'",
    ),
    "a value that the model cannot have": (
        CELLS, replace("nodes/cells/0/dynamics_params", "tau_m", np.full(6, -3.0)), "tau_m = -3",
    ),
    "a delay below the time step": (
        EDGES, lambda f: f["edges/plain/0/delay"].__setitem__(slice(None), 0.01), "delay = 0.01",
    ),
    "a weight that is no number": (
        EDGES, lambda f: f["edges/plain/0/syn_weight"].__setitem__(0, np.nan), "weight = nan",
    ),
    "several weights for an edge": (
        EDGES,
        lambda f: replace(
            "edges/plain/0", "syn_weight", np.ones((len(f["edges/plain/0/delay"]), 2))
        )(f),
        "one number for each edge",
    ),
    "no weights": (EDGES, lambda f: f.pop("edges/plain/0/syn_weight"), "neither syn_weight"),
    "no edges": (EDGES, lambda f: f.pop("edges"), "has no edges"),
    "a data set for a group": (
        EDGES, lambda f: (f.pop("edges"), f.create_dataset("edges", data=[1])), "must be a group",
    ),
    "another kind of file": (
        EDGES, lambda f: f.attrs.update(magic=np.uint32(7)), "magic = 7",
    ),
    "an edge outside its node set": (
        EDGES, lambda f: f["edges/plain/target_node_id"].__setitem__(0, 0), "not in its node sets",
    ),
    "more than the memory holds": (
        EDGES, lambda f: (f.pop("edges/plain/edge_type_id"), f["edges/plain"].create_dataset(
            "edge_type_id", (10**14,), "u4", chunks=(1024,))), "GiB",
    ),
    "a link to another file": (
        EDGES, lambda f: (f.pop("edges/plain/0"), f["edges/plain"].__setitem__(
            "0", h5py.ExternalLink("/etc/passwd", "/"))), "link to another file",
    ),
    "data in another file": (
        EDGES, lambda f: (f.pop("edges/plain/0/delay"), f["edges/plain/0"].create_dataset(
            "delay", (3,), "f8", external=[("/etc/passwd", 0, 24)])), "in another file",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_what_does_not_fit_is_named_with_its_file(what: str, folder: Path) -> None:
    name, edit, message = WRONG[what]
    change(folder / name, edit)
    assert (folder / name).name in refused(
        folder, message
    ) or what == "an edge outside its node set"


JSON: dict[str, tuple[str, Callable[[dict[str, Any]], Any], str]] = {
    "a list": ("circuit_config.json", lambda c: [1], "must be a JSON object"),
    "a missing file": (
        "circuit_config.json",
        lambda c: c["networks"]["nodes"][0].update(nodes_file="no.h5"), "no.h5: there is no such",
    ),
    "an unknown variable": (
        "circuit_config.json",
        lambda c: c["networks"]["nodes"][0].update(nodes_file="$OTHER/no.h5"),
        r"no variable \$OTHER",
    ),
    "variables in a circle": (
        "circuit_config.json",
        lambda c: c["manifest"].update({"$BASE_DIR": "$NETWORK_DIR"}), "refer to each other",
    ),
    "a number for a path": (
        "circuit_config.json",
        lambda c: c["networks"]["nodes"][0].update(nodes_file=3), "must be a path",
    ),
    "a file twice": (
        "circuit_config.json",
        lambda c: c["networks"]["edges"].append(c["networks"]["edges"][0]), "several times",
    ),
    "a text for a time step": (
        "simulation_config.json", lambda c: c["run"].update(dt="fast"), "dt = 'fast'",
    ),
    "an unknown module": (
        "simulation_config.json",
        lambda c: c["inputs"]["current 0"].update(module="Ramp"), "'Ramp' is not supported",
    ),
    "a wrong current": (
        "simulation_config.json",
        lambda c: c["inputs"]["current 0"].update(times=[5.0, 1.0], amplitudes=[1.0, 1.0]),
        "must be increasing",
    ),
    "a current into sources": (
        "simulation_config.json",
        lambda c: c["inputs"]["current 0"].update(node_set="source"), "spike source",
    ),
    "spikes of cells that are not virtual": (
        "simulation_config.json",
        lambda c: c["inputs"]["spikes of source"].update(node_set="cells"), "no spikes of 'cells'",
    ),
    "an unknown node set": (
        "simulation_config.json",
        lambda c: c["inputs"]["current 0"].update(node_set="none"), "'none'",
    ),
    "node sets in a circle": (
        "node_sets.json", lambda c: c.update(cells=["cells"]), "refer to each other",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", JSON)
def test_what_is_wrong_in_a_configuration_is_named(what: str, folder: Path) -> None:
    name, edit, message = JSON[what]
    content = json.loads((folder / name).read_text())
    changed = edit(content)
    (folder / name).write_text(json.dumps(changed if isinstance(changed, list) else content))
    refused(folder, message)


def test_only_plain_files_are_read(folder: Path) -> None:
    (folder / EDGES).unlink()
    os.mkfifo(folder / EDGES)
    refused(folder, "must be a plain file")


def test_a_file_cut_or_altered_anywhere_is_refused_or_read(folder: Path) -> None:
    """Never another exception; and if refused, nothing is made."""
    rng = np.random.default_rng(3)
    messages = []
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        data = path.read_bytes()
        for trial in range(6):
            if trial % 2:
                path.write_bytes(data[: rng.integers(0, len(data))])
            else:
                altered = bytearray(data)
                for place in rng.integers(0, len(data), 4):
                    altered[place] = rng.integers(0, 256)
                path.write_bytes(altered)
            try:
                sonata.read(folder)
            except SonataError as error:
                messages.append(str(error))
        path.write_bytes(data)
    assert len(messages) > 20
    assert all(str(folder) in message for message in messages)
    sonata.read(folder)


def test_an_empty_folder_says_what_it_must_have(tmp_path: Path) -> None:
    refused(tmp_path, r"none of the files simulation_config.json, circuit_config.json")
    refused(tmp_path / "missing", "there is no such file")


def test_reading_needs_a_simulation(written: Path) -> None:
    sim.setup(timestep=0.1)
    sim.end()
    with pytest.raises(RuntimeError, match=r"from_sonata: .*call setup"):
        sim.from_sonata(written)


def test_indices_of_edges_in_any_order() -> None:
    nodes = np.array([3, 3, 0, 3, 0, 0, 5])
    with h5py.File("memory", "w", driver="core", backing_store=False) as file:
        indices.write_index(file, "index", nodes, 7)
        ranges, edges = (
            file["index"][name][()] for name in ("node_id_to_ranges", "range_to_edge_id")
        )
    for node in range(7):
        own = [range(*edges[k].tolist()) for k in range(*ranges[node].tolist())]
        assert [edge for each in own for edge in each] == np.flatnonzero(nodes == node).tolist()
