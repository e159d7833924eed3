"""Tables from a folder, of which every byte is checked."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arguments import door
from ..errors import DamagedTablesError
from ..exported import Exported
from ..hardware import Memory, Placement, Resource
from ..models.registers import RegisterError
from ..nets.fixednet import Axons, Frame
from ..nets.floatnet import Cells, Connections, FloatNet
from ..nets.layout import Layout
from ..nets.losses import Loss
from ..nets.number_formats import Quantise
from ..registry import TARGETS
from ..stages.assemble import axons_of
from ..stages.prune import Pruned
from ..stages.rules import numbers_for
from ..target import Target
from .arrays import read_npz
from .manifest import MANIFEST, NET, SOURCE, read_files, read_manifest
from .memh import MemoryFileError, from_memh
from .values import part_of, value_of

Arrays = Mapping[str, NDArray[Any]]


def read(folder: str | os.PathLike[str]) -> Exported:
    """What an export has left in a folder.

    Raises `DamagedTablesError` naming the file where one is missing, was changed or cut, or where
    the folder is of another version; and FileNotFoundError where there is no manifest.
    """
    path = door.path("folder", folder)
    manifest = read_manifest(path)
    files = read_files(path, manifest)
    try:
        tables = _exported(manifest, files)
        _ = tables.dynamics  # for which all of a network has to be there
        numbers_for(tables.rule, tables.target)
        return tables
    except DamagedTablesError as error:
        raise DamagedTablesError(f"{path}: {error}") from error
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise DamagedTablesError(
            f"{path / MANIFEST} is not as it was written: {type(error).__name__}: {error}"
        ) from error


def _exported(manifest: Mapping[str, Any], files: Mapping[str, bytes]) -> Exported:
    def given(name: str, kind: Any) -> Any:
        return part_of(manifest, name, kind, MANIFEST)

    target = TARGETS[manifest["target"]["name"]](**manifest["target"]["options"])
    populations = given("populations", list[Axons])
    net = _net(manifest, files)
    _check_populations(populations, net)
    arrays = _read_arrays(files, NET)
    neurons = sum(each.size for each in populations if not each.is_source)
    cells = sum(each.size for each in populations)
    cores = given("cores", int)
    _check_arrays(arrays, {"indptr": cells + 1, "scale": neurons, "core": neurons})
    origin = arrays["origin"].astype(np.int64)
    _check_within("net.npz: origin", origin, net.n_synapses)
    _check_within("net.npz: core", arrays["core"], cores)
    losses = [
        value_of(Loss, each | {"sqnr": 0.0 if each["sqnr"] is None else each["sqnr"]}, "losses")
        for each in given("losses", list[dict[str, Any]])
    ]
    exact = [each["sqnr"] is None for each in manifest["losses"]]
    pruned = given("pruned", list[Pruned])
    if not len(losses) == len(pruned) == len(net.connections):
        raise DamagedTablesError(f"{MANIFEST}: losses and pruned: must be of each projection")
    return Exported(
        target,
        net,
        given("quantise", Quantise),
        tuple(given("accept", list[str])),
        given("prune", str),
        tuple(pruned),
        tuple(
            replace(loss, sqnr=np.inf) if infinite else loss
            for loss, infinite in zip(losses, exact, strict=True)
        ),
        tuple(given("registers", list[RegisterError])),
        Frame(_semantics(given("semantics", dict), target), tuple(populations)),
        _memories(manifest, files),
        np.asarray(arrays["scale"], float),
        origin,
        Placement(cores, arrays["core"], tuple(given("resources", list[Resource]))),
        files={name: each for name, each in files.items() if not name.endswith(".memh")},
    )


def _semantics(data: dict[str, Any], target: Target) -> Any:
    """The update rule, which has to be that of the target in its present version."""
    found = target.model.semantics_type.from_json(data)
    if found.n_receptors not in (1, 2) or found != target.semantics(found.n_receptors):
        raise DamagedTablesError(f"{MANIFEST}: semantics are not those of {target.name}")
    return found


def _memories(manifest: Mapping[str, Any], files: Mapping[str, bytes]) -> dict[str, Memory]:
    named = part_of(manifest, "memories", dict, MANIFEST)
    if not named:
        raise DamagedTablesError(f"{MANIFEST}: memories: must have at least one")
    memories = {}
    for name, about in named.items():
        layout = Layout.from_json(part_of(about, "layout", dict, f"memory {name}"))
        file, words = f"{name}.memh", part_of(about, "words", int, f"memory {name}")
        try:
            memories[name] = Memory(layout, from_memh(files[file], layout.width, words, file))
        except (KeyError, MemoryFileError) as error:
            raise DamagedTablesError(f"memory {name}: {error}") from error
    return memories


# --- the network in floats -------------------------------------------------------------------


@dataclass(frozen=True)
class _CellsText:
    """What the manifest has of `Cells`."""

    label: str
    model: str
    size: int
    is_source: bool
    injected: int


@dataclass(frozen=True)
class _ConnectionsText:
    """What the manifest has of `Connections`."""

    label: str
    pre: int
    post: int
    receptor: str
    plastic: str


def _net(manifest: Mapping[str, Any], files: Mapping[str, bytes]) -> FloatNet:
    arrays = {
        name: each if each.dtype.kind == "f" else each.astype(np.int64)
        for name, each in _read_arrays(files, SOURCE).items()
    }
    source = part_of(manifest, "source", dict, MANIFEST)

    def starting(prefix: str) -> dict[str, Any]:
        return {n[len(prefix) :]: each for n, each in arrays.items() if n.startswith(prefix)}

    cells = [
        _cells(about, arrays.get(f"spikes{i}"), starting(f"cells{i} "), starting(f"initial{i} "))
        for i, about in enumerate(part_of(source, "cells", list[_CellsText], "source"))
    ]
    connections = [
        _connections(about, starting(f"synapses{index} "), cells)
        for index, about in enumerate(
            part_of(source, "connections", list[_ConnectionsText], "source")
        )
    ]
    step = part_of(manifest, "time_step_ms", float, MANIFEST)
    if step <= 0:
        raise DamagedTablesError(f"{MANIFEST}: time_step_ms = {step}: must be greater than 0")
    return FloatNet(step, tuple(cells), tuple(connections))


def _cells(
    about: _CellsText,
    spikes: NDArray[np.int64] | None,
    parameters: dict[str, Any],
    initial: dict[str, Any],
) -> Cells:
    for name, each in (parameters | initial).items():
        if each.shape != (about.size,):
            raise DamagedTablesError(f"{SOURCE}: {about.label}: {name} has shape {each.shape}")
    if spikes is not None:
        if spikes.ndim != 2 or spikes.shape[1] != 2:
            raise DamagedTablesError(f"{SOURCE}: {about.label}: spikes have shape {spikes.shape}")
        _check_within(f"{SOURCE}: {about.label}: spikes", spikes[:, 0], about.size)
    ends = parameters, initial, about.is_source, spikes, about.injected
    return Cells(about.label, about.model, about.size, *ends)


def _connections(about: _ConnectionsText, arrays: Arrays, cells: list[Cells]) -> Connections:
    where = f"{SOURCE}: {about.label}"
    for index in (about.pre, about.post):
        if not 0 <= index < len(cells):
            raise DamagedTablesError(f"{where}: there is no population {index}")
    n = len(arrays["target"])
    sizes = {"start": cells[about.pre].size + 1, "target": n, "weight": n, "delay": n}
    _check_arrays(arrays, sizes)
    start = arrays["start"]
    if start[0] != 0 or start[-1] != n or (np.diff(start) < 0).any():
        raise DamagedTablesError(f"{where}: rows must begin at 0 and ascend to {n}")
    _check_within(f"{where}: target", arrays["target"], cells[about.post].size)
    return Connections(
        about.label,
        about.pre,
        about.post,
        about.receptor,
        start,
        arrays["target"],
        arrays["weight"],
        arrays["delay"],
        about.plastic,
    )


# --- sizes, before anything is allocated by them ----------------------------------------------


def _read_arrays(files: Mapping[str, bytes], name: str) -> dict[str, NDArray[Any]]:
    if name not in files:
        raise DamagedTablesError(f"{MANIFEST}: files: {name} is missing")
    return read_npz(files[name], name)


def _check_populations(populations: list[Axons], net: FloatNet) -> None:
    """Those of the tables are those of the network."""
    expected = axons_of(net)
    if tuple(replace(each, per_core=0) for each in populations) != expected:
        raise DamagedTablesError(f"{MANIFEST}: populations: must be those of source")
    if any(each.size < 1 for each in expected):
        raise DamagedTablesError(f"{MANIFEST}: populations: must have cells")


def _check_arrays(arrays: Arrays, sizes: Mapping[str, int]) -> None:
    for name, size in sizes.items():
        if arrays[name].shape != (size,):
            shape = arrays[name].shape
            raise DamagedTablesError(f"{name} has shape {shape}, {size} values are needed")


def _check_within(name: str, values: NDArray[Any], count: int) -> None:
    if values.size and not 0 <= int(values.min()) <= int(values.max()) < count:
        raise DamagedTablesError(f"{name}: must be 0 to {count - 1}")
