"""The manifest of a folder, which says what its files are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..errors import DamagedTablesError
from ..registry import TARGETS

SCHEMA = 1
MAKER = "pynn-sparse"
MANIFEST = "manifest.json"
SOURCE = "source.npz"
NET = "net.npz"


def read_manifest(path: Path) -> dict[str, Any]:
    """The manifest of a folder.

    Raises `DamagedTablesError` for one that this version cannot read, and FileNotFoundError.
    """
    try:
        manifest = json.loads((path / MANIFEST).read_bytes())
    except ValueError as error:
        raise DamagedTablesError(f"{path / MANIFEST} is not JSON: {error}") from error
    found = manifest.get("schema") if isinstance(manifest, dict) else None
    if found != SCHEMA:
        raise DamagedTablesError(f"{path / MANIFEST}: schema {found}, this version reads {SCHEMA}")
    target = manifest.get("target")
    about = target if isinstance(target, dict) else {"name": target}
    name, version = about.get("name"), about.get("version")
    if not isinstance(name, str) or name not in TARGETS:
        raise DamagedTablesError(
            f"{path / MANIFEST}: target {name!r}; there are {', '.join(TARGETS)}"
        )
    if version != TARGETS[name].version:
        raise DamagedTablesError(
            f"{path / MANIFEST}: version {version} of {name}, "
            f"this version reads {TARGETS[name].version}"
        )
    return dict(manifest)
