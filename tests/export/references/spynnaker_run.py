"""Builds the networks of folders in sPyNNaker on a virtual board, and keeps what it would load.

    python spynnaker_run.py STEPS FOLDER...

reads `manifest.json` and `source.npz` and writes `reference.npz`: `<population>/<first>/<region>`
with the words of SynBlocks, PopTable, SynapseParams and neuron_params of each core with neurons
(the last has none where parameters that are the same for all are expanded on the chip),
`<population>/scales`, and `keys` [cores that send, (population, first, cells, key, mask)]. Needs
sPyNNaker, which reads its settings from the home directory: a scratch one takes its place.
"""

import atexit
import json
import os
import shutil
import sqlite3
import sys
import tempfile
from pathlib import Path

import numpy as np

VERSIONS = {"spinnaker1": 5, "spinnaker2": 248}  # boards with 48 chips
REGIONS = ("SynBlocks", "PopTable", "SynapseParams", "neuron_params")


def settings(version):
    Path(".spynnaker.cfg").write_text(
        f"[Machine]\nversion = {version}\nvirtual_board = True\n"
        "[Reports]\nwrite_network_graph = False\n"
    )


def starting(arrays, prefix):
    return {name[len(prefix) :]: arrays[name] for name in arrays if name.startswith(prefix)}


def population(sim, index, about, arrays, dt, options):
    parameters = starting(arrays, f"cells{index} ")
    size, label = about["size"], about["label"]
    if about["model"] == "SpikeSourceArray":
        cell, step = arrays[f"spikes{index}"].T
        times = [sorted((step[cell == i] * dt).tolist()) for i in range(size)]
        return sim.Population(size, sim.SpikeSourceArray(times), label=label)
    if about["model"] == "SpikeSourcePoisson":
        source = sim.SpikeSourcePoisson(rate=parameters["rate"].tolist())
        return sim.Population(size, source, label=label)
    most = options["max_expected_summed_weight"]
    made = sim.Population(
        size,
        sim.IF_curr_exp(**{name: each.tolist() for name, each in parameters.items()}),
        label=label,
        additional_parameters={
            "neurons_per_core": options["neurons_per_core"],
            "ring_buffer_sigma": options["ring_buffer_sigma"],
            "spikes_per_second": options["spikes_per_second"],
            "max_expected_summed_weight": None if most is None else [most, most],
            "n_synapse_cores": 0,
        },
    )
    made.initialize(v=arrays[f"initial{index} v"].tolist())
    return made


def connect(sim, index, about, arrays, populations, dt):
    part = starting(arrays, f"synapses{index} ")
    source = np.repeat(np.arange(len(part["start"]) - 1), np.diff(part["start"]))
    if not len(source):
        return
    rows = np.stack([source, part["target"], part["weight"], part["delay"] * dt], axis=1)
    sim.Projection(
        populations[about["pre"]],
        populations[about["post"]],
        sim.FromListConnector(rows),
        sim.StaticSynapse(),
        receptor_type=about["receptor"],
    )


def loaded(populations):
    """What the virtual board would get."""
    from spynnaker.pyNN.data import SpynnakerDataView

    number = {each._vertex: i for i, each in enumerate(populations)}
    database = sqlite3.connect(SpynnakerDataView.get_ds_database_path())
    query = "SELECT content FROM region WHERE x = ? AND y = ? AND p = ? AND region_label = ?"
    routing, keys, found = SpynnakerDataView.get_routing_infos(), [], {}
    for placement in SpynnakerDataView.iterate_placemements():
        vertex = placement.vertex
        if vertex.app_vertex not in number:
            continue
        i, cells = number[vertex.app_vertex], vertex.vertex_slice
        place = placement.x, placement.y, placement.p
        for region in REGIONS:
            for (content,) in database.execute(query, (*place, region)):
                words = np.frombuffer(content or b"", "<u4")
                found[f"{i}/{cells.lo_atom}/{region}"] = words
        for partition in routing.get_partitions_from(vertex):
            info = routing.get_info_from(vertex, partition)
            keys.append((i, cells.lo_atom, cells.n_atoms, info.key, info.mask))
        if hasattr(vertex.app_vertex, "get_ring_buffer_shifts"):
            shifts = vertex.app_vertex.get_ring_buffer_shifts()
            found[f"{i}/scales"] = vertex.app_vertex.get_weight_scales(shifts)
    database.close()
    return found | {"keys": np.array(sorted(keys), np.int64).reshape(-1, 5)}


def run(folder, steps):
    manifest = json.loads((folder / "manifest.json").read_text())
    arrays = dict(np.load(folder / "source.npz"))
    dt, target = manifest["time_step_ms"], manifest["target"]
    settings(VERSIONS[target["name"]])
    import pyNN.spiNNaker as sim  # noqa: N813

    sim.setup(dt)
    source = manifest["source"]
    populations = [
        population(sim, index, about, arrays, dt, target["options"])
        for index, about in enumerate(source["cells"])
    ]
    for index, about in enumerate(source["connections"]):
        connect(sim, index, about, arrays, populations, dt)
    sim.run(steps * dt)
    np.savez(folder / "reference.npz", **loaded(populations))
    sim.end()


def main():
    folders = [Path(each).resolve() for each in sys.argv[2:]]
    home = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, home, ignore_errors=True)  # after sPyNNaker's last words
    os.environ["HOME"] = home
    os.chdir(home)
    for each in folders:
        run(each, int(sys.argv[1]))


if __name__ == "__main__":
    main()
