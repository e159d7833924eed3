"""A circuit from its files; everything is checked before anything is made of it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import SonataError
from .circuit import Circuit, CurrentInput, EdgePopulation, NodePopulation, Spikes
from .config import Config, find, read_json
from .hdf5 import integers, opened, subgroup, text, where
from .node_sets import resolve
from .parts import read_parts
from .spikes import read_spikes
from .types import read_types

SPIKE_MODULES = ("h5", "sonata")
MODELS = {"node": "point_neuron_models_dir", "edge": "synaptic_models_dir"}


def read(path: str | os.PathLike[str]) -> Circuit:
    """The circuit, and its simulation's input if there is a configuration of one.

    Args:
        path: of `circuit_config.json`, of `simulation_config.json`, or of their folder.

    Raises SonataError for files that are damaged, do not fit together, or hold what is not
    supported; and ImportError without h5py.
    """
    simulation, config = find(Path(path))
    nodes = _nodes(config)
    circuit = Circuit(
        nodes=nodes,
        edges=_edges(config, Circuit(nodes)),
        node_sets=_node_sets(simulation, config),
        simulator=str(_from(simulation, config, "target_simulator", "")),
    )
    return circuit if simulation is None else _with_simulation(circuit, simulation)


def _from(simulation: Config | None, config: Config, name: str, default: Any) -> Any:
    given = [each.values.get(name) for each in (config, simulation) if each is not None]
    return next(filter(None, given), default)


def _files(config: Config, element: str) -> list[tuple[Path, Any, Path | None]]:
    """HDF5 file, types, and folder of models, of each entry of the configuration."""
    entries = config.section("networks").get(f"{element}s") or []
    if not isinstance(entries, list) or not all(isinstance(each, dict) for each in entries):
        raise SonataError(f"{config.path}: networks: {element}s must be a list of objects")
    components = config.section("components")
    models = components.get(MODELS[element])
    folder = config.path_of(models, MODELS[element]) if models else None
    files = []
    for entry in entries:
        if entry.get("enabled", True):
            path = config.path_of(entry.get(f"{element}s_file"), f"{element}s_file")
            table = entry.get(f"{element}_types_file")
            types = (
                read_types(config.path_of(table, f"{element}_types_file"), element)
                if table
                else None
            )
            files.append((path, types, folder))
    paths = [os.path.realpath(path) for path, _, _ in files]
    twice = [path for path in paths if paths.count(path) > 1]
    if twice:
        raise SonataError(
            f"{config.path}: names the file {twice[0]} several times; two projections of one label "
            "overwrite each other in pyNN.serialization.export_to_sonata: give them labels that "
            "differ, or write the network with pyNN.sparse.to_sonata"
        )
    return files


def _unique(found: list[Any], kind: str, config: Config) -> tuple[Any, ...]:
    names = [each.name for each in found]
    for name in names:
        if names.count(name) > 1:
            raise SonataError(f"{config.path}: there are two {kind} populations named {name!r}")
    return tuple(found)


def _nodes(config: Config) -> tuple[NodePopulation, ...]:
    found = []
    for path, types, models in _files(config, "node"):
        with opened(path) as file:
            root = subgroup(file, "nodes")
            for name in root:
                group = subgroup(root, name)
                parts = read_parts(group, "node", types, models)
                n = sum(len(part.index) for part in parts)
                ids = integers(group, "node_id", n) if "node_id" in group else None
                if ids is not None and np.array_equal(ids, np.arange(n)):
                    ids = None
                if ids is not None and len(np.unique(ids)) < n:
                    raise SonataError(f"{where(group)}/node_id: an id occurs twice")
                label = text(group, "label") or name
                found.append(NodePopulation(name, n, parts, label, ids, str(path)))
    return _unique(found, "node", config)


def _edges(config: Config, circuit: Circuit) -> tuple[EdgePopulation, ...]:
    found = []
    for path, types, models in _files(config, "edge"):
        with opened(path) as file:
            root = subgroup(file, "edges")
            for name in root:
                group = subgroup(root, name)
                found.append(_edge_population(path, name, group, types, models, circuit))
    return _unique(found, "edge", config)


def _edge_population(
    path: Path, name: str, group: Any, types: Any, models: Path | None, circuit: Circuit
) -> EdgePopulation:
    parts = read_parts(group, "edge", types, models)
    n = sum(len(part.index) for part in parts)
    ends = []
    for end in ("source", "target"):
        ids = integers(group, f"{end}_node_id", n)
        population = text(group[f"{end}_node_id"], "node_population")
        nodes = circuit.population(population, f"{where(group)}/{end}_node_id")
        ends.append((population, nodes.places(ids, f"{where(group)}/{end}_node_id")))
    projection = group.attrs.get("projection")
    (source_name, source), (target_name, target) = ends
    return EdgePopulation(
        *(name, source_name, target_name, source, target, parts),
        label=text(group, "label") or name,
        projection=None if projection is None else int(projection),
        ends=(text(group, "source_node_set"), text(group, "target_node_set")),
        file=str(path),
    )


def _node_sets(simulation: Config | None, config: Config) -> dict[str, Any]:
    for each in (simulation, config):
        if each is not None and each.values.get("node_sets_file"):
            return read_json(each.path_of(each.values["node_sets_file"], "node_sets_file"))
    return {}


def _with_simulation(circuit: Circuit, config: Config) -> Circuit:
    spikes: dict[str, Spikes] = {}
    currents: list[CurrentInput] = []
    for name, about in config.section("inputs").items():
        what = f"{config.path}: inputs: {name}"
        if not isinstance(about, dict):
            raise SonataError(f"{what}: must be an object")
        if not about.get("enabled", True):
            continue
        kind, module = about.get("input_type"), str(about.get("module"))
        node_set = about.get("node_set")
        if not isinstance(node_set, str):
            raise SonataError(f"{what}: node_set = {node_set!r}: must be the name of a node set")
        wanted = [population for population, _ in resolve(circuit, node_set, what)]
        if kind == "spikes" and module in SPIKE_MODULES:
            path = config.path_of(about.get("input_file"), "input_file")
            for population, each in read_spikes(path, circuit, wanted).items():
                if population in spikes:
                    raise SonataError(f"{what}: {population!r} gets spikes from another input, too")
                spikes[population] = each
        elif kind == "current_clamp":
            given = {k: v for k, v in about.items() if k not in _NOT_VALUES}
            source = about.get("source", len(currents))
            if isinstance(source, bool) or not isinstance(source, int):
                raise SonataError(f"{what}: source = {source!r}: must be an integer")
            currents.append(CurrentInput(what, node_set, module, given, source))
        else:
            raise SonataError(
                f"{what}: input_type {kind!r} with module {module!r} is not supported: must be "
                f"'spikes' with {' or '.join(map(repr, SPIKE_MODULES))}, or 'current_clamp'"
            )
    seed = config.number("run", "random_seed")
    return Circuit(
        *(circuit.nodes, circuit.edges, circuit.node_sets, spikes, tuple(currents)),
        simulator=circuit.simulator,
        dt=config.number("run", "dt"),
        tstop=config.number("run", "tstop"),
        seed=None if seed is None else int(seed),
        v_init=config.number("conditions", "v_init"),
    )


_NOT_VALUES = ("input_type", "module", "node_set", "enabled", "source", "input_file")
