"""Folders of tables, and their manifests changed."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np

from pynn_sparse import export
from pynn_sparse.export.folder.manifest import sealed


def manifest_of(folder: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return manifest


def seal(folder: Path, manifest: Any) -> None:
    """Write a manifest with a checksum that fits."""
    (folder / "manifest.json").write_bytes(sealed(manifest))


def change_manifest(folder: Path, **values: Any) -> None:
    seal(folder, manifest_of(folder) | values)


def rewrite(folder: Path, file: str, change: Any) -> export.Tables:
    """Load a folder with a changed file whose sha256 has been made to fit."""
    path = folder / file
    path.write_bytes(change(path.read_bytes()))
    data = path.read_bytes()
    manifest = manifest_of(folder)
    digest = hashlib.sha256(data).hexdigest()
    manifest["files"][file] = {"bytes": len(data), "sha256": digest}
    seal(folder, manifest)
    return export.load(folder)


def packed(**arrays: Any) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()
