"""Runs a part of PyNN's test suite on this backend and judges what became of each test."""

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from . import SIMULATOR
from .sdist import UnavailableError, skip_or_fail, source_tree

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

HERE = Path(__file__).resolve().parent
KNOWN_FAILURES = HERE.with_name("upstream_known_failures.toml")
TIME_LIMIT = 400.0


@dataclass(frozen=True)
class Suite:
    """A part of PyNN's tests: files of a folder, and how many tests they have for a backend."""

    name: str
    folder: str
    count: int
    files: tuple[str, ...] = ("",)
    options: tuple[str, ...] = ()

    def paths(self) -> list[str]:
        return [str(source_tree() / "test" / self.folder / file) for file in self.files]

    def short(self, node: str) -> str:
        """The name of a test without what is the same for all."""
        return node.removeprefix(f"{self.folder}/").removesuffix(f"[{SIMULATOR}]")


@dataclass(frozen=True)
class Outcome:
    result: str  # "passed", "failed", "skipped", "not finished" or "not reached"
    text: str = ""


@dataclass(frozen=True)
class Known:
    """The tests that do not pass, each with the reason why not."""

    fails: dict[str, str]
    skips: dict[str, str]


@cache
def known(suite: Suite) -> Known:
    table = tomllib.loads(KNOWN_FAILURES.read_text(encoding="utf-8"))[suite.name]
    return Known(table.get("fails", {}), table.get("skips", {}))


def collect(suite: Suite) -> tuple[str, ...]:
    """The tests of a suite, by pytest's own account of PyNN's files."""
    return tuple(suite.short(node) for node in _collected(suite.folder, suite.files))


@cache
def _collected(folder: str, files: tuple[str, ...]) -> tuple[str, ...]:
    suite = Suite("collected", folder, 0, files)
    with tempfile.TemporaryDirectory() as scratch:
        report, output = _pytest(suite, Path(scratch), "--collect-only")
    for line in report:
        if "collected" in line:
            return tuple(line["collected"])
    raise RuntimeError(f"pytest could not collect PyNN's tests:\n{output}")


def run(suite: Suite, folder: Path) -> dict[str, Outcome]:
    """Run all tests of a suite, in `folder` since some write files."""
    report, output = _pytest(suite, folder, *suite.options)
    found = {test: Outcome("not reached", output) for test in collect(suite)}
    for line in report:
        if "started" in line:
            found[suite.short(line["started"])] = Outcome("not finished", output)
        elif "ended" in line:
            test = suite.short(line["ended"])
            if found[test].result == "not finished":  # else torn down after a failure
                found[test] = Outcome(line["outcome"], line["text"])
    return found


def _pytest(suite: Suite, folder: Path, *options: str) -> tuple[list[dict[str, Any]], str]:
    report = folder / "report.jsonl"
    command = [
        *(sys.executable, "-m", "pytest", "-p", "upstream.plugin", "-p", "no:cacheprovider"),
        *("--quiet", "--tb=short", "--config-file", os.devnull),
        *("--rootdir", str(source_tree() / "test"), "--confcutdir", str(source_tree() / "test")),
        *("--simulator", SIMULATOR),
        *("--report", str(report), *options, *suite.paths()),
    ]
    search = os.pathsep.join(filter(None, [str(HERE.parent), os.environ.get("PYTHONPATH")]))
    environment = os.environ | {"PYTHONPATH": search, "MPLBACKEND": "Agg", "PYTEST_ADDOPTS": ""}
    output = _output(command, folder, environment)
    lines = report.read_text(encoding="utf-8").splitlines() if report.exists() else []
    return [json.loads(line) for line in lines], output


def _output(command: list[str], folder: Path, environment: dict[str, str]) -> str:
    """What a command prints; also of one that crashes or exceeds the time limit."""
    log = folder / "output.txt"
    with log.open("w") as file:
        try:
            status = subprocess.run(
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                timeout=TIME_LIMIT,
            ).returncode
            ended = f"ended with status {status}"
        except subprocess.TimeoutExpired:
            ended = f"was stopped after {TIME_LIMIT:g} s"
    tail = log.read_text(errors="replace").splitlines()[-40:]
    return "\n".join([*tail, f"The process that ran PyNN's tests {ended}."])


def parametrize(metafunc: pytest.Metafunc, tests: Callable[[], Iterable[str]]) -> None:
    """One test here for each of PyNN's."""
    if "upstream_test" in metafunc.fixturenames:
        try:
            names = list(tests())
        except UnavailableError:
            names = ["unavailable"]  # the fixture that runs them says why
        metafunc.parametrize("upstream_test", names, ids=names)


def outcomes(suite: Suite, folder: Path) -> dict[str, Outcome]:
    """As `run`; skips the tests that ask for it where PyNN's files are not to be had."""
    try:
        return run(suite, folder)
    except UnavailableError as error:
        skip_or_fail(error)


def judge(suite: Suite, test: str, outcome: Outcome) -> None:
    """Fail if a test did not do what the list of known failures says of it.

    So the list cannot hide a new failure, and it cannot keep an entry that is no longer true.
    """
    listed = known(suite)
    reason = listed.fails.get(test)
    if outcome.result == "passed":
        if reason:
            pytest.fail(f"passes, but is listed as failing: {reason}", pytrace=False)
        return
    if outcome.result == "failed" and reason:
        pytest.xfail(reason)
    if outcome.result == "skipped" and test in listed.skips:
        pytest.skip(listed.skips[test])
    pytest.fail(f"{outcome.result}\n{outcome.text}", pytrace=False)


def summary(suite: Suite, results: dict[str, Outcome]) -> str:
    """How many tests passed and did not, in a line."""
    count = Counter(outcome.result for outcome in results.values())
    parts = [f"{n} {result}" for result, n in sorted(count.items())]
    fails = known(suite).fails
    expected = sum(results[test].result == "failed" for test in fails if test in results)
    return f"PyNN's {suite.name}: {', '.join(parts)} ({expected} of them known to fail)"


def stale(suite: Suite) -> list[str]:
    """Entries of the list that name no test."""
    listed = known(suite)
    return sorted((set(listed.fails) | set(listed.skips)) - set(collect(suite)))
