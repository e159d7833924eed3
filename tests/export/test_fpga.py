"""The Verilog core in an FPGA, by yosys and nextpnr."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from export_networks import random_fixed, random_float, tables_of

from pynn_sparse import export
from pynn_sparse.export.targets.asic.fpga import implement, missing


def needs_tools() -> None:
    if missing():
        pytest.skip(f"not installed: {', '.join(missing())}")


def test_a_small_core_is_placed_and_routed(tmp_path: Path) -> None:
    needs_tools()
    small = export.find("asic", voltage_bits=12, decay_bits=8)
    tables = export.lower(random_float(1), small, quantise=export.Quantise(weight_bits=4))
    tables.save(tmp_path)
    made = implement(tables, tmp_path)
    assert 300 < made.used["logic cells"] < 2500
    assert 5 <= made.used["block RAMs"] <= 20  # the large memories are not made of flip-flops
    assert 10 < made.frequency < 100
    assert made.bitstream.stat().st_size > 50_000
    assert "nextpnr-ice40 --up5k" in made.commands[1]
    assert made.versions["yosys"][0].isdigit()
    assert f"{made.used['block RAMs']} of 30 block RAMs" in str(made)


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
    with pytest.raises(export.ExportError, match="device = 'ecp5': must be one of up5k, hx8k"):
        implement(tables, tmp_path, "ecp5")
    monkeypatch.setattr(shutil, "which", lambda tool: None)
    wanted = "apt-get install yosys nextpnr-ice40 fpga-icestorm"
    with pytest.raises(export.ExportError, match=wanted):
        implement(tables, tmp_path)
