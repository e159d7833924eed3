"""The manifest of a folder, which says what its files are, and has one checksum over all."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import DamagedTablesError
from ..registry import TARGETS
from .values import part_of, value_of

SCHEMA = 2
MAKER = "pynn-sparse"
MANIFEST = "manifest.json"
SOURCE = "source.npz"
NET = "net.npz"
CHECKSUM = "sha256"
MOST_BYTES = 1 << 28  # of a manifest


def sealed(manifest: Mapping[str, Any]) -> bytes:
    """The text of a manifest, with the checksum of all the rest of it.

    That has the checksums of all files, and so covers them, too.
    """
    rest = {name: each for name, each in manifest.items() if name != CHECKSUM}
    return _json(rest | {CHECKSUM: hashlib.sha256(_json(rest)).hexdigest()})


def _json(data: Any) -> bytes:
    return (json.dumps(data, indent=1, sort_keys=True, allow_nan=False) + "\n").encode()


def read_manifest(path: Path) -> dict[str, Any]:
    """The manifest of a folder.

    Raises `DamagedTablesError` for one that this version cannot read, or that is not as it was
    written, to the bit; and FileNotFoundError.
    """
    file = path / MANIFEST
    text = read_plain(file)
    try:
        manifest = json.loads(text)
        whole = isinstance(manifest, dict) and sealed(manifest) == text
    except (ValueError, RecursionError) as error:
        raise DamagedTablesError(f"{file} is not JSON: {error}") from error
    found = manifest.get("schema") if isinstance(manifest, dict) else None
    if found != SCHEMA:
        raise DamagedTablesError(f"{file}: schema {found}, this version reads {SCHEMA}")
    target = manifest.get("target")
    about = target if isinstance(target, dict) else {"name": target}
    name, version = about.get("name"), about.get("version")
    if not isinstance(name, str) or name not in TARGETS:
        raise DamagedTablesError(f"{file}: target {name!r}; there are {', '.join(TARGETS)}")
    if version != TARGETS[name].version:
        raise DamagedTablesError(
            f"{file}: version {version} of {name}, this version reads {TARGETS[name].version}"
        )
    if not whole:
        raise DamagedTablesError(f"{file} is not what was written: its sha256 differs")
    return dict(manifest)


def read_files(path: Path, manifest: Mapping[str, Any]) -> dict[str, bytes]:
    """All files that a manifest names, which have to be plain files of the folder.

    Raises `DamagedTablesError` naming the file that is missing, elsewhere, or not as it was.
    """
    where = str(path / MANIFEST)
    files = {}
    for name, about in part_of(manifest, "files", dict, where).items():
        if not is_plain(name):
            raise DamagedTablesError(f"{where}: files: {name!r} is no file of the folder")
        size = part_of(about, "bytes", int, f"{where}: files: {name}")
        try:
            data = read_plain(path / name, size)
        except FileNotFoundError:
            raise DamagedTablesError(
                f"{path / name} is missing, which the manifest names"
            ) from None
        if hashlib.sha256(data).hexdigest() != value_of(dict, about, where).get(CHECKSUM):
            raise DamagedTablesError(f"{path / name} is not what was written: its sha256 differs")
        files[name] = data
    return files


def is_plain(name: str) -> bool:
    """Whether a name is one of a file in the folder itself."""
    return Path(name).name == name and "\0" not in name and name not in ("", "..", MANIFEST)


def read_plain(file: Path, size: int | None = None) -> bytes:
    """The contents of a plain file, of which the size is known before anything is read.

    Args:
        file: which is opened without waiting, as a FIFO would ask for, and not through a link.
        size: bytes that it has to have; None for up to `MOST_BYTES`.

    Raises `DamagedTablesError` for what is no plain file, or of another size.
    """
    try:
        opened = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise DamagedTablesError(f"{file} cannot be read: {error.strerror or error}") from error
    try:
        found = os.fstat(opened)
        if not stat.S_ISREG(found.st_mode):
            raise DamagedTablesError(f"{file} is no plain file")
        if size is not None and found.st_size != size:
            raise DamagedTablesError(f"{file} has {found.st_size} bytes, the manifest {size}")
        if size is None and found.st_size > MOST_BYTES:
            raise DamagedTablesError(f"{file} has {found.st_size} bytes: up to {MOST_BYTES}")
        with open(opened, "rb", closefd=False) as stream:
            data = stream.read(found.st_size)
    finally:
        os.close(opened)
    if len(data) != found.st_size:
        raise DamagedTablesError(f"{file} became shorter while it was read")
    return data
