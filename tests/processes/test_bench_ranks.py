"""`pynn-sparse bench --ranks`: several processes beside one, which have to do the same."""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import test_mpiexec

from pynn_sparse.bench import baseline, ranks, report
from pynn_sparse.bench.suite import RunError, execute
from pynn_sparse.cli import main

START = ranks.Launcher("mpiexec")
ONE = {
    "run per second": 0.2,
    "build CPU": 1.0,
    "network MiB": 100.0,
    "network peak MiB": 200.0,
    "other CPU": 0.1,
    "rate": 5.5,
    "cv": 0.8,
    "spikes": "a",
}
EACH = [
    {"network MiB": 52.0, "network peak MiB": 110.0},
    {"network MiB": 55.0, "network peak MiB": 90.0},
]
SEVERAL = ONE | {
    "run per second": 0.25,
    "build CPU": 0.6,
    "network MiB": 55.0,
    "network peak MiB": 110.0,
    "processes": EACH,
}


def compared(
    several: dict[str, Any] | None = None, peer: dict[str, Any] | None = None
) -> ranks.Comparison:
    """A comparison of made-up runs on 2 processes of 3 threads each."""

    def run(command: list[str]) -> dict[str, Any]:
        if "mpiexec" not in command:
            assert command[command.index("--threads") + 1] == "6"
            return dict(ONE)
        assert command[:3] == ["mpiexec", "-n", "2"]
        assert command[command.index("--threads") + 1] == "3"
        return SEVERAL | ((peer if "nest" in command else several) or {})

    nest = None if peer else "built without MPI"
    return ranks.compare("brunel", 2, 3, 2, rng="native", start=START, nest=nest, run=run)


def row(found: ranks.Comparison) -> dict[str, str]:
    """Columns of its row, by their heads."""
    heads, cells = ranks.cells([found])
    return dict(zip(heads, cells, strict=True))


def test_table_has_medians_of_each_process_and_ratios() -> None:
    found = compared()
    assert found.problem == ""
    shown = row(found)
    assert shown["processes x threads"] == "2 x 3"
    assert shown["run, one / several"] == "0.8"
    assert shown["memory of each / MiB"] == "52, 55"
    ratios = [shown[f"{what}, several / one"] for what in ("building", "memory", "peak")]
    assert ratios == ["0.6", "0.55", "0.55"]
    assert not any("NEST" in head for head in shown)
    assert report.missing([found]) == "\nNEST: built without MPI."
    assert row(compared(peer={"run per second": 2.5}))["NEST / several"] == "10"
    assert "(disturbed)" in row(compared({"other CPU": 0.7}))["run, one / several"]


def test_times_count_only_with_the_same_spikes() -> None:
    found = compared({"spikes": "b"})
    assert found.problem == "the spikes of several processes are not those of one"
    shown = row(found)
    assert shown["run, one / several"] == "-"
    assert found.problem in shown["one process, run / s per s"]
    assert "rate" in compared(peer={"rate": 9.0}).problem


def test_what_several_cannot_do_is_said() -> None:
    def run(command: list[str]) -> dict[str, Any]:
        if "mpiexec" in command:
            raise RunError("NotImplementedError: gap junctions")
        return dict(ONE)

    found = ranks.compare("stdp", 2, 1, 1, rng="native", start=START, nest="no", run=run)
    assert found.problem == ""
    assert "not available: NotImplementedError: gap junctions" in ranks.table([found])


def test_reasons_that_launchers_and_scripts_give() -> None:
    def reason(text: str) -> str:
        with pytest.raises(RunError) as error:
            execute([sys.executable, "-c", f"import sys; sys.exit({text!r})"])
        return str(error.value)

    frame = "-" * 40
    assert reason(f"{frame}\nThere are not\nenough slots\n{frame}") == "There are not enough slots"
    assert reason(f"MemoryError: no room\n{frame}\nprterun: a process\n{frame}") == (
        "MemoryError: no room"
    )
    assert reason("a\nb") == "b"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--ranks", "1"], "--ranks 1: must be 2 or more"),
        (["--ranks", "0"], "must be greater than 0"),
        (["--ranks", "2", "--peers", "genn"], "--peers genn: of --ranks may be nest alone"),
        (["--ranks", "2", "--against", "a.json"], "--against: is not for --ranks"),
        (["--ranks", "2", "--suite", "trained"], "--ranks: is not for --suite trained"),
    ],
)
def test_wrong_options(options: list[str], message: str) -> None:
    with pytest.raises(SystemExit, match=message):
        main(["bench", *options])


@pytest.mark.parametrize("missing", ["mpi4py", "mpiexec"])
def test_what_is_not_installed_is_named(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = importlib.util.find_spec
    present = {"mpi4py": object()} if missing == "mpiexec" else {"mpi4py": None}
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: present[name] if name in present else spec(name)
    )
    monkeypatch.setattr(sys, "prefix", "/nowhere")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(SystemExit, match=rf"{missing}.*pip install 'pynn-sparse\[mpi-local\]'"):
        main(["bench", "--ranks", "2"])


@pytest.mark.skipif(bool(test_mpiexec._missing()), reason=test_mpiexec._missing() or "-")
def test_quick_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in test_mpiexec.ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    file = tmp_path / "figures.json"
    options = ["--ranks", "2", "--quick", "--networks", "cuba4000", "--peers"]
    assert main(["bench", *options, "--json", str(file)]) == 0
    written = json.loads(file.read_text())
    (result,) = written["results"]
    (one,), (several,) = (result["runs"][name] for name in ("sparse", "several"))
    assert one["spikes"] == several["spikes"]
    assert len(several["processes"]) == 2
    assert several["network MiB"] == max(each["network MiB"] for each in several["processes"])
    (exchange,) = written["exchanges"]
    assert exchange["processes"] == 2
    assert 990_000 < exchange["spikes"] < 1_010_000
    assert exchange["gather"] > 0
    printed = capsys.readouterr().out
    assert "an exchange without spikes" in printed
    assert "| cuba4000 | 2 x 1 |" in printed
    with pytest.raises(ValueError, match="is a file of --ranks"):
        baseline.load(file)
