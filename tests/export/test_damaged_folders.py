"""Folders, manifests, arrays and files that are refused, each with the reason."""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from export_folders import change_manifest, manifest_of, packed, rewrite, seal
from export_networks import ACCEPT, random_float, rule_of, suited

from pynn_sparse import export
from pynn_sparse.export.folder.arrays import read_npz
from pynn_sparse.export.registry import TARGETS


def test_damaged_folders_are_refused(folder: Path) -> None:
    words = folder / "synapses.memh"
    good = words.read_bytes()
    for bad, message in (
        (good[:-1], "bytes, the manifest"),
        (good[:-20], "bytes, the manifest"),
        (b"f" + good[1:], "sha256 differs"),
    ):
        words.write_bytes(bad)
        with pytest.raises(export.DamagedTablesError, match=message):
            export.load(folder)
    words.unlink()
    with pytest.raises(export.DamagedTablesError, match=r"synapses\.memh is missing"):
        export.load(folder)


def test_other_versions_are_refused(folder: Path) -> None:
    change_manifest(folder, schema=0)
    with pytest.raises(export.DamagedTablesError, match="schema 0, this version reads 2"):
        export.load(folder)
    change_manifest(folder, schema=2, target={"name": "asic", "version": 99, "options": {}})
    with pytest.raises(export.DamagedTablesError, match="version 99 of asic, this version reads 1"):
        export.load(folder)
    change_manifest(folder, target={"name": "abacus", "version": 1, "options": {}})
    with pytest.raises(export.DamagedTablesError, match="target 'abacus'; there are akida"):
        export.load(folder)
    (folder / "manifest.json").write_text("{")
    with pytest.raises(export.DamagedTablesError, match="is not JSON"):
        export.load(folder)
    with pytest.raises(FileNotFoundError):
        export.load(folder.parent)


@pytest.mark.parametrize("key", ["files", "memories", "semantics", "quantise", "losses", "target"])
def test_a_manifest_without_a_part_is_refused(key: str, folder: Path) -> None:
    manifest = manifest_of(folder)
    del manifest[key]
    seal(folder, manifest)
    with pytest.raises(export.DamagedTablesError, match=r"manifest\.json"):
        export.load(folder)


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        (("target",), "x"),
        (("target", "name"), ["asic"]),
        (("target", "options"), "x"),
        (("target", "options"), {"voltage_bits": 99}),
        (("files",), []),
        (("files",), None),
        (("files", "net.npz"), 3),
        (("semantics",), None),
        (("semantics", "compare"), "x"),
        (("memories",), {}),
        (("memories",), ["synapses"]),
        (("memories", "synapses", "layout", "fields"), [["axon"]]),
        (("quantise", "weight_bits"), "8"),
        (("losses",), [3]),
        (("source", "cells"), [{}]),
    ],
)
def test_a_manifest_with_a_wrong_part_is_refused(
    keys: tuple[str, ...], value: Any, folder: Path
) -> None:
    manifest = manifest_of(folder)
    part = manifest
    for key in keys[:-1]:
        part = part[key]
    part[keys[-1]] = value
    seal(folder, manifest)
    with pytest.raises(export.DamagedTablesError):
        export.load(folder)


def test_a_missing_memory_is_named(folder: Path) -> None:
    manifest = manifest_of(folder)
    del manifest["memories"]["profiles"]
    seal(folder, manifest)
    with pytest.raises(export.DamagedTablesError, match="memory 'profiles' is missing"):
        export.load(folder).trace(10.0)


@pytest.mark.parametrize(
    "manifest",
    [
        {"files": {"precious.txt": {}}},
        {"files": {"precious.txt": {}}, "schema": 1, "made_by": "webpack 5"},
        {"files": ["precious.txt"], "schema": 1, "made_by": "pynn-sparse 1.0"},
        ["precious.txt"],
    ],
)
def test_files_of_other_programs_stay(manifest: Any, tmp_path: Path) -> None:
    """Only what a manifest of this package names goes."""
    (tmp_path / "precious.txt").write_text("mine")
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    export.lower(random_float(1), "asic").save(tmp_path)
    assert (tmp_path / "precious.txt").read_text() == "mine"
    assert export.verify(export.load(tmp_path)).passed


def test_a_dropped_last_word_is_refused(folder: Path) -> None:
    with pytest.raises(export.DamagedTablesError, match="memory synapses"):
        rewrite(folder, "synapses.memh", lambda text: text[: text[:-1].rindex(b"\n") + 1])


def test_no_bit_of_a_manifest_can_change(folder: Path) -> None:
    file = folder / "manifest.json"
    good = file.read_bytes()
    rng = np.random.default_rng(0)
    for place in rng.choice(len(good), 300, replace=False):
        bad = bytearray(good)
        bad[place] ^= 1 << int(rng.integers(0, 8))
        file.write_bytes(bytes(bad))
        with pytest.raises(export.DamagedTablesError, match=r"manifest\.json"):
            export.load(folder)
    file.write_bytes(good)
    assert export.verify(export.load(folder)).passed


@pytest.mark.parametrize("name", ["../secret", "/etc/hostname", "sub/file", "..", "", "a\0b"])
def test_only_files_of_the_folder_are_read(name: str, folder: Path) -> None:
    (folder.parent / "secret").write_text("mine")
    manifest = manifest_of(folder)
    manifest["files"][name] = {"bytes": 4, "sha256": hashlib.sha256(b"mine").hexdigest()}
    seal(folder, manifest)
    with pytest.raises(export.DamagedTablesError, match="is no file of the folder"):
        export.load(folder)


def a_link(file: Path) -> None:
    file.symlink_to(file.parent / "net.npz")


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, a_link])
@pytest.mark.parametrize("name", ["odd", "manifest.json"])
def test_only_plain_files_are_read(make: Any, name: str, folder: Path) -> None:
    """A FIFO, of which there is no end, a folder, a link."""
    manifest = manifest_of(folder)
    manifest["files"]["odd"] = manifest["files"]["net.npz"]
    seal(folder, manifest)
    (folder / name).unlink(missing_ok=True)
    make(folder / name)
    with pytest.raises(export.DamagedTablesError, match=r"no plain file|cannot be read"):
        export.load(folder)


def test_a_file_of_another_size_is_not_read(folder: Path) -> None:
    with open(folder / "net.npz", "r+b") as file:
        file.truncate(1 << 40)  # which takes no space
    with pytest.raises(export.DamagedTablesError, match="has 1099511627776 bytes, the manifest"):
        export.load(folder)


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_sizes_are_compared_before_anything_is_allocated(target: str, tmp_path: Path) -> None:
    """Populations of 10^12 cells."""
    net = suited(random_float(1, n=32), target)
    export.lower(net, target, None, rule_of(target), ACCEPT).save(tmp_path)
    many = 10**12
    for populations in ((), (0,), (1,), (0, 1)):
        manifest = manifest_of(tmp_path)
        for number in populations:
            cells = manifest["source"]["cells"][number]
            cells["size"] = many
            (axons,) = [p for p in manifest["populations"] if p["label"] == cells["label"]]
            axons["size"] = many
        sources, neurons = (
            [p for p in manifest["populations"] if p["is_source"] is kind] for kind in (True, False)
        )
        first = 0
        for each in (*neurons, *sources):
            each["first"], first = first, first + each["size"]
        other = tmp_path / "other"
        other.mkdir(exist_ok=True)
        for file in tmp_path.iterdir():
            if file.is_file():
                (other / file.name).write_bytes(file.read_bytes())
        seal(other, manifest)
        if not populations:
            assert export.verify(export.load(other)).passed
            continue
        with pytest.raises(export.DamagedTablesError):
            export.load(other)


def claiming(shape: tuple[int, ...]) -> bytes:
    """A file whose header speaks of more than there is."""
    array = io.BytesIO()
    header = {"descr": "<i8", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(array, header)
    array.write(bytes(16))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("x.npy", array.getvalue())
    return buffer.getvalue()


def test_damaged_arrays_are_refused(folder: Path) -> None:
    whole = packed(x=np.arange(5), y=np.zeros((2, 3)), z=np.array(7))
    found = read_npz(whole, "some.npz")
    np.testing.assert_array_equal(found["y"], np.zeros((2, 3)))
    assert found["z"] == 7
    compressed = io.BytesIO()
    np.savez_compressed(compressed, x=np.zeros(10**6))
    for bad in (
        *(b"", b"PK", whole[:-30], whole[:100], compressed.getvalue()),
        *(claiming((10**12,)), claiming((-2,)), packed(x=np.array(["a"], object))),
    ):
        with pytest.raises(export.DamagedTablesError, match=r"some\.npz holds no arrays"):
            read_npz(bad, "some.npz")
        for file in ("net.npz", "source.npz"):
            before = (folder / file).read_bytes()
            with pytest.raises(export.DamagedTablesError, match=file):
                rewrite(folder, file, lambda _, bad=bad: bad)
            rewrite(folder, file, lambda _, good=before: good)


ODD = (None, True, -1, 0, 3, 10**30, 0.5, "", "x", [], [1], {}, {"a": 1})


def leaves(part: Any, path: tuple[Any, ...] = ()) -> Any:
    """Paths of all values in a manifest, those that hold others included."""
    items = part.items() if isinstance(part, dict) else enumerate(part)
    for key, each in items:
        yield (*path, key)
        if isinstance(each, (dict, list)):
            yield from leaves(each, (*path, key))


@pytest.mark.parametrize("target", ["akida", "asic", "odin", "spinnaker1", "truenorth"])
def test_odd_values_in_a_manifest_are_refused_or_fail(target: str, tmp_path: Path) -> None:
    """With a checksum that fits. What means nothing, as a label does, may be anything."""
    net = suited(random_float(1, n=32), target)
    export.lower(net, target, None, rule_of(target), ACCEPT).save(tmp_path)
    good = (tmp_path / "manifest.json").read_text()
    every = list(leaves(json.loads(good)))
    rng = np.random.default_rng(1)
    for number in rng.choice(len(every), 60):
        manifest = json.loads(good)
        *path, last = every[number]
        part = manifest
        for key in path:
            part = part[key]
        part[last] = ODD[int(rng.integers(len(ODD)))]
        seal(tmp_path, manifest)
        try:
            tables = export.load(tmp_path)
            str(export.verify(tables, duration=20.0))
        except export.ExportError:
            pass
