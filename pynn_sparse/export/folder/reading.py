"""Tables from a folder, of which every byte is checked."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path
from typing import Any

import numpy as np

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
from ..stages.prune import Pruned
from .manifest import MANIFEST, NET, SOURCE, read_manifest
from .memh import MemoryFileError, from_memh


def read(folder: str | os.PathLike[str]) -> Exported:
    """What an export has left in a folder.

    Raises `DamagedTablesError` naming the file where one is missing, was changed or cut, or where
    the folder is of another version; and FileNotFoundError where there is no manifest.
    """
    path = Path(folder)
    manifest = read_manifest(path)
    try:
        files = {name: _read(path / name, about) for name, about in manifest["files"].items()}
        return _exported(manifest, files)
    except DamagedTablesError:
        raise
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise DamagedTablesError(
            f"{path / MANIFEST} is not as it was written: {type(error).__name__}: {error}"
        ) from error


def _read(file: Path, about: dict[str, Any]) -> bytes:
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        raise DamagedTablesError(f"{file} is missing, which the manifest names") from None
    if len(data) != about["bytes"]:
        raise DamagedTablesError(f"{file} has {len(data)} bytes, the manifest {about['bytes']}")
    if hashlib.sha256(data).hexdigest() != about["sha256"]:
        raise DamagedTablesError(f"{file} is not what was written: its sha256 differs")
    return data


def _exported(manifest: dict[str, Any], files: dict[str, bytes]) -> Exported:
    target = TARGETS[manifest["target"]["name"]](**manifest["target"]["options"])
    with np.load(io.BytesIO(files[NET])) as net:
        scale, origin, core = net["scale"], net["origin"].astype(np.int64), net["core"]
    resources = tuple(Resource(**each) for each in manifest["resources"])
    return Exported(
        target,
        _net(manifest, files[SOURCE]),
        Quantise(**manifest["quantise"]),
        tuple(manifest["accept"]),
        manifest["prune"],
        tuple(Pruned(**each) for each in manifest["pruned"]),
        tuple(
            Loss(**each | {"sqnr": np.inf if each["sqnr"] is None else each["sqnr"]})
            for each in manifest["losses"]
        ),
        tuple(RegisterError(**each) for each in manifest["registers"]),
        Frame(
            target.model.semantics_type.from_json(manifest["semantics"]),
            tuple(Axons(**each) for each in manifest["populations"]),
        ),
        _memories(manifest, files),
        scale,
        origin,
        Placement(manifest["cores"], core, resources),
    )


def _memories(manifest: dict[str, Any], files: dict[str, bytes]) -> dict[str, Memory]:
    if not manifest["memories"]:
        raise DamagedTablesError(f"{MANIFEST}: memories: must have at least one")
    memories = {}
    for name, about in manifest["memories"].items():
        layout = Layout.from_json(about["layout"])
        file = f"{name}.memh"
        try:
            words = from_memh(files[file], layout.width, about["words"], file)
        except (KeyError, MemoryFileError) as error:
            raise DamagedTablesError(f"memory {name}: {error}") from error
        memories[name] = Memory(layout, words)
    return memories


def _net(manifest: dict[str, Any], data: bytes) -> FloatNet:
    with np.load(io.BytesIO(data)) as archive:
        read = {name: archive[name] for name in archive.files}
    arrays = {
        name: each if each.dtype.kind == "f" else each.astype(np.int64)
        for name, each in read.items()
    }

    def starting(prefix: str) -> dict[str, Any]:
        return {n[len(prefix) :]: each for n, each in arrays.items() if n.startswith(prefix)}

    cells = [
        Cells(
            about["label"],
            about["model"],
            about["size"],
            starting(f"cells{index} "),
            starting(f"initial{index} "),
            about["is_source"],
            arrays.get(f"spikes{index}"),
            about["injected"],
        )
        for index, about in enumerate(manifest["source"]["cells"])
    ]
    connections = [
        Connections(**about, **starting(f"synapses{index} "))
        for index, about in enumerate(manifest["source"]["connections"])
    ]
    return FloatNet(manifest["time_step_ms"], tuple(cells), tuple(connections))
