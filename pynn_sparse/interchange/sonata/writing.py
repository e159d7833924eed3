"""The files of a circuit, written beside their folder and then moved there."""

from __future__ import annotations

import json
import os
import re
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import SonataError
from ...replacing import synchronise
from .circuit import Circuit, EdgePopulation, NodePopulation, Part
from .config import CIRCUIT, SIMULATION
from .hdf5 import created, h5py, put, put_vectors
from .indices import write_index
from .parts import DYNAMICS
from .spikes import write_spikes
from .types import types_table

# What a folder may hold that is written anew.
OURS = {CIRCUIT, SIMULATION, "node_sets.json", "network", "inputs", "output"}
OF_PYNN = {"networks", "components"}


def write(
    circuit: Circuit,
    folder: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    for_pynn: bool = False,
) -> Path:
    """Write a circuit; afterwards the folder has all of it, or is as it was.

    Each population has one part, and its nodes are called by their places.

    Args:
        circuit: what to write.
        folder: made if it is not there.
        overwrite: whether the files of another circuit may be there; they go.
        for_pynn: whether the configurations are as `import_from_sonata` of PyNN wants them: with
            absolute paths, so that the folder cannot be moved, and with the target simulator of
            the circuit, which libsonata refuses unless it is NEURON.

    Returns the path of the simulation's configuration. Raises SonataError where the folder holds
    something else, or without `overwrite` anything; ImportError without h5py.
    """
    h5py()
    path = Path(folder).absolute()
    _check_free(path, overwrite)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as beside:
        new, old = Path(beside, "new"), Path(beside, "old")
        new.mkdir()
        _write(circuit, new, str(path) if for_pynn else None)
        for each in (*new.rglob("*"), new):  # before they get their names
            synchronise(each)
        if path.exists():
            path.rename(old)
        try:
            new.rename(path)
        except OSError:
            if old.exists():
                old.rename(path)
            raise
    return path / SIMULATION


def _check_free(path: Path, overwrite: bool) -> None:
    if path.is_symlink() or (path.exists() and not path.is_dir()):
        raise SonataError(f"{path}: exists and is not a folder")
    inside = {each.name for each in path.iterdir()} if path.exists() else set()
    foreign = sorted(inside - OURS - OF_PYNN)
    if foreign:
        raise SonataError(
            f"{path}: has {foreign[0]!r}, which belongs to no circuit; give another folder"
        )
    if inside and not overwrite:
        raise SonataError(f"{path}: is not empty; overwrite=True replaces the circuit in it")


def _write(circuit: Circuit, folder: Path, base: str | None) -> None:
    network = folder / "network"
    network.mkdir()
    sizes = {each.name: each.size for each in circuit.nodes}
    entries: dict[str, list[Any]] = {"nodes": [], "edges": []}
    for number, nodes in enumerate(circuit.nodes):
        files = _files("node", number, nodes.name)
        _write_nodes(network / files[0], number, nodes)
        entries["nodes"].append(_entry(network, "node", files, number, nodes))
    for number, edges in enumerate(circuit.edges):
        files = _files("edge", number, edges.name)
        _write_edges(network / files[0], number, edges, sizes)
        entries["edges"].append(_entry(network, "edge", files, number, edges))
    manifest = {"$BASE_DIR": base or "."}
    sets = {"node_sets_file": "$BASE_DIR/node_sets.json"}
    target = {"target_simulator": circuit.simulator}
    _write_json(
        folder / CIRCUIT,
        {
            "manifest": manifest | {"$NETWORK_DIR": "$BASE_DIR/network"},
            **(target if base else {}),
            **sets,
            "components": {},
            "networks": entries,
        },
    )
    _write_node_sets(folder / "node_sets.json", circuit.node_sets)
    _write_json(
        folder / SIMULATION,
        {
            "manifest": manifest,
            **target,
            **sets,
            "network": f"$BASE_DIR/{CIRCUIT}",
            "run": {"tstop": circuit.tstop, "dt": circuit.dt, "random_seed": circuit.seed},
            "inputs": _inputs(circuit, folder),
            "output": {
                "output_dir": "$BASE_DIR/output",
                "spikes_file": "spikes.h5",
                "spikes_sort_order": "by_id",
            },
            "reports": {},
        },
    )
    if circuit.recorded:
        (folder / "output").mkdir()
        write_spikes(folder / "output" / "spikes.h5", circuit.recorded)


def _files(element: str, number: int, name: str) -> tuple[str, str]:
    stem = f"{number:03d}_{_for_files(name)}"
    return f"{element}s_{stem}.h5", f"{element}_types_{stem}.csv"


def _entry(
    folder: Path,
    element: str,
    files: tuple[str, str],
    number: int,
    population: NodePopulation | EdgePopulation,
) -> dict[str, Any]:
    """Write the table of types; returns what the configuration says of both files."""
    (part,) = population.parts
    values = part.attributes | part.dynamics
    if len(part.index):  # all but strings are in the other file
        values = {name: each for name, each in values.items() if isinstance(each, str)}
    values = {name: each for name, each in values.items() if np.ndim(each) == 0}
    row = {f"{element}_type_id": number, "population": population.name, **values}
    (folder / files[1]).write_text(types_table([row]), "utf-8")
    return {
        f"{element}s_file": f"$NETWORK_DIR/{files[0]}",
        f"{element}_types_file": f"$NETWORK_DIR/{files[1]}",
        "populations": {population.name: {"type": _kind(element, part)}},
    }


def _for_files(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9.-]+", "_", name)[:40]


def _kind(element: str, part: Part) -> str:
    """What a population consists of, as some programs want to know beforehand."""
    if element == "node":
        return part.text("model_type")
    return "electrical" if "Electrical" in part.text("model_template") else "chemical"


def _write_json(path: Path, value: Any) -> None:
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", "utf-8")


def _write_node_sets(path: Path, sets: dict[str, Any]) -> None:
    """A line for each set, since some have thousands of nodes."""
    lines = (
        f"  {json.dumps(name, ensure_ascii=False)}: {json.dumps(each, ensure_ascii=False)}"
        for name, each in sets.items()
    )
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")


def _write_population(root: Any, element: str, number: int, name: str, n: int, part: Part) -> Any:
    """The data sets that nodes and edges have in common; returns the population's group."""
    population = root.create_group(f"{element}s").create_group(name)
    put(population, f"{element}_type_id", number, n, np.uint32)
    put(population, f"{element}_group_id", 0, n, np.uint32)
    put(population, f"{element}_group_index", np.arange(n), n, np.uint64)
    group = population.create_group("0")
    parameters = group.create_group(DYNAMICS)
    for below, values in ((group, part.attributes), (parameters, part.dynamics)):
        for key, value in values.items():
            if isinstance(value, str):
                continue  # in the table of types
            if isinstance(value, list) or (isinstance(value, np.ndarray) and value.dtype == object):
                rows = [value] * n if isinstance(value, list) else list(value)
                put_vectors(below, key, [np.asarray(row, np.float64) for row in rows])
            else:
                put(below, key, value, n)
    return population


def _write_nodes(path: Path, number: int, nodes: NodePopulation) -> None:
    (part,) = nodes.parts
    with created(path) as file:
        group = _write_population(file, "node", number, nodes.name, nodes.size, part)
        put(group, "node_id", np.arange(nodes.size), nodes.size, np.uint64)
        group.attrs["label"] = nodes.label


def _write_edges(path: Path, number: int, edges: EdgePopulation, sizes: dict[str, int]) -> None:
    (part,) = edges.parts
    ends = (
        ("source", edges.source_population, edges.source, edges.ends[0]),
        ("target", edges.target_population, edges.target, edges.ends[1]),
    )
    with created(path) as file:
        n = len(edges.source)
        group = _write_population(file, "edge", number, edges.name, n, part)
        group.attrs["label"] = edges.label
        group.attrs["projection"] = edges.projection
        indices = group.create_group("indices")
        for (end, population, nodes, node_set), index in zip(
            ends, ("source_to_target", "target_to_source"), strict=True
        ):
            data = put(group, f"{end}_node_id", nodes, n, np.uint64)
            data.attrs["node_population"] = population
            if node_set:
                group.attrs[f"{end}_node_set"] = node_set
            write_index(indices, index, nodes, sizes[population])
        own = group["0"]
        if "delay" in own:  # where PyNN looks for it; the same data under a second name
            own[DYNAMICS]["delay"] = own["delay"]


def _inputs(circuit: Circuit, folder: Path) -> dict[str, Any]:
    inputs: dict[str, Any] = {}
    for number, (name, spikes) in enumerate(circuit.spikes.items()):
        (folder / "inputs").mkdir(exist_ok=True)
        file = f"spikes_{number:03d}_{_for_files(name)}.h5"
        write_spikes(folder / "inputs" / file, {name: spikes})
        inputs[f"spikes of {name}"] = {
            "input_type": "spikes",
            "module": "h5",
            "input_file": f"$BASE_DIR/inputs/{file}",
            "node_set": name,
        }
    for each in circuit.currents:
        inputs[each.name] = {
            "input_type": "current_clamp",
            "module": each.module,
            "node_set": each.node_set,
            "source": each.source,
            **each.values,
        }
    return inputs
