"""The examples run, print what they promise, and make pictures."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def run(folder: Path, *command: str) -> str:
    """What an example prints, run in `folder`."""
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / command[0]), *command[1:]],
        cwd=folder,
        env=os.environ | {"MPLBACKEND": "Agg", "CI": "true"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def assert_picture(file: Path) -> None:
    """A PNG of some size with something in it: an empty one compresses to a few kilobytes."""
    data = file.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", data[16:24])
    assert min(width, height) > 400
    assert len(data) > 15_000


def rates(output: str) -> dict[str, tuple[float, float]]:
    """Population -> measured and published rate, from the table."""
    rows = re.findall(r"^(L\d+[EI]) +\d+ +([\d.]+) +([\d.]+)", output, re.MULTILINE)
    return {name: (float(rate), float(published)) for name, rate, published in rows}


@pytest.mark.parametrize("background", ["poisson", "dc"])
def test_microcircuit(tmp_path: Path, background: str) -> None:
    output = run(tmp_path, "microcircuit.py", "sparse", "--background", background)
    assert "7717 neurons" in output
    table = rates(output)
    assert len(table) == 8
    for name, (rate, published) in table.items():
        # At a tenth of the size rates are near those of the full network, not equal to them.
        assert published / 2 < rate < published * 2, name
    mean = sum(rate for rate, _ in table.values()) / sum(rate for _, rate in table.values())
    assert mean == pytest.approx(1.0, abs=0.2)
    assert_picture(tmp_path / "results" / "microcircuit_sparse.png")


def test_microcircuit_has_the_same_rates_on_nest(tmp_path: Path) -> None:
    pytest.importorskip("nest")
    small = ("--scale", "0.02", "--duration", "400", "--warm-up", "100", "--background", "dc")
    tables = [rates(run(tmp_path, "microcircuit.py", name, *small)) for name in ("sparse", "nest")]
    for name, (rate, _) in tables[0].items():
        # Nothing is random but the network, which is the same; only chaos lets them drift apart.
        assert rate == pytest.approx(tables[1][name][0], rel=0.35, abs=0.3), name


def test_microcircuit_refuses_a_scale(tmp_path: Path) -> None:
    command = [sys.executable, str(EXAMPLES / "microcircuit.py"), "--scale", "1.5"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "1.5: must be greater than 0 and at most 1" in done.stderr


def test_cell_types(tmp_path: Path) -> None:
    output = run(tmp_path, "cell_types.py", "sparse")
    counts = dict(re.findall(r"^(\w+) +(\d+) spikes", output, re.MULTILINE))
    assert len(counts) == 6
    assert all(int(count) > 0 for count in counts.values())
    assert_picture(tmp_path / "results" / "cell_types.png")


def test_swap_backends(tmp_path: Path) -> None:
    pytest.importorskip("nest")
    output = run(tmp_path, "swap_backends.py", "sparse", "nest")
    assert "10238 connections are identical" in output
    assert re.search(r"all \d{4} spikes are identical", output)
    assert_picture(tmp_path / "results" / "swap_backends.png")


def test_balanced_network(tmp_path: Path) -> None:
    output = run(tmp_path, "balanced_network.py", "sparse")
    found = re.search(r"rate ([\d.]+) Hz", output)
    assert found
    assert 4.0 < float(found[1]) < 8.0  # it keeps itself active, at a low rate
    assert_picture(tmp_path / "results" / "balanced_network.png")


def test_current_sources(tmp_path: Path) -> None:
    output = run(tmp_path, "current_sources.py", "sparse")
    means = dict(re.findall(r"^(\w+Source) +([\d.]+) nA on average", output, re.MULTILINE))
    assert len(means) == 4
    assert float(means["DCSource"]) == pytest.approx(0.4 * 150 / 200, rel=0.01)
    assert_picture(tmp_path / "results" / "current_sources.png")
