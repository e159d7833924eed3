"""The examples run, print what they promise, and make pictures."""

from __future__ import annotations

import importlib.util
import os
import re
import runpy
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support.gallery import GALLERY, assert_as_in_gallery
from support.scripts import run_script

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"


def run(folder: Path, *command: str) -> str:
    """What an example prints, run in `folder`."""
    done = run_script(EXAMPLES / command[0], command[1:], folder, limit=300)
    assert done.status == 0, done.output[-3000:]
    return done.output


def assert_picture(file: Path) -> None:
    """A PNG of some size with something in it: an empty one compresses to a few kilobytes."""
    data = file.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", data[16:24])
    assert min(width, height) > 400
    assert len(data) > 15_000


def test_gallery_shows_every_example() -> None:
    entries = runpy.run_path(str(GALLERY.parent / "gallery_pictures.py"))["entries"]()
    assert {command[0] for command in entries.values()} == {
        f"examples/{path.name}" for path in EXAMPLES.glob("*.py")
    }
    assert set(entries) == {path.stem for path in GALLERY.glob("*.png")}


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
    if background == "poisson":
        assert_as_in_gallery(tmp_path / "results" / "microcircuit_sparse.png")


def on_both(folder: Path, *options: str) -> list[dict[str, float]]:
    """Population -> rate, on this backend and on NEST."""
    pytest.importorskip("nest")
    tables = [rates(run(folder, "microcircuit.py", name, *options)) for name in ("sparse", "nest")]
    return [{name: rate for name, (rate, _) in table.items()} for table in tables]


def test_microcircuit_has_the_same_spikes_on_nest(tmp_path: Path) -> None:
    """With a constant background nothing is random but the network, which is the same."""
    # A network this small is active for some 10 ms, and then silent.
    small = ("--scale", "0.02", "--duration", "50", "--warm-up", "0", "--background", "dc")
    sparse, nest = on_both(tmp_path, *small)
    assert len(sparse) == 8
    assert min(sparse.values()) > 3
    assert sparse == nest


@pytest.mark.slow
def test_microcircuit_has_the_same_rates_on_nest(tmp_path: Path) -> None:
    """With a Poisson background, whose spikes are others on each simulator."""
    sparse, nest = on_both(tmp_path, "--scale", "0.02", "--duration", "1000", "--warm-up", "200")
    assert len(sparse) == 8
    for name, rate in sparse.items():
        # With these seeds they differ by up to 0.35 Hz, in L5E with 6.5 Hz.
        assert rate == pytest.approx(nest[name], rel=0.15, abs=0.3), name


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--scale", "1.5", "1.5: must be greater than 0 and at most 1"),
        ("--scale", "nan", "nan: must be greater than 0 and at most 1"),
        ("--duration", "0", "0: must be at least 0.1 ms"),
        ("--warm-up", "-1", "-1: must be 0 ms or more"),
        ("--device", "tpu", "invalid choice: 'tpu'"),
    ],
)
def test_microcircuit_refuses(tmp_path: Path, option: str, value: str, message: str) -> None:
    done = run_script(EXAMPLES / "microcircuit.py", (f"{option}={value}",), tmp_path, limit=300)
    assert done.status == 2
    assert message in done.output


def test_microcircuit_is_quiet_where_nobody_watches(tmp_path: Path) -> None:
    """Standard error carries no progress bar; the picture goes where it is wanted."""
    command = ["microcircuit.py", "--scale", "0.01", "--duration", "5", "--warm-up", "0"]
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / command[0]), *command[1:], "--out", "elsewhere"],
        cwd=tmp_path,
        env={key: value for key, value in os.environ.items() if key != "CI"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    assert_picture(tmp_path / "elsewhere" / "microcircuit_sparse.png")


@pytest.mark.parametrize("names", [(), ("sparse",), ("nest",)])
def test_cell_types(tmp_path: Path, names: tuple[str, ...]) -> None:
    if "nest" in names:
        pytest.importorskip("nest")
    output = run(tmp_path, "cell_types.py", *names)
    counts = dict(re.findall(r"^(\w+) +(\d+) spikes", output, re.MULTILINE))
    expected = {"IF_curr_exp": 4, "IF_curr_alpha": 4, "IF_curr_delta": 3, "IF_cond_exp": 4}
    expected |= {"IF_cond_alpha": 6, "Izhikevich": 2}  # as on NEST
    assert {name: int(count) for name, count in counts.items()} == expected
    assert_picture(tmp_path / "results" / "cell_types.png")
    if "nest" not in names:
        assert_as_in_gallery(tmp_path / "results" / "cell_types.png")


def test_balanced_network(tmp_path: Path) -> None:
    output = run(tmp_path, "balanced_network.py")
    assert "256053 excitatory synapses" in output
    found = re.search(
        r"rate ([\d.]+) Hz, coefficient of variation of the intervals ([\d.]+)", output
    )
    assert found
    rate, cv = map(float, found.groups())
    assert 4.5 < rate < 7.5  # on NEST 5.8
    assert 0.3 < cv < 0.8
    assert_picture(tmp_path / "results" / "balanced_network.png")
    assert_as_in_gallery(tmp_path / "results" / "balanced_network.png")


def test_current_sources(tmp_path: Path) -> None:
    output = run(tmp_path, "current_sources.py")
    rows = re.findall(r"^(\w+) +(-?[\d.]+) nA on average, +(\d+) spikes", output, re.MULTILINE)
    means = {name: float(mean) for name, mean, _ in rows}
    spikes = {name: int(number) for name, _, number in rows}
    # 150 of 200 ms with 0.4 nA; three steps of 50 ms; five spikes of the sine as on NEST.
    assert means["DCSource"] == pytest.approx(0.4 * 150 / 200, abs=0.002)
    assert means["StepCurrentSource"] == pytest.approx((0.25 + 0.5 - 0.2) / 4, abs=0.002)
    assert means["NoisyCurrentSource"] == pytest.approx(0.35 * 150 / 200, abs=0.1)
    assert [spikes[name] for name in ("DCSource", "ACSource", "StepCurrentSource")] == [7, 5, 4]
    assert_picture(tmp_path / "results" / "current_sources.png")
    assert_as_in_gallery(tmp_path / "results" / "current_sources.png")


def test_converted_digits(tmp_path: Path) -> None:
    output = run(tmp_path, "converted_digits.py")
    rows = re.findall(r"^\| (\d+) \| ([\d.]+)% \|", output, re.MULTILINE)
    ours, textbook = rows[: len(rows) // 2], rows[len(rows) // 2 :]
    assert [steps for steps, _ in ours] == ["1", "2", "4", "8", "16", "32"]
    found = {int(T): (float(a), float(b)) for (T, a), (_, b) in zip(ours, textbook, strict=True)}
    assert found[2][0] > 88 > found[2][1] + 50
    assert found[32][0] > 91
    assert_picture(tmp_path / "results" / "converted_digits.png")
    assert_as_in_gallery(tmp_path / "results" / "converted_digits.png")


@pytest.mark.parametrize("names", [(), ("sparse",), ("nest", "sparse")])
def test_swap_backends(tmp_path: Path, names: tuple[str, ...]) -> None:
    """One name is compared with the other default, never with itself."""
    pytest.importorskip("nest")
    output = run(tmp_path, "swap_backends.py", *names)
    assert "NEST" in output  # which greets
    assert "10238 connections are identical" in output
    assert re.search(r"all \d{4} spikes are identical", output)
    assert_picture(tmp_path / "results" / "swap_backends.png")
    if not names:
        assert_as_in_gallery(tmp_path / "results" / "swap_backends.png")


def test_swap_backends_tells_where_spikes_first_differ() -> None:
    spec = importlib.util.spec_from_file_location("swap_backends", EXAMPLES / "swap_backends.py")
    assert spec
    assert spec.loader
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    one = np.array([[3, 1], [50, 7], [90, 2]])
    two = np.array([[3, 1], [52, 7], [90, 2]])
    assert example.first_difference(one, one) == "all 3 spikes are identical"
    assert example.first_difference(one, two) == "spikes first differ at 5.0 ms, in neuron 7"


def test_swap_backends_without_the_other(tmp_path: Path) -> None:
    done = run_script(EXAMPLES / "swap_backends.py", ("sparse", "absent"), tmp_path, limit=300)
    assert done.status == 1
    assert "pyNN.absent cannot be imported" in done.output


def test_distal_reward(tmp_path: Path) -> None:
    """The picture of the gallery is that of an hour; until here there are rewards, and growth."""
    output = run(tmp_path, "distal_reward.py", "--seconds", "200")
    (rewards,) = re.findall(r"^(\d+) rewards in 200 s$", output, re.MULTILINE)
    assert int(rewards) >= 1
    (weight,) = re.findall(r"from 0 to ([\d.]+) mV of 4$", output, re.MULTILINE)
    assert 0 < float(weight) < 1
    assert re.search(r"of 80000 are stronger; the mean of all is 0\.9\d mV$", output, re.MULTILINE)
    assert_picture(tmp_path / "results" / "distal_reward.png")


def test_target_trains(tmp_path: Path) -> None:
    output = run(tmp_path, "target_trains.py", "--rounds", "60")
    found = re.search(
        r"^distance: ([\d.]+) before, ([\d.]+) after 60 rounds$", output, re.MULTILINE
    )
    assert found
    before, after = map(float, found.groups())
    assert 1 < after < 0.8 * before
    (correlation,) = re.findall(r"true ones: ([\d.]+)$", output, re.MULTILINE)
    assert 0 < float(correlation) < 0.4
    assert_picture(tmp_path / "results" / "target_trains.png")


def test_decoding(tmp_path: Path) -> None:
    output = run(tmp_path, "decoding.py", "--seconds", "60")
    (difference,) = re.findall(r"what the regression does, within (\S+)$", output, re.MULTILINE)
    assert float(difference) < 1e-11
    (plain,) = map(float, re.findall(r"^no filter: R² = ([\d.]+)$", output, re.MULTILINE))
    causal = [float(each) for each in re.findall(r"^causal.* = ([\d.]+)$", output, re.MULTILINE)]
    blocks = [float(each) for each in re.findall(r"^by blocks.* = ([\d.]+)$", output, re.MULTILINE)]
    assert 0.6 < plain < 0.9
    assert len(causal) == len(blocks) == 5
    assert max(causal) - plain < 0.03 < max(blocks) - plain
    assert blocks == sorted(blocks)
    assert causal[-1] < plain
    assert_picture(tmp_path / "results" / "decoding.png")


SCRIPTS = ("distal_reward.py --seconds", "target_trains.py --rounds", "decoding.py --seconds")


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("value", ["0", "-1", "1.5"])
def test_numbers_are_refused(tmp_path: Path, script: str, value: str) -> None:
    name, option = script.split()
    done = run_script(EXAMPLES / name, (f"{option}={value}",), tmp_path, limit=300)
    assert done.status == 2
    assert f"argument {option}: {'invalid' if '.' in value else value}" in done.output
