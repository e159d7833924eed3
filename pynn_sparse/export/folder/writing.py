"""The folder of an export: a manifest, memories, and the network that they stand for."""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from ...replacing import replaced_file
from ..arguments import door
from ..errors import ExportError
from ..exported import Exported
from ..nets.floatnet import FloatNet
from .manifest import MAKER, MANIFEST, NET, SCHEMA, SOURCE, is_plain, read_manifest, sealed
from .memh import to_memh
from .nir import nir_bytes


def emit(
    tables: Exported, csv: bool = False, hdf5: bool = False, nir: bool = False
) -> dict[str, bytes]:
    """All files of a folder by name; the same tables give the same bytes.

    Args:
        tables: the tables.
        csv: whether `synapses.csv` is among them.
        hdf5: whether `net.h5` is, the arrays of `net.npz`; needs h5py.
        nir: whether `net.nir` is, a graph in floats with the weights of the tables; needs nir.

    Raises `ExportError` where h5py or nir is needed and not installed, and for what NIR cannot say.
    """
    door.instance("tables", tables, Exported, "what export.lower() or export.load() returns")
    for name, option in (("csv", csv), ("hdf5", hdf5), ("nir", nir)):
        door.flag(name, option)
    contents = dict(sorted(contents_of(tables, csv, hdf5, nir).items()))
    manifest = _manifest(tables)
    manifest["files"] = {name: _about(data) for name, data in contents.items()}
    return {**contents, MANIFEST: sealed(manifest)}


def save(
    tables: Exported, folder: str | os.PathLike[str], csv: bool, hdf5: bool, nir: bool
) -> None:
    """Write a folder; all contents are made before the first file is.

    What an earlier manifest in the folder names goes, so that nothing of another export stays.
    Several processes may write the same, so that each file is replaced as a whole.
    """
    path = door.path("folder", folder)
    contents = emit(tables, csv, hdf5, nir)
    path.mkdir(parents=True, exist_ok=True)
    for name in _named_before(path) - set(contents):
        (path / name).unlink(missing_ok=True)
    for name, data in contents.items():
        _replace(path / name, data)


def add(folder: str | os.PathLike[str], contents: Mapping[str, bytes]) -> None:
    """Write further files into a folder of tables, and enter them in its manifest.

    Each file is replaced as a whole, the manifest last.
    """
    path = Path(folder)
    manifest = read_manifest(path)
    manifest["files"] |= {name: _about(data) for name, data in contents.items()}
    for name, data in {**contents, MANIFEST: sealed(manifest)}.items():
        _replace(path / name, data)


def _replace(path: Path, data: bytes) -> None:
    with replaced_file(path) as file:
        file.write(data)


def _about(data: bytes) -> dict[str, Any]:
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def _named_before(path: Path) -> set[str]:
    """Files of an earlier export in a folder. Other programs have manifests, too."""
    try:
        manifest = json.loads((path / MANIFEST).read_bytes())
    except (FileNotFoundError, ValueError):
        return set()
    if not isinstance(manifest, dict) or not isinstance(manifest.get("files"), dict):
        return set()
    if "schema" not in manifest or not str(manifest.get("made_by")).startswith(f"{MAKER} "):
        return set()
    return set(filter(is_plain, manifest["files"]))


def contents_of(tables: Exported, csv: bool, hdf5: bool, nir: bool) -> dict[str, bytes]:
    """All files but the manifest, see `emit`."""
    contents = {
        f"{name}.memh": to_memh(memory.words, memory.layout.width)
        for name, memory in tables.memories.items()
    }
    integers = _integers(tables)
    contents[NET] = _npz(integers)
    contents[SOURCE] = _npz(_arrays(tables.net))
    if hdf5:
        contents["net.h5"] = _hdf5(integers)
    if nir:
        contents["net.nir"] = nir_bytes(tables)
    if csv:
        contents["synapses.csv"] = _csv(tables)
    return contents | tables.target.more_files(tables)


def _integers(tables: Exported) -> dict[str, Any]:
    fixed = tables.fixed
    return {
        "indptr": fixed.start,
        "indices": fixed.target,
        "weight": fixed.weight,
        "hop": fixed.hop,
        "format": fixed.format,
        "profile": fixed.profile,
        "initial": fixed.initial,
        "scale": tables.scale,
        "origin": tables.origin,
        "core": np.asarray(tables.placement.core, np.int64),
        **{f"format_{name}": each for name, each in vars(fixed.formats).items()},
        **{f"profile_{name}": each for name, each in fixed.profiles.registers().items()},
    }


def _hdf5(arrays: dict[str, Any]) -> bytes:
    """Data sets of the root group; h5py writes no times unless asked to."""
    try:
        import h5py
    except ImportError:
        raise ExportError("hdf5 needs h5py: pip install 'pynn-sparse[export]'") from None
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for name, each in arrays.items():
            file[name] = _compact(each)
    return buffer.getvalue()


def _npz(arrays: dict[str, Any]) -> bytes:
    """NumPy writes no time into these files, so the same arrays give the same bytes."""
    buffer = io.BytesIO()
    contiguous: dict[str, Any] = {name: _compact(each) for name, each in arrays.items()}
    np.savez(buffer, **contiguous)
    return buffer.getvalue()


def _compact(values: Any) -> Any:
    """Integers in the smallest type that holds them."""
    array = np.ascontiguousarray(values)
    if array.dtype.kind != "i" or not array.size:
        return array
    kind = np.promote_types(np.min_scalar_type(array.min()), np.min_scalar_type(array.max()))
    return array.astype(kind)


def _arrays(net: FloatNet) -> dict[str, Any]:
    arrays: dict[str, Any] = {}
    for index, cells in enumerate(net.cells):
        arrays |= {f"cells{index} {name}": each for name, each in cells.parameters.items()}
        arrays |= {f"initial{index} {name}": each for name, each in cells.initial.items()}
        if cells.spikes is not None:
            arrays[f"spikes{index}"] = cells.spikes
    for index, part in enumerate(net.connections):
        arrays |= {
            f"synapses{index} {name}": getattr(part, name)
            for name in ("start", "target", "weight", "delay")
        }
    return arrays


def _csv(tables: Exported) -> bytes:
    """A line for each synapse: axon, neuron, hop, integer charge, weight in PyNN's unit."""
    fixed = tables.fixed
    weight = np.concatenate([np.zeros(0), *(part.weight for part in tables.net.connections)])
    columns = np.column_stack([fixed.source, fixed.target, fixed.hop, fixed.charge()])
    lines = [
        "{},{},{},{},{!r}".format(*row, float(value))
        for row, value in zip(columns.tolist(), weight[tables.origin], strict=True)
    ]
    return "\n".join(["axon,neuron,hop,charge,weight_before", *lines, ""]).encode()


def _manifest(tables: Exported) -> dict[str, Any]:
    from ... import __version__

    net = tables.net
    return {
        "schema": SCHEMA,
        "made_by": f"{MAKER} {__version__}",
        "target": {
            "name": tables.target.name,
            "version": tables.target.version,
            "options": tables.target.options(),
        },
        "time_step_ms": net.dt,
        "semantics": tables.frame.semantics.to_json(),
        "populations": [each.to_json() for each in tables.frame.axons],
        "memories": {
            name: {"words": len(memory.words), "layout": memory.layout.to_json()}
            for name, memory in tables.memories.items()
        },
        "quantise": asdict(tables.rule),
        "accept": list(tables.accept),
        "prune": tables.pruning,
        "pruned": [asdict(each) for each in tables.pruned],
        "losses": [_finite(asdict(each)) for each in tables.losses],
        "registers": [asdict(each) for each in tables.registers],
        "cores": tables.placement.cores,
        "resources": [asdict(each) for each in tables.placement.resources],
        "source": {
            "cells": [
                {
                    "label": each.label,
                    "model": each.model,
                    "size": each.size,
                    "is_source": each.is_source,
                    "injected": each.injected,
                }
                for each in net.cells
            ],
            "connections": [
                {
                    "label": each.label,
                    "pre": each.pre,
                    "post": each.post,
                    "receptor": each.receptor,
                    "plastic": each.plastic,
                }
                for each in net.connections
            ],
        },
    }


def _finite(loss: dict[str, Any]) -> dict[str, Any]:
    """JSON has no infinity: a quantisation without error has no SQNR."""
    return loss | {"sqnr": loss["sqnr"] if np.isfinite(loss["sqnr"]) else None}
