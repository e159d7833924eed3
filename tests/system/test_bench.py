"""The benchmarks run, check what was computed before they compare times, say what is missing."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

import pytest

from pynn_sparse.bench import baseline, command, report
from pynn_sparse.bench.networks import NETWORKS
from pynn_sparse.bench.peers import GENN, NEST, PEERS, Peer
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
    "other CPU": 0.1,
}


def made_up(own: dict[str, Any], peer: dict[str, Any]) -> Comparison:
    """A comparison of two runs of each simulator, by figures."""

    def run(command: list[str]) -> dict[str, Any]:
        return GOOD | (own if "sparse" in command else {"run per second": 0.5} | peer)

    found = Peer("nest", "NEST", lambda: None, NEST.command, ())
    return compare("cuba4000", 2, [found], 2, run=run)


def test_quick_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("nest")
    files = [tmp_path / name for name in ("figures.json", "table.md", "times.png")]
    where = ["--json", str(files[0]), "--table", str(files[1]), f"--picture={files[2]}"]
    options = ["--quick", "--networks", "cuba4000", "--peers", "nest"]
    assert main(["bench", *options, *where]) == 0
    written = json.loads(files[0].read_text())
    (result,) = written["results"]
    assert result["network"] == "cuba4000"
    assert set(result["runs"]) == {"sparse", "nest"}
    (run,) = result["runs"]["sparse"]
    assert set(GOOD) < set(run)
    assert run["synapses"] == result["runs"]["nest"][0]["synapses"]
    assert 3 < run["rate"] < 30
    table = files[1].read_text()
    assert table.startswith("| network | threads |")
    assert table in capsys.readouterr().out
    assert files[2].read_bytes().startswith(b"\x89PNG")
    # The command can be copied, but does not say where the files are.
    assert f"bench {' '.join(options)} --json figures.json" in table
    assert "--picture=times.png" in written["command"]
    assert str(tmp_path) not in table + files[0].read_text()


def test_quick_is_a_short_run_of_two_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def noted(**of: Any) -> Comparison:
        asked.append((of["network"], of["threads"], of["repeats"], of["duration"]))
        return made_up({}, {})

    monkeypatch.setattr(command, "compare", noted)
    assert main(["bench", "--quick", "--peers", "nest"]) == 0
    assert asked == [(name, 2, 1, 100.0) for name in ("cuba4000", "coba4000")]


@pytest.mark.slow
def test_genn_does_the_same() -> None:
    pytest.importorskip("pygenn")
    found = compare("cuba4000", 2, [GENN], 1, duration=500.0)
    assert (found.problem, found.absent) == ("", {})
    (run,) = found.runs["genn"]
    assert set(GOOD) < set(run)


def test_ratios_are_of_medians_to_the_best_peer() -> None:
    found = made_up({}, {})
    assert found.problem == ""
    assert report.ratio(found, [found], "run per second") == pytest.approx(25)
    found.runs["genn"] = [GOOD | {"run per second": 0.1}]
    assert report.ratio(found, [found], "run per second") == pytest.approx(5)
    assert "| 5 |" in report.table([found]).splitlines()[2]
    # With another number of threads the peer was faster; another network does not matter.
    faster = made_up({}, {"run per second": 0.04})
    other = made_up({}, {"run per second": 0.001})
    other.network = "coba4000"
    assert report.ratio(found, [found, faster, other], "run per second") == pytest.approx(2)
    faster.problem = "the rates differ"
    assert report.ratio(found, [found, faster, other], "run per second") == pytest.approx(5)


def test_a_ratio_needs_the_same_activity() -> None:
    for change, said in (({"rate": 7.0}, "rate 5.5 Hz, on nest 7 Hz"), ({"cv": 0.5}, "CV 0.8")):
        found = made_up({}, change)
        assert said in found.problem
        assert "rates differ: " in report.table([found])
    assert "CV 0.8, on nest nan" in made_up({}, {"cv": None}).problem
    assert made_up({"cv": None}, {"cv": None}).problem == ""


def test_a_disturbed_ratio_is_marked() -> None:
    found = made_up({}, {})
    found.runs["nest"][1:] = [GOOD | {"other CPU": 1.0}] * 2
    assert "(disturbed)" in report.table([found])
    found.runs["nest"] += [dict(GOOD)] * 2  # the median is undisturbed
    assert "(disturbed)" not in report.table([found])
    assert report.table([found]).splitlines()[2].endswith("| 1 |")


def test_what_cannot_be_run_is_said() -> None:
    def fails(command: list[str]) -> dict[str, Any]:
        if "sparse" in command:
            raise RunError("NotImplementedError: no such model")
        return dict(GOOD)

    found = compare("cuba4000", 1, [], 2, run=fails)
    assert "not available: NotImplementedError: no such model" in report.table([found])
    assert math.isnan(found.best("build"))
    assert found.problem == ""  # known, and said
    absent = Peer("nest", "NEST", lambda: "not installed here", NEST.command, ())
    found = compare("cuba4000", 1, [absent], 1, run=lambda command: dict(GOOD))
    assert found.absent == {"nest": "not installed here"}
    assert report.missing([found]) == "\nNEST: not installed here."
    found.network, other = "silent", compare("cuba4000", 1, [], 1, run=lambda command: dict(GOOD))
    assert report.missing([found, other]) == "\nNEST (silent): not installed here."
    with pytest.raises(RunError, match="invalid choice"):
        execute([*NEST.command("cuba4000", 1, 1.0)[:-5], "nowhere"])  # type: ignore[index]


def test_runs_keep_what_python_compiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that builds are timed alike: one that pip installed has its modules compiled along."""
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    told = "import json, sys; print(json.dumps({'kept': not sys.dont_write_bytecode}))"
    assert execute([sys.executable, "-c", told]) == {"kept": True}


def test_large_networks_have_peers_only_on_request() -> None:
    assert peers_for("microcircuit1.0-dc", ["nest"], asked=False) == []
    assert peers_for("microcircuit1.0-dc", ["nest"], asked=True) == [PEERS["nest"]]
    assert peers_for("cuba4000", ["nest"], asked=False) == [PEERS["nest"]]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--networks", "cuba"], "cuba4000"),
        (["--peers", "neuron"], "invalid choice: 'neuron' (choose from "),
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


def times(build: float, *run: float, other_cpu: float = 0.1) -> Comparison:
    """A comparison of this backend alone, with the times of its runs."""
    figures = [GOOD | {"build": build, "run per second": r, "other CPU": other_cpu} for r in run]
    return Comparison("cuba4000", 2, "numpy", {"sparse": figures})


@pytest.mark.parametrize(
    ("now", "slower", "verdict"),
    [
        (times(0.2, 0.021, 0.022, 0.023), False, "run 0.022 s, before 0.02 s: alike"),
        (times(0.2, 0.028, 0.03, 0.04), True, "run 0.03 s, before 0.02 s: SLOWER"),
        (times(0.4, 0.02), True, "build 0.4 s, before 0.2 s: SLOWER"),
        (times(0.2, 0.01), False, "run 0.01 s, before 0.02 s: faster"),
        (times(0.2, 0.024), False, "alike"),  # no slower than the slowest run before
        (times(0.2, 0.03, other_cpu=1.0), False, "SLOWER, disturbed"),
    ],
)
def test_times_beside_earlier_ones(now: Comparison, slower: bool, verdict: str) -> None:
    lines, found = baseline.beside([now], [times(0.2, 0.019, 0.02, 0.025)])
    assert verdict in lines
    assert found is slower


def test_networks_that_were_not_measured_before_are_named() -> None:
    other = Comparison("brunel", 1, "numpy", {"sparse": [GOOD]})
    assert baseline.beside([other], [times(0.2, 0.02)]) == (
        "brunel, 1 thr.: not measured before",
        False,
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "No such file"), ("{}", "is not a file of"), ("[1", "is not a file of")],
)
def test_what_is_not_a_file_of_figures(tmp_path: Path, content: str | None, message: str) -> None:
    file = tmp_path / "earlier.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(SystemExit, match=rf"--against .*earlier\.json: {message}"):
        main(["bench", "--quick", "--against", str(file)])


def test_files_of_the_documentation_can_be_compared_with() -> None:
    folder = Path(__file__).resolve().parents[2] / "docs" / "benchmarks"
    for name in ("peers", "microcircuits", "threads"):
        found = baseline.load(folder / f"{name}.json")
        lines, slower = baseline.beside(found, found)
        assert not slower
        assert "SLOWER" not in lines
