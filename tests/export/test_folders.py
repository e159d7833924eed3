"""Folders that are read back; what damaged ones are refused for, and what verification finds."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from export_networks import ACCEPT, random_float, rule_of, suited

from pynn_sparse import export
from pynn_sparse.export.registry import TARGETS


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_a_folder_holds_everything(target: str, tmp_path: Path) -> None:
    net = suited(random_float(1, n=32), target)
    tables = export.lower(net, target, export.Prune(fraction=0.5), rule_of(target), ACCEPT)
    for folder in ("one", "two"):
        tables.save(tmp_path / folder)
    loaded = export.load(tmp_path / "one")
    loaded.save(tmp_path / "three")
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    for folder in ("two", "three"):
        assert sorted(path.name for path in (tmp_path / folder).iterdir()) == names
        for name in names:
            assert (tmp_path / "one" / name).read_bytes() == (tmp_path / folder / name).read_bytes()
    np.testing.assert_array_equal(loaded.trace(100.0).spikes, tables.trace(100.0).spikes)
    assert export.verify(loaded, duration=100.0).passed
    memories = [name for name in names if name.endswith((".memh", ".mem"))]
    assert len(memories) >= len(tables.memories)
    for name in memories:
        assert (tmp_path / "one" / name).read_bytes().endswith(b"\n")


def test_text_of_synapses(tmp_path: Path) -> None:
    tables = export.lower(random_float(1), "asic")
    tables.save(tmp_path, csv=True)
    lines = (tmp_path / "synapses.csv").read_text().splitlines()
    assert len(lines) == tables.fixed.n_synapses + 1
    axon, neuron, hop, charge, weight = lines[1].split(",")
    assert [int(axon), int(neuron), int(hop)] == [
        tables.fixed.source[0],
        tables.fixed.target[0],
        tables.fixed.hop[0],
    ]
    gain = float(charge) / tables.scale[int(neuron)] / float(weight)
    assert gain > 0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    export.lower(random_float(1), "asic").save(tmp_path / "out")
    return tmp_path / "out"


def change_manifest(folder: Path, **values: Any) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | values))


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
    with pytest.raises(export.DamagedTablesError, match="schema 0, this version reads 1"):
        export.load(folder)
    change_manifest(folder, schema=1, target={"name": "asic", "version": 99, "options": {}})
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
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest[key]
    (folder / "manifest.json").write_text(json.dumps(manifest))
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
    manifest = json.loads((folder / "manifest.json").read_text())
    part = manifest
    for key in keys[:-1]:
        part = part[key]
    part[keys[-1]] = value
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(export.DamagedTablesError):
        export.load(folder)


def test_a_missing_memory_is_named(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["memories"]["profiles"]
    (folder / "manifest.json").write_text(json.dumps(manifest))
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


def rewrite(folder: Path, file: str, change: Any) -> export.Tables:
    """Load a folder with a changed file whose sha256 has been made to fit."""
    path = folder / file
    path.write_bytes(change(path.read_bytes()))
    data = path.read_bytes()
    manifest = json.loads((folder / "manifest.json").read_text())
    digest = hashlib.sha256(data).hexdigest()
    manifest["files"][file] = {"bytes": len(data), "sha256": digest}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return export.load(folder)


@pytest.mark.parametrize("file", ["synapses.memh", "profiles.memh", "rows.memh", "formats.memh"])
def test_any_flipped_bit_fails_verification(file: str, folder: Path) -> None:
    """Also with a checksum that fits: words are compared with the network in floats."""
    good = (folder / file).read_bytes()
    rng = np.random.default_rng(0)
    digits = [i for i, character in enumerate(good) if character != ord("\n")]
    tried = 0
    for place in rng.choice(digits, min(len(digits), 25), replace=False):
        flipped = format(int(chr(good[place]), 16) ^ 1 << int(rng.integers(0, 4)), "x").encode()
        bad = good[:place] + flipped + good[place + 1 :]
        try:
            tables = rewrite(folder, file, lambda _, bad=bad: bad)
        except export.DamagedTablesError:  # a bit beyond the word's width
            continue
        assert not export.verify(tables, duration=50.0).passed, (place, flipped)
        tried += 1
    assert tried >= 3


def test_a_dropped_last_word_is_refused(folder: Path) -> None:
    with pytest.raises(export.DamagedTablesError, match="memory synapses"):
        rewrite(folder, "synapses.memh", lambda text: text[: text[:-1].rindex(b"\n") + 1])


def altered(tables: export.Tables, **changes: Any) -> export.Report:
    """Verification of tables that hold other integers."""
    other = replace(tables.fixed, **changes)
    memories = tables.target.pack(other, tables.rule.weight_bits, tables.rule.signed)
    return export.verify(replace(tables, memories=memories, frame=other.frame))


@pytest.mark.parametrize("target", ["asic", "loihi1"])
def test_another_rule_fails_verification(target: str) -> None:
    """> for >=, a missing + 1, a delay off by one, another rounding, a threshold off by a unit."""
    tables = export.lower(random_float(2, v_thresh=-51.3), target)
    fixed, rule, registers = tables.fixed, tables.fixed.semantics, tables.fixed.profiles
    assert altered(tables).passed
    other = "greater" if rule.compare != "greater" else "greater_or_equal"
    unit = 64 if target == "loihi1" else 1
    wrong = {
        "the update rule": {"semantics": replace(rule, compare=other)},
        "decay of currents": {
            "profiles": replace(registers, current_decay=registers.current_decay + 1)
        },
        "decay of voltages": {
            "profiles": replace(registers, voltage_decay=registers.voltage_decay - 1)
        },
        "threshold": {"profiles": replace(registers, threshold=registers.threshold + unit)},
        "its delay": {"hop": fixed.hop + 1},
        "as rounding leaves it": {"weight": fixed.weight - np.sign(fixed.weight)},
    }
    for statement, changes in wrong.items():
        report = altered(tables, **changes)
        assert [c for c in report.checks if not c.holds and statement in c.statement], statement


def test_floor_is_not_nearest() -> None:
    net = random_float(2)
    floor = export.lower(net, "asic", quantise=export.Quantise(rounding="floor"))
    assert export.verify(floor).passed
    report = export.verify(replace(floor, rule=export.Quantise(rounding="nearest")))
    assert not report.passed


def test_overflow_fails_verification() -> None:
    """Weights that fit one by one, and a sum that does not."""
    net = random_float(2, rate=0.9, v_thresh=-64.9)
    target = type(export.find("asic"))(voltage_bits=10)
    report = export.verify(export.lower(net, target), duration=100.0)
    (failed,) = [check for check in report.checks if not check.holds]
    assert "stay in range" in failed.statement
