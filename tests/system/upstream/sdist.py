"""Fetches PyNN's source distribution, in the version that is installed here."""

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import NoReturn

import pytest

SHA256 = {"0.13.0": "da2821e45055a88de6cf34896067eaaebcabbfdfb7883dd147353e7b78617815"}
PARTS = ("test", "examples")


class UnavailableError(Exception):
    """The source distribution is not to be had here."""


def source_tree() -> Path:
    """The folder with PyNN's `test` and `examples`; downloaded once, then kept in the user's cache.

    PyNN's package itself is left out: no script can import it in place of the installed one.
    """
    folder, why_not = _find_or_fetch(version("PyNN"))
    if folder is None:
        raise UnavailableError(why_not)
    return folder


@cache
def _find_or_fetch(release: str) -> tuple[Path | None, str]:
    """The folder, or why there is none; cached, so that a missing network is waited for once."""
    try:
        return _fetched(release), ""
    except UnavailableError as error:
        return None, str(error)


def _fetched(release: str) -> Path:
    if release not in SHA256:
        raise UnavailableError(f"no checksum is known for PyNN {release}: add it to {__file__}")
    folder = _cache_folder() / f"pynn-{release}"
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            _unpack(_download(release, Path(scratch)), Path(scratch) / "unpacked")
            _publish(Path(scratch) / "unpacked", folder)
    return folder


def skip_or_fail(error: UnavailableError) -> NoReturn:
    """Skip where a person works without a network; in CI a missing download is a failure."""
    if os.environ.get("CI", "").lower() in ("1", "true"):
        pytest.fail(str(error), pytrace=False)
    pytest.skip(str(error))


def _cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pynn-sparse-tests"


def _download(release: str, folder: Path) -> Path:
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "PyNN"]
    done = subprocess.run(
        [*pip, "--dest", str(folder), f"PyNN=={release}"], capture_output=True, text=True
    )
    archives = list(folder.glob("*.tar.gz"))
    if done.returncode or not archives:
        why = (done.stderr.strip() or "no archive arrived").splitlines()[-1]
        raise UnavailableError(
            f"pip could not download the source distribution of PyNN {release}: {why}"
        )
    found = hashlib.sha256(archives[0].read_bytes()).hexdigest()
    assert found == SHA256[release], (
        f"{archives[0].name}: SHA-256 is {found}, not {SHA256[release]}"
    )
    return archives[0]


def _unpack(archive: Path, folder: Path) -> None:
    everything = folder.with_name("everything")
    with tarfile.open(archive) as tar:
        # Filters came with Python 3.11.4. What the archive has in it is known by its hash.
        tar.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
        tar.extractall(everything)
    (root,) = everything.iterdir()
    folder.mkdir()
    for part in PARTS:
        shutil.move(root / part, folder / part)


def _publish(unpacked: Path, folder: Path) -> None:
    try:
        unpacked.rename(folder)
    except OSError:
        if not folder.is_dir():  # else another process was faster; its copy is as good
            raise
