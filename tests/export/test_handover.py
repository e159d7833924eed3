"""Files that others take over: a bench that checks itself, reports, HDF5, nothing left behind."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from export_networks import arrays_in, random_float

from pynn_sparse import export
from pynn_sparse.cli import main
from pynn_sparse.export.folder.writing import add
from pynn_sparse.export.targets.asic import simulate as rtl
from pynn_sparse.export.targets.asic.simulate import TOOLS, available, bench_files, simulate

STEPS = 40
# As the documentation gives them.
COMMANDS = {
    "icarus": "iverilog -g2005 -o bench.vvp -c run.f && vvp bench.vvp +check",
    "verilator": "verilator --binary --timing -Wno-fatal --top-module pynn_sparse_bench -f run.f"
    " && ./obj_dir/Vpynn_sparse_bench +check",
}
SCRIPT = """
import pyNN.sparse as sim
sim.setup(timestep=1.0)
times = [[2.0 + i, 9.0, 15.0 + i] for i in range(6)]
source = sim.Population(6, sim.SpikeSourceArray(spike_times=times), label="source")
cells = sim.Population(5, sim.IF_curr_exp(tau_refrac=3.0), label="cells")
sim.Projection(source, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=3.0, delay=2.0))
sim.run(40.0)
sim.end()
"""


def with_bench(folder: Path, seed: int = 5) -> export.Tables:
    tables = export.lower(random_float(seed, tau_syn_I=8.0), "asic")
    tables.save(folder)
    add(folder, bench_files(tables, tables.events(), STEPS))
    return tables


def run_bench(folder: Path, tool: str) -> str:
    if not available(tool):
        pytest.skip(f"{tool} is not installed (Debian: apt-get install {TOOLS[tool]})")
    done = subprocess.run(COMMANDS[tool], shell=True, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("tool", ["icarus", pytest.param("verilator", marks=pytest.mark.slow)])
def test_the_bench_checks_itself_without_python(tool: str, tmp_path: Path) -> None:
    tables = with_bench(tmp_path)
    states = (STEPS + 1) * tables.fixed.n_neurons
    assert f"PASS: {states} states" in run_bench(tmp_path, tool)
    core = tmp_path / "pynn_sparse_core.v"
    line = "now + hop[SLOT_BITS-1:0] + 1'b1"
    assert core.read_text().count(line) == 1
    core.write_text(core.read_text().replace(line, "now + hop[SLOT_BITS-1:0]"))
    printed = run_bench(tmp_path, tool)
    assert "FAIL" in printed
    assert "PASS" not in printed


@pytest.mark.parametrize("change", ["nibble", "fewer", "more ticks", "missing"])
def test_the_bench_notices_other_expectations(change: str, tmp_path: Path) -> None:
    with_bench(tmp_path)
    file = tmp_path / "expect.memh"
    lines = file.read_text().splitlines(keepends=True)
    lines[-1] = format(int(lines[-1], 16) ^ 1, f"0{len(lines[-1]) - 1}x") + "\n"
    fewer = (tmp_path / "run.f").read_text().replace("EXPECTED=1640", "EXPECTED=1600")
    file.unlink()
    if change == "nibble":
        file.write_text("".join(lines))
    elif change == "fewer":
        file.write_text("".join(lines[:-1]))
    elif change == "more ticks":
        file.write_text("".join(lines[:1600]))
        (tmp_path / "run.f").write_text(fewer)
    printed = run_bench(tmp_path, "icarus")
    assert "FAIL: 1 of 1640" in printed or change in ("missing", "more ticks")
    assert "FAIL" in printed
    assert "PASS" not in printed


def test_a_run_leaves_the_bench_as_it_was(tmp_path: Path) -> None:
    if not available("icarus"):
        pytest.skip("icarus is not installed (Debian: apt-get install iverilog)")
    tables = with_bench(tmp_path)
    simulate(tables, tmp_path, tables.events()[:3], 10)
    assert export.load(tmp_path).fixed.n_synapses == tables.fixed.n_synapses
    assert "PASS" in run_bench(tmp_path, "icarus")


def test_a_bench_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    tables = export.lower(random_float(5), "asic")
    monkeypatch.setattr(rtl, "MOST_EXPECTED", 1000)
    with pytest.raises(export.ExportError, match="1,640 states of 40 neurons in 40 ticks: must be"):
        bench_files(tables, tables.events(), STEPS)


def test_the_manifest_has_every_file_of_the_command(tmp_path: Path) -> None:
    script, out = tmp_path / "script.py", tmp_path / "out"
    script.write_text(SCRIPT)
    options = "--target asic --bench --csv --hdf5 --weight-bits e3m2".split()
    assert main(["export", str(script), "--out", str(out), *options]) == 0
    manifest = json.loads((out / "manifest.json").read_text())
    names = {path.name for path in out.iterdir()} - {"manifest.json"}
    assert names == set(manifest["files"])
    assert {"report.md", "report.html", "verify.json", "expect.memh", "run.f", "net.h5"} <= names
    for name, about in manifest["files"].items():
        assert hashlib.sha256((out / name).read_bytes()).hexdigest() == about["sha256"]
    found = json.loads((out / "verify.json").read_text())
    assert found["passed"] is True
    assert all(check["holds"] for check in found["checks"])
    assert found["comparisons"][0]["label"] == "cells"
    assert found["run"]["synaptic_operations"] == 6 * 3 * 5
    tables = export.load(out)
    assert str(tables.rule.minifloat) == "e3m2"
    assert "6 bits (e3m2 and a sign)" in (out / "report.md").read_text()
    assert "PASS" in run_bench(out, "icarus")
    (out / "report.md").write_text("all is well")
    with pytest.raises(export.DamagedTablesError, match=r"report\.md"):
        export.load(out)


def test_the_bench_is_that_of_asic(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    command = ["export", str(script), "--out", str(tmp_path / "out")]
    assert main([*command, "--target", "loihi1", "--bench"]) == 2
    assert "--bench: loihi1 has none" in capsys.readouterr().err
    (tmp_path / "out").write_text("a file")
    assert main([*command, "--target", "loihi1"]) == 2
    assert "exists and is not a folder" in capsys.readouterr().err


def test_nothing_of_another_export_stays(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    export.lower(random_float(1), "asic").save(tmp_path, csv=True)
    assert (tmp_path / "synapses.csv").exists()
    export.lower(random_float(1), "loihi1").save(tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {*json.loads((tmp_path / "manifest.json").read_text())["files"]} | {
        "manifest.json",
        "notes.txt",
    }
    assert "loihi.npz" in names
    assert "pynn_sparse_core.v" not in names
    assert "synapses.csv" not in names


def test_files_can_be_looked_at_before_they_are_written(tmp_path: Path) -> None:
    tables = export.lower(random_float(1), "asic")
    files = export.emit(tables)
    tables.save(tmp_path)
    assert files == {path.name: path.read_bytes() for path in tmp_path.iterdir()}


def test_hdf5_has_the_arrays(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    tables = export.lower(random_float(1), "asic")
    tables.save(tmp_path, hdf5=True)
    again = export.emit(export.load(tmp_path), hdf5=True)
    assert (tmp_path / "net.h5").read_bytes() == again["net.h5"]
    expected = arrays_in(tmp_path / "net.npz")
    with h5py.File(tmp_path / "net.h5") as file:
        assert set(file) == set(expected)
        for name, each in expected.items():
            np.testing.assert_array_equal(file[name][()], each)
