"""Folders that are read back, and what verification finds."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from export_folders import manifest_of, packed, rewrite, seal
from export_networks import ACCEPT, random_float, rule_of, suited

from pynn_sparse import export
from pynn_sparse.export.folder.arrays import read_npz
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


# --- damage --------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_files_that_other_programs_load_are_compared(target: str, tmp_path: Path) -> None:
    """Each is changed alone, with checksums that fit; a missing one is named, too."""
    net = suited(random_float(1, n=32), target)
    tables = export.lower(net, target, None, rule_of(target), ACCEPT)
    tables.save(tmp_path, csv=True, hdf5=True)
    names = {"net.npz", "net.h5", "synapses.csv", *tables.target.more_files(tables)}
    statement = "files that other programs load are those that the words make"
    for name in sorted(names):
        good = (tmp_path / name).read_bytes()
        bad = changed(name, good)
        assert bad != good
        if name == "net.npz":
            report = export.verify(rewrite(tmp_path, name, lambda _, bad=bad: bad))
        else:
            report = export.verify(rewrite(tmp_path, name, lambda _, bad=bad: bad))
            assert [c.figures for c in report.checks if not c.holds] == [f"{name} differs"], name
        assert [c.statement for c in report.checks if not c.holds] == [statement], name
        rewrite(tmp_path, name, lambda _, good=good: good)
    manifest = manifest_of(tmp_path)
    for name in sorted(set(tables.target.more_files(tables)))[:1]:
        del manifest["files"][name]
        seal(tmp_path, manifest)
        report = export.verify(export.load(tmp_path))
        assert [c.figures for c in report.checks if not c.holds] == [f"{name} is missing"]


def changed(name: str, data: bytes) -> bytes:
    """A file of the same kind that says something else."""
    if name.endswith(".npz"):
        arrays = read_npz(data, name)
        key = next(k for k in arrays if arrays[k].size and k not in ("scale", "origin", "core"))
        other = arrays[key].copy()
        other.reshape(-1)[-1] ^= 1 if other.dtype.kind in "iu" else 0
        return packed(**arrays | {key: other})
    if name.endswith((".h5", ".net")):
        h5py = pytest.importorskip("h5py")
        buffer = io.BytesIO(data)
        with h5py.File(buffer, "r+") as file:
            path = "weight" if "weight" in file else "layer/0/weight"
            file[path][...] = file[path][...] + 1
        return buffer.getvalue()
    place = max(i for i, byte in enumerate(data) if chr(byte) in "01")
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def test_the_same_arrays_of_another_library_pass(folder: Path) -> None:
    """The order in an archive says nothing."""

    def turned(data: bytes) -> bytes:
        return packed(**dict(reversed(read_npz(data, "net.npz").items())))

    assert export.verify(rewrite(folder, "net.npz", turned)).passed
