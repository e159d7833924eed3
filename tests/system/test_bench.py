"""The benchmarks run, check what was computed before they compare times, say what is missing."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from pynn_sparse.bench import report
from pynn_sparse.bench.networks import NETWORKS
from pynn_sparse.bench.peers import NEST, PEERS, Peer
from pynn_sparse.bench.suite import Comparison, RunError, compare, execute, peers_for
from pynn_sparse.cli import main

GOOD = {
    "build": 0.2,
    "first step": 0.01,
    "run per second": 0.02,
    "rate": 5.5,
    "cv": 0.8,
    "ns per neuron-step": 0.6,
    "ns per event": None,
    "bytes per synapse": 12.0,
    "peak MiB": 100.0,
}


def made_up(own: dict[str, Any], peer: dict[str, Any]) -> Comparison:
    """A comparison of two runs of each simulator, by figures."""

    def run(command: list[str]) -> dict[str, Any]:
        return GOOD | (own if "sparse" in command else {"run per second": 0.5} | peer)

    found = Peer("nest", lambda: None, NEST.command, ())
    return compare("cuba4000", 2, [found], 2, run=run)


def test_quick_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("nest")
    files = [tmp_path / name for name in ("figures.json", "table.md", "times.png")]
    options = ["--networks", "cuba4000", "--threads", "2", "--repeats", "1", "--duration", "100"]
    where = [text for file in files for text in (f"--{OPTION[file.suffix]}", str(file))]
    assert main(["bench", *options, *where]) == 0
    written = json.loads(files[0].read_text())
    (result,) = written["results"]
    assert set(result["runs"]) == {"sparse", "nest"}
    (run,) = result["runs"]["sparse"]
    assert set(GOOD) < set(run)
    assert run["synapses"] == result["runs"]["nest"][0]["synapses"]
    assert 3 < run["rate"] < 9
    assert files[1].read_text().startswith("| network | threads |")
    assert "cuba4000" in capsys.readouterr().out
    assert files[2].read_bytes().startswith(b"\x89PNG")


OPTION = {".json": "json", ".md": "table", ".png": "picture"}


def test_ratios_are_of_medians_to_the_best_peer() -> None:
    found = made_up({}, {})
    assert found.problem == ""
    assert found.ratio("run per second") == pytest.approx(25)
    found.runs["other"] = [GOOD | {"run per second": 0.1}]
    assert found.ratio("run per second") == pytest.approx(5)
    row = report.table([found]).splitlines()[2]
    assert "| 5 |" in row


def test_a_ratio_needs_the_same_activity() -> None:
    for change, said in (({"rate": 7.0}, "rate 5.5 Hz, on nest 7 Hz"), ({"cv": 0.5}, "CV 0.8")):
        found = made_up({}, change)
        assert said in found.problem
        assert "differs" in report.table([found])


def test_what_cannot_be_run_is_said() -> None:
    def fails(command: list[str]) -> dict[str, Any]:
        if "sparse" in command:
            raise RunError("NotImplementedError: no such model")
        return dict(GOOD)

    found = compare("cuba4000", 1, [], 2, run=fails)
    assert "not available: NotImplementedError: no such model" in report.table([found])
    assert math.isnan(found.ratio("build"))
    absent = Peer("nest", lambda: "not installed here", NEST.command, ())
    found = compare("cuba4000", 1, [absent], 1, run=lambda command: dict(GOOD))
    assert found.absent == {"nest": "not installed here"}
    with pytest.raises(RunError, match="invalid choice"):
        execute([*NEST.command("cuba4000", 1, 1.0)[:-5], "nowhere"])  # type: ignore[index]


def test_large_networks_have_peers_only_on_request() -> None:
    assert peers_for("microcircuit1.0-dc", ["nest"], asked=False) == []
    assert peers_for("microcircuit1.0-dc", ["nest"], asked=True) == [PEERS["nest"]]
    assert peers_for("cuba4000", ["nest"], asked=False) == [PEERS["nest"]]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--networks", "cuba"], "cuba4000"),
        (["--peers", "neuron"], "invalid choice: 'neuron'"),
        (["--repeats", "0"], "must be greater than 0"),
        (["--threads", "-1"], "must be greater than 0"),
    ],
)
def test_wrong_options(
    options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["bench", *options])
    assert message in f"{capsys.readouterr().err}{stopped.value}"


def test_microcircuit_is_that_of_the_example() -> None:
    """Two copies of the published numbers, one of them in a script that stands alone."""
    examples = Path(__file__).parents[2] / "examples"
    script: dict[str, Any] = {"__name__": "example"}
    exec((examples / "microcircuit.py").read_text(), script)
    from pynn_sparse.bench import microcircuit

    n = microcircuit.numbers(0.1, "poisson")
    assert (n.synapses == (script["synapse_numbers"]() * 0.01).round().astype(int)).all()
    assert (n.current == script["compensating_current"](0.1, "poisson")).all()
    assert (n.weight == script["full_weights"]() / 0.1**0.5).all()
    assert script["NEURON"] == microcircuit.NEURON
    assert set(NETWORKS) >= {"brunel", "stdp", "silent", "wide"}
