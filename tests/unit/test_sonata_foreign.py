"""SONATA files of other programs: PyNN's own exporter, and networks of NEST models."""

from __future__ import annotations

import csv
import inspect
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyNN.mock
import pyNN.serialization
import pyNN.sparse as sim
import pytest
from pyNN.network import Network
from pyNN.random import NumpyRNG, RandomDistribution
from pyNN.serialization import export_to_sonata, import_from_sonata

from pynn_sparse.errors import SonataError

h5py = pytest.importorskip("h5py")
GREATEST = 32768  # connections whose numbers PyNN's 16 bits can hold


def exported(folder: Path, connections: int = 60, labels: tuple[str, str] = ("a", "b")) -> Any:
    """Two projections of another backend, by PyNN's exporter; returns the first."""
    mock = pyNN.mock
    mock.setup(timestep=0.1)
    rng = NumpyRNG(seed=1)
    n = int(np.ceil(np.sqrt(connections)))
    source = mock.Population(n, mock.SpikeSourceArray(), label="source")
    cells = mock.Population(n, mock.IF_cond_exp(tau_m=lambda i: 10.0 + i), label="cells")
    synapse = mock.StaticSynapse(
        weight=RandomDistribution("uniform", (0.01, 0.1), rng=rng),
        delay=RandomDistribution("uniform", (0.5, 2.0), rng=rng),
    )
    pairs = [(i, j) for i in range(n) for j in range(n)][:connections]
    first = mock.Projection(
        *(source, cells, mock.FromListConnector(pairs), synapse),
        receptor_type="excitatory",
        label=labels[0],
    )
    depressing = mock.TsodyksMarkramSynapse(weight=0.02, delay=1.0, U=0.3, tau_rec=60.0)
    second = mock.Projection(
        *(cells, cells, mock.OneToOneConnector(), depressing),
        receptor_type="inhibitory",
        label=labels[1],
    )
    export_to_sonata(Network(source, cells, first, second), str(folder))
    return first


@pytest.mark.filterwarnings("ignore:spike times should be added")
class TestFilesOfPyNN:
    def test_cells_weights_and_delays_are_read(self, tmp_path: Path) -> None:
        original = exported(tmp_path / "pynn")
        sim.setup(timestep=0.001)
        net = sim.from_sonata(tmp_path / "pynn")
        assert {(each.label, each.size) for each in net.populations} == {
            ("source", 8), ("cells", 8)
        }  # fmt: skip
        cells = net.get_component("cells")
        assert isinstance(cells.celltype, sim.IF_cond_exp)
        assert np.array_equal(cells.get("tau_m"), 10.0 + np.arange(8))
        read = net.get_component("a").get(["weight", "delay"], format="columns")
        expected = np.array(sorted(original.get(["weight", "delay"], format="list"),
                                   key=lambda row: (row[1], row[0])))  # fmt: skip
        assert np.array_equal(read["presynaptic_index"], expected[:, 0])
        assert np.array_equal(read["postsynaptic_index"], expected[:, 1])
        assert np.array_equal(read["weight"], expected[:, 2])
        assert np.allclose(read["delay"], expected[:, 3], atol=0.00051)  # on the grid
        depressing = net.get_component("b")
        assert isinstance(depressing.synapse_type, sim.TsodyksMarkramSynapse)
        assert depressing.receptor_type == "inhibitory"
        assert set(depressing.get("U", format="list", with_address=False)) == {0.3}

    def test_as_many_connections_as_16_bits_count_are_read(self, tmp_path: Path) -> None:
        original = exported(tmp_path / "pynn", GREATEST)
        sim.setup(timestep=0.1)
        read = sim.from_sonata(tmp_path / "pynn").get_component("a")
        assert len(read) == GREATEST
        expected = {row[:2]: row[2] for row in original.get(["weight"], format="list")}
        found = read.get("weight", format="columns")
        pairs = zip(found["presynaptic_index"], found["postsynaptic_index"], strict=True)
        assert found["weight"].tolist() == [expected[pair] for pair in pairs]

    def test_numbers_of_more_connections_are_damaged_which_is_said(self, tmp_path: Path) -> None:
        exported(tmp_path / "pynn", GREATEST + 1)
        sim.setup(timestep=0.1)
        with pytest.raises(SonataError, match=r"edges/a/edge_group_index.*16 bits"):
            sim.from_sonata(tmp_path / "pynn")
        assert sim.describe_network().neurons == 0

    def test_projections_that_overwrote_each_other_are_refused(self, tmp_path: Path) -> None:
        exported(tmp_path / "pynn", labels=("same", "same"))
        sim.setup(timestep=0.1)
        with pytest.raises(SonataError, match=r"edges_.*several times.*overwrite each other"):
            sim.from_sonata(tmp_path / "pynn")

    def test_paths_relative_to_the_working_folder_are_found(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        exported(Path("pynn"))
        sim.setup(timestep=0.1)
        assert len(sim.from_sonata("pynn").projections) == 2


def test_the_exporter_of_pynn_gives_the_files_of_this_backend(tmp_path: Path) -> None:
    """By the names that PyNN's modules have for it; the function of PyNN itself stays as it is."""
    export_to_sonata = pyNN.serialization.export_to_sonata
    assert export_to_sonata is pyNN.serialization.sonata.export_to_sonata
    assert (
        inspect.unwrap(export_to_sonata).__code__.co_filename == pyNN.serialization.sonata.__file__
    )
    sim.setup(timestep=0.1)
    cells = sim.Population(200, sim.IF_curr_exp(), label="cells")
    synapse = sim.StaticSynapse(weight=np.arange(40000.0).reshape(200, 200), delay=1.0)
    projection = sim.Projection(
        cells, cells, sim.AllToAllConnector(), synapse, receptor_type="excitatory", label="all"
    )
    net = Network(cells, projection)
    export_to_sonata(net, str(tmp_path / "net"))
    with h5py.File(tmp_path / "net" / "network" / "edges_000_all.h5") as file:
        assert np.array_equal(file["edges/all/edge_group_index"], np.arange(40000))
    read = import_from_sonata(str(tmp_path / "net" / "circuit_config.json"), sim)
    (copy,) = read.projections
    for name in ("weight", "delay"):
        assert np.array_equal(copy.get(name, "array"), projection.get(name, "array"))
    with pytest.raises(ValueError, match="target = 'neuron'"):
        export_to_sonata(net, str(tmp_path / "other"), target="neuron")
    with pytest.raises(SonataError, match="not empty"):
        export_to_sonata(net, str(tmp_path / "net"))
    export_to_sonata(net, str(tmp_path / "net"), overwrite=True)


# --- networks of NEST models, as the Brain Modeling Toolkit writes them --------------------------

CELLS = {"E_L": -70.0, "C_m": 200.0, "tau_m": 15.0, "t_ref": 3.0, "V_th": -50.0, "V_reset": -65.0}
NODE_TYPES = (
    (100, "e", {"I_e": 350.0, **CELLS}),
    (101, "i", {"I_e": 300.0, **CELLS, "V_th": -52.0}),
)
DT, END = 0.1, 200.0


def network_of_nest(folder: Path, model: str = "iaf_psc_alpha") -> dict[str, Any]:
    """12 neurons of two types, and 5 virtual nodes whose spikes are given; what there is in it."""
    rng = np.random.default_rng(4)
    n, virtual = 12, 5
    types = np.where(np.arange(n) < 8, 100, 101)
    (folder / "network").mkdir(parents=True)
    (folder / "models").mkdir()
    for identifier, _, parameters in NODE_TYPES:
        (folder / "models" / f"{identifier}.json").write_text(json.dumps(parameters))
    (folder / "models" / "static.json").write_text("{}")
    parameter_files = [f"{identifier}.json" for identifier, _, _ in NODE_TYPES]
    _table(folder / "network/node_types.csv", [
        ["node_type_id", "ei", "model_template", "model_type", "dynamics_params"],
        *([str(i), ei, f"nest:{model}", "point_process", file]
          for (i, ei, _), file in zip(NODE_TYPES, parameter_files, strict=True)),
    ])  # fmt: skip
    _table(folder / "network/virtual_types.csv", [["node_type_id", "model_type"], ["7", "virtual"]])
    _nodes(folder / "network/nodes.h5", "cells", types)
    _nodes(folder / "network/virtual.h5", "input", np.full(virtual, 7))
    source, target = np.nonzero(rng.random((n, n)) < 0.4)
    inside = {
        "source": source,
        "target": target,
        "weight": np.where(types[source] == 100, 40.0, -80.0) * rng.uniform(0.5, 1.0, len(source)),
        "type": types[source],
    }
    source, target = np.nonzero(rng.random((virtual, n)) < 0.7)
    outside = {
        "source": source,
        "target": target,
        "weight": np.full(len(source), 60.0),
        "type": np.full(len(source), 5),
        "nsyns": rng.integers(1, 4, len(source)),
    }
    _edges(folder / "network/inside.h5", "cells_to_cells", "cells", "cells", inside)
    _edges(folder / "network/outside.h5", "input_to_cells", "input", "cells", outside)
    head = ["edge_type_id", "target_query", "source_query", "dynamics_params", "model_template"]
    rest = ["*", "ei=='e'&x", "static.json", "static_synapse"]
    _table(folder / "network/inside.csv",
           [[*head, "delay"], ["100", *rest, "2.0"], ["101", *rest, "1.5"]])  # fmt: skip
    _table(folder / "network/outside.csv", [head, ["5", *rest]])  # no delay: NEST's own
    spikes = np.sort(np.rint(rng.uniform(1.0, END, 300) / DT)) * DT
    node = rng.integers(0, virtual, 300)
    with h5py.File(folder / "spikes.h5", "w") as file:
        file["spikes/gids"], file["spikes/timestamps"] = node.astype("u8"), spikes
    _configurations(folder)
    return {"types": types, "inside": inside, "outside": outside, "spikes": (node, spikes)}


def _table(path: Path, rows: list[list[str]]) -> None:
    with path.open("w") as file:
        csv.writer(file, delimiter=" ").writerows(rows)


def _nodes(path: Path, name: str, types: np.ndarray) -> None:
    with h5py.File(path, "w") as file:
        group = file.create_group(f"nodes/{name}")
        group["node_id"] = group["node_group_index"] = np.arange(len(types), dtype="u8")
        group["node_group_id"], group["node_type_id"] = np.zeros(len(types), "u4"), types
        group.create_group("0")


def _edges(path: Path, name: str, pre: str, post: str, edges: dict[str, Any]) -> None:
    n = len(edges["source"])
    with h5py.File(path, "w") as file:
        group = file.create_group(f"edges/{name}")
        for end, population in (("source", pre), ("target", post)):
            group[f"{end}_node_id"] = edges[end].astype("u8")
            group[f"{end}_node_id"].attrs["node_population"] = population
        group["edge_group_id"], group["edge_type_id"] = np.zeros(n, "u2"), edges["type"]
        group["edge_group_index"] = np.arange(n, dtype="u4")[::-1]  # rows in another order
        group["0/syn_weight"] = edges["weight"][::-1]
        if "nsyns" in edges:
            group["0/nsyns"] = edges["nsyns"][::-1].astype("u2")


def _configurations(folder: Path) -> None:
    manifest = {"$BASE_DIR": "${configdir}", "$NETWORK_DIR": "$BASE_DIR/network"}

    def files(element: str, *names: tuple[str, str]) -> list[dict[str, str]]:
        return [
            {
                f"{element}s_file": f"$NETWORK_DIR/{h5}",
                f"{element}_types_file": f"$NETWORK_DIR/{types}",
            }
            for h5, types in names
        ]

    (folder / "circuit_config.json").write_text(json.dumps({
        "manifest": manifest,
        "target_simulator": "NEST",
        "components": {"point_neuron_models_dir": "$BASE_DIR/models",
                       "synaptic_models_dir": "$BASE_DIR/models"},
        "networks": {
            "nodes": files("node", ("nodes.h5", "node_types.csv"),
                           ("virtual.h5", "virtual_types.csv")),
            "edges": files("edge", ("inside.h5", "inside.csv"), ("outside.h5", "outside.csv")),
        },
    }))  # fmt: skip
    (folder / "node_sets.json").write_text(json.dumps({
        "given": {"population": "input"},
        "inhibitory": {"population": "cells", "ei": "i"},
        "some": ["inhibitory", "two"],
        "two": {"population": "cells", "node_id": [0, 3]},
    }))  # fmt: skip
    (folder / "simulation_config.json").write_text(json.dumps({
        "manifest": manifest,
        "network": "$BASE_DIR/circuit_config.json",
        "node_sets_file": "$BASE_DIR/node_sets.json",
        "run": {"tstop": END, "dt": DT},
        "inputs": {
            "spikes": {"input_type": "spikes", "module": "h5", "node_set": "given",
                       "input_file": "$BASE_DIR/spikes.h5"},
            "current": {"input_type": "current_clamp", "module": "IClamp", "node_set": "some",
                        "amp": 120.0, "delay": 30.0, "duration": 60.0},
        },
    }))  # fmt: skip


def simulated_by_nest(network: dict[str, Any], model: str) -> list[list[float]]:
    nest = pytest.importorskip("nest")
    nest.ResetKernel()
    nest.SetKernelStatus({"resolution": DT, "print_time": False})
    nest.set_verbosity("M_ERROR")
    parameters = {identifier: values for identifier, _, values in NODE_TYPES}
    cells = [nest.Create(model, params=parameters[int(t)]) for t in network["types"]]
    node, time = network["spikes"]
    inputs = [
        nest.Create("spike_generator", params={
            "spike_times": time[node == i], "allow_offgrid_times": True})
        for i in range(5)
    ]  # fmt: skip
    delays = {100: 2.0, 101: 1.5, 5: 1.0}
    for sources, edges in ((cells, network["inside"]), (inputs, network["outside"])):
        several = edges.get("nsyns", np.ones(len(edges["source"])))
        columns = zip(
            *(edges[k] for k in ("source", "target", "weight", "type")), several, strict=True
        )
        for i, j, weight, kind, count in columns:
            synapse = {"weight": float(weight * count), "delay": delays[int(kind)]}
            nest.Connect(sources[i], cells[j], syn_spec=synapse)
    # A generator's current takes the delay of its connections, 1 ms, to arrive.
    clamp = nest.Create("dc_generator", params={"amplitude": 120.0, "start": 29.0, "stop": 89.0})
    for place in (0, 3, 8, 9, 10, 11):
        nest.Connect(clamp, cells[place])
    recorder = nest.Create("spike_recorder")
    for cell in cells:
        nest.Connect(cell, recorder)
    nest.Simulate(END + 1.0)
    events = recorder.get("events")
    return [sorted(events["times"][events["senders"] == cell.global_id].tolist()) for cell in cells]


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning:nest")
@pytest.mark.parametrize("model", ["iaf_psc_alpha", "iaf_psc_exp"])
def test_a_network_of_nest_models_spikes_as_in_nest(tmp_path: Path, model: str) -> None:
    network = network_of_nest(tmp_path / "net", model)
    sim.setup(timestep=DT)
    cells = sim.from_sonata(tmp_path / "net").get_component("cells")
    cells.record("spikes")
    sim.run(END)
    trains = cells.get_data().segments[0].spiketrains
    expected = simulated_by_nest(network, model)
    assert sum(map(len, expected)) > 60
    for train, times in zip(trains, expected, strict=True):
        assert np.allclose(train.magnitude, [t for t in times if t <= END], atol=1e-9)


@pytest.mark.parametrize(
    "model", ["iaf_psc_alpha", "iaf_psc_exp", "iaf_psc_delta", "iaf_cond_alpha", "iaf_cond_exp"]
)
def test_parameters_left_out_are_those_of_nest(model: str) -> None:
    nest = pytest.importorskip("nest")
    from pyNN.sparse.sonata.models import NEST_MODELS

    defaults = nest.GetDefaults(model)
    values, initial = NEST_MODELS[model].translate({})
    expected = {
        "v_rest": defaults["E_L"],
        "cm": defaults["C_m"] / 1000,
        "tau_refrac": defaults["t_ref"],
        "v_thresh": defaults["V_th"],
        "v_reset": defaults["V_reset"],
        "i_offset": defaults["I_e"] / 1000,
        "tau_m": defaults["tau_m"] if "psc" in model else defaults["C_m"] / defaults["g_L"],
    }
    pairs = {
        "tau_syn_E": "tau_syn_ex",
        "tau_syn_I": "tau_syn_in",
        "e_rev_E": "E_ex",
        "e_rev_I": "E_in",
    }
    expected |= {own: defaults[name] for own, name in pairs.items() if name in defaults}
    assert values == pytest.approx(expected)
    assert initial == {"v": defaults["V_m"]}
    names = set(defaults) & NEST_MODELS[model].parameters
    assert names == NEST_MODELS[model].parameters


def test_what_is_not_supported_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "net"
    network_of_nest(folder)
    changes = {
        "network/node_types.csv": ("nest:iaf_psc_alpha", "nest:hh_psc_alpha", "hh_psc_alpha"),
        "network/virtual_types.csv": ("virtual", "biophysical", "biophysical"),
        "network/inside.csv": ("static_synapse", "stdp_synapse", "stdp_synapse"),
        "simulation_config.json": ("current_clamp", "voltage_clamp", "voltage_clamp"),
        "models/100.json": ("V_th", "V_thres", "V_thres"),
        "node_sets.json": ('"inhibitory", ', '"missing", ', "missing"),
    }
    for name, (old, new, named) in changes.items():
        text = (folder / name).read_text()
        assert old in text
        (folder / name).write_text(text.replace(old, new))
        sim.setup(timestep=DT)
        with pytest.raises(SonataError, match=named):
            sim.from_sonata(folder)
        assert sim.describe_network().neurons == 0
        (folder / name).write_text(text)
    sim.setup(timestep=DT)
    assert sim.from_sonata(folder).count_neurons() == 17
