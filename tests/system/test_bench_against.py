"""`pynn-sparse bench --against` a wheel or a commit: an earlier build is run in turn."""

from __future__ import annotations

import json
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest

from pynn_sparse import __version__
from pynn_sparse.bench import baseline, command, report
from pynn_sparse.bench.earlier import EarlierBuildError, installed, is_build
from pynn_sparse.bench.suite import EARLIER, OWN, Comparison, compare
from pynn_sparse.cli import main

VERSION = "0.0.1"


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """A wheel with nothing but a version, as an earlier build."""
    path = tmp_path / f"pynn_sparse-{VERSION}-py3-none-any.whl"
    info = f"pynn_sparse-{VERSION}.dist-info"
    files = {
        "pynn_sparse/__init__.py": f"__version__ = {VERSION!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: pynn-sparse\nVersion: {VERSION}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},,\n" for name in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(name, text)
    return path


def test_an_earlier_build_is_alone_what_differs(wheel: Path) -> None:
    pytest.importorskip("pip")
    code = (
        "import pynn_sparse, numpy, pyNN, benchmarks_of_the_present_build.bench.one_run as run\n"
        "print(pynn_sparse.__version__, numpy.__file__, run.__file__)"
    )
    with installed(str(wheel)) as earlier:
        assert earlier.title == wheel.name
        done = subprocess.run([earlier.python, "-I", "-c", code], capture_output=True, text=True)
        assert not done.returncode, done.stderr
        version, numpy, one_run = done.stdout.split()
        folder = earlier.python.parents[1]
        assert version == VERSION != __version__
        import numpy as present

        assert Path(numpy) == Path(present.__file__)
        assert Path(one_run).is_relative_to(folder)
        words = earlier.command("cuba4000", 2, 100.0, "--rng", "numpy")
        assert words[0] == str(earlier.python)
        assert words[-8:] == "cuba4000 sparse --threads 2 --duration 100.0 --rng numpy".split()
    assert not folder.exists()


def test_what_is_a_build(wheel: Path, tmp_path: Path) -> None:
    figures = tmp_path / "figures"
    figures.touch()
    assert is_build(str(wheel))
    assert is_build("663855e")
    assert is_build("HEAD~2")
    assert not is_build(str(figures))
    assert not is_build("not/there.json")


def test_builds_that_cannot_be_had_are_refused(tmp_path: Path) -> None:
    broken = tmp_path / "broken-1.0-py3-none-any.whl"
    broken.write_bytes(b"no archive")
    for source, message in (
        ("gone.whl", "gone.whl: there is no such file"),
        ("no-such-commit", "no-such-commit: must be a file of `--json`, a wheel, or a commit"),
        (str(broken), "broken-1.0-py3-none-any.whl cannot be installed"),
    ):
        with pytest.raises(EarlierBuildError, match=message), installed(source):
            pass
        with pytest.raises(SystemExit, match=f"--against .*{message}"):
            main(["bench", "--quick", "--against", source])


class Build:
    """An earlier build that is not installed."""

    title = "commit 1234567"

    def command(self, network: str, threads: int, duration: float, *more: str) -> list[str]:
        return ["earlier", network, *more]


GOOD = {"rate": 5.0, "cv": 0.8, "other CPU": 0.0, "build": 1.0, "run per second": 2.0}


def figures(words: list[str]) -> dict[str, Any]:
    calls.append(words[0] == "earlier")
    return GOOD | ({} if calls[-1] else {"build": 0.5, "run per second": 3.0})


calls: list[bool] = []


def test_builds_are_run_in_turn_and_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls.clear()

    class Installed:
        def __enter__(self) -> Build:
            return Build()

        def __exit__(self, *_: object) -> None:
            pass

    monkeypatch.setattr(command, "installed", lambda source: Installed())
    monkeypatch.setattr(
        command, "compare", lambda **options: compare(**{**options, "run": figures})
    )
    file = tmp_path / "figures.json"
    words = ["--networks", "cuba4000", "--peers", "--threads", "2", "--repeats", "3"]
    assert main(["bench", *words, "--against", "1234567", "--json", str(file)]) == 1
    assert calls == [False, True] * 3
    out = capsys.readouterr().out
    assert "build 0.5 s, before 1 s: faster" in out
    assert "run 3 s, before 2 s: SLOWER" in out
    written = json.loads(file.read_text())
    assert written["against"] == "commit 1234567"
    (result,) = written["results"]
    found = Comparison(**result)
    assert {name: len(runs) for name, runs in found.runs.items()} == {OWN: 3, EARLIER: 3}
    # It is no peer, of which the least time counts.
    assert report.ratio(found, [found], "build") != report.ratio(found, [found], "build")  # NaN
    (alone,) = baseline.of_build([found])
    assert alone.median(OWN, "build") == 1.0


def test_an_earlier_build_that_does_something_else_is_no_comparison() -> None:
    def run(words: list[str]) -> dict[str, Any]:
        return GOOD | ({"rate": 50.0} if words[0] == "earlier" else {})

    earlier: Any = Build()
    found = compare("cuba4000", 2, [], 1, earlier=earlier, run=run)
    assert "rate 5 Hz, on earlier 50 Hz" in found.problem
