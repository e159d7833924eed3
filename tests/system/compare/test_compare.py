"""Scripts on two backends: the report is read, errors in a backend are found and named."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import wrong
from support.browser import rendered

from pynn_sparse.cli import main
from pynn_sparse.compare.comparison import Comparison, compare_script
from pynn_sparse.compare.runs import Target, run_script

pytest.importorskip("elephant")

NETWORK = Path(__file__).with_name("network.py")
SCHEMA = Path(__file__).parents[3] / "pynn_sparse" / "compare" / "figures.schema.json"


@pytest.fixture
def backends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes the wrong backends importable, here and in the processes of runs."""
    wrong.write(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)


def compare(other: str, script: Path = NETWORK) -> Comparison:
    return compare_script([str(script)], [Target("sparse"), Target(other)], seeds=1)


def figures(folder: Path) -> Any:
    found = json.loads((folder / "figures.json").read_text())
    jsonschema.validate(found, json.loads(SCHEMA.read_text()))
    return found


def in_browser(page: Path, folder: Path) -> str:
    """The page as a browser has it; each picture has its size as `data-size`."""
    probe = (
        "<script>addEventListener('load', () => {for (const image of document.images) "
        "image.dataset.size = `${image.naturalWidth}x${image.naturalHeight}`})</script>"
    )
    copy = folder / "copy.html"
    copy.write_text(page.read_text().replace("</head>", f"{probe}</head>"))
    return rendered(copy.as_uri(), folder)


@pytest.mark.slow
def test_report_of_two_backends_in_a_browser(tmp_path: Path) -> None:
    pytest.importorskip("nest")
    out = tmp_path / "report"
    options = ["--seeds", "2", "--jobs", "2", "--spike-precision", "both", "--out", str(out)]
    assert main(["compare", str(NETWORK), *options]) == 0
    found = figures(out)
    assert found["same"] is True
    on_grid, off_grid = found["pairs"]
    assert on_grid["identical"] is True
    assert off_grid["identical"] is False
    assert {run["spike_precision"] for run in found["runs"]} == {"", "on_grid", "off_grid"}
    assert str(tmp_path) not in json.dumps(found)

    page = in_browser(out / "index.html", tmp_path)
    assert "2 runs went on at a time" in page
    assert re.search(r'<h1 id="verdict" class="same">', page)
    spikes = sum(row["spikes"][0] for row in on_grid["spikes"])
    assert f"nest does exactly the same as sparse: all {spikes} spikes" in page
    assert "nest (off grid) simulates the same network as sparse" in page
    # Every picture was decoded; nothing is loaded from elsewhere.
    images = re.findall(r"<img [^>]*>", page)
    sizes = [re.search(r'data-size="(\d+)x(\d+)"', image) for image in images]
    assert len(images) >= 10
    assert all(size and min(map(int, size.groups())) > 50 for size in sizes)
    assert not re.findall(r'(?:src|href)="(?!data:)', page)
    # The figures of the tables are those of the JSON file.
    cells = [re.findall(r"<td>(.*?)</td>", row) for row in re.findall(r"<tr>(.*?)</tr>", page)]
    for pair in found["pairs"]:
        for row in pair["connections"]:
            shown = [row["name"], str(row["counts"][0])]
            assert any(set(shown) <= set(line) for line in cells)
        for row in pair["measures"]:
            mean = f"{row['means'][1]:.3g}"
            assert any(row["population"] in line and mean in line for line in cells)
    assert "off the grid" in page


@pytest.mark.usefixtures("backends")
@pytest.mark.parametrize(
    ("backend", "said"),
    [
        ("wrong_weight", "weights on wrong_weight are 1.05 times those on sparse"),
        ("wrong_delay", "delays on wrong_delay are 1 time step longer than on sparse"),
        ("wrong_refractory", "cells: tau_refrac is 2 on sparse and 2.5 on wrong_refractory"),
        ("hidden_weight", "v on hidden_weight moves 1.05 times as far from rest as on sparse"),
        ("hidden_delay", "v on hidden_delay is that on sparse, 1 time step later: delays differ"),
        (
            "hidden_refractory",
            "20 steps on sparse and 25 steps on hidden_refractory: the refractory",
        ),
    ],
)
def test_an_error_of_a_backend_is_named(backend: str, said: str) -> None:
    """In the verdict's sentence; whether the backend reports what it does or not."""
    found = compare(backend)
    assert not found.same
    assert said in found.verdict


@pytest.mark.usefixtures("backends")
@pytest.mark.parametrize(
    ("backend", "hint"),
    [
        ("hidden_weight", "comes earlier on hidden_weight than on sparse: as with stronger input"),
        ("hidden_delay", "later on hidden_delay than on sparse, by 0.1 ms: as with other delays"),
        ("hidden_refractory", "as with a longer refractory period, another reset or weaker input"),
    ],
)
def test_spikes_alone_give_a_hint(tmp_path: Path, backend: str, hint: str) -> None:
    script = tmp_path / "no_potential.py"
    script.write_text(NETWORK.read_text().replace('cells[:4].record("v")\n', ""))
    found = compare(backend, script)
    assert not found.same
    assert hint in found.verdict


@pytest.mark.usefixtures("backends")
def test_a_backend_that_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "report"
    command = ["compare", str(NETWORK), "--backends", "sparse", "failing", "--seeds", "2"]
    assert main([*command, "--out", str(out)]) == 1
    assert "failing failed: RuntimeError: this backend cannot run" in capsys.readouterr().out
    found = figures(out)
    assert found["failed"] == {"failing": "RuntimeError: this backend cannot run"}
    assert (found["same"], found["pairs"]) == (False, [])
    page = (out / "index.html").read_text()
    assert '<h1 id="verdict" class="failed">' in page
    assert "failing failed: RuntimeError: this backend cannot run" in page
    assert "Traceback" in page


SCRIPT = """
import sys
import pyNN.nest as sim
from pyNN.random import NumpyRNG

sim.setup(timestep=0.5)
cells = sim.Population(3, sim.IF_curr_exp(i_offset=2.0), label="cells")
cells.initialize(v=NumpyRNG(seed=5).next(3, "uniform", {"low": -65.0, "high": -50.0}))
cells.record(["spikes", "v"])
"""


def run(tmp_path: Path, text: str, seed: int = 0, *words: str, backend: str = "sparse") -> Any:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT + text)
    return run_script(Target(backend), [str(script), *words], seed)


def spikes(result: Any) -> list[list[list[float]]]:
    (network,) = result.networks
    return [
        [train.tolist() for train in each.trains.values()] for each in network.activities["cells"]
    ]


def test_all_is_captured_whatever_the_script_clears(tmp_path: Path) -> None:
    """Data that the script has cleared, segments after a reset; without a call of `end`."""
    (whole,) = spikes(run(tmp_path, "sim.run(100.0)"))
    first, second = spikes(
        run(tmp_path, "sim.run(40.0)\ncells.get_data(clear=True)\nsim.run(60.0)\ncells.get_data()")
    )
    assert [one + two for one, two in zip(first, second, strict=True)] == whole
    assert all(first)
    twice = spikes(run(tmp_path, "sim.run(100.0)\nsim.reset()\nsim.run(100.0)\nsim.end()"))
    assert twice == [whole, whole]


def test_several_simulations_in_one_script(tmp_path: Path) -> None:
    again = "sim.run(20.0)\nsim.end()\n" + SCRIPT.replace("0.5)", "0.1)") + "sim.run(50.0)\n"
    one, two = run(tmp_path, again).networks
    assert (one.timestep, two.timestep) == (0.5, 0.1)
    assert (one.times["biological"], two.times["biological"]) == (20, 50)


def test_seeds_change_what_the_script_draws(tmp_path: Path) -> None:
    same, other = (spikes(run(tmp_path, "sim.run(50.0)", seed)) for seed in (0, 1))
    assert same == spikes(run(tmp_path, "sim.run(50.0)"))
    assert same != other
    # A script that takes its seed is given one, and the generators are left as they are.
    text = "assert sys.argv[1:] == ['sparse', '2']\nsim.run(50.0)"
    result = run(tmp_path, text, 1, "{backend}", "{seed}")
    assert (result.error, spikes(result)) == ("", same)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("sim.run(1.0)\nsys.exit(0)", ""),
        ("sim.run(1.0)\nsys.exit(3)", "RuntimeError: the script ended with exit status 3"),
        ("import os\nos._exit(4)", "the process ended with exit status 4"),
        ("import os\nos.kill(os.getpid(), 9)", "the process was ended by signal 9"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("", ""),  # a network that is not run can be compared, too
    ],
)
def test_how_scripts_end(tmp_path: Path, text: str, error: str) -> None:
    assert run(tmp_path, text).error == error


def test_a_script_without_a_network_or_a_run(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("import pyNN.nest as sim\nsim.setup()")
    assert run_script(Target("sparse"), [str(script)]).error == "the script made no population"
    script.write_text(SCRIPT + "sim.Projection(cells, cells, sim.AllToAllConnector())")
    pytest.importorskip("nest")
    out = tmp_path / "report"
    assert main(["compare", str(script), "--seeds", "1", "--out", str(out)]) == 0
    found = figures(out)
    assert found["pairs"][0]["connections"][0]["counts"] == [9, 9]
    assert found["verdict"].startswith("nest builds the same network as sparse")


def test_a_run_that_takes_too_long(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("import time\ntime.sleep(60)")
    result = run_script(Target("sparse"), [str(script)], timeout=2.0)
    assert result.error == "stopped after 2 s"
