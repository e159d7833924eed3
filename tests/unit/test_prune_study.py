"""`pynn-sparse prune-study`: what it finds is what a plain simulation of the same weights does."""

from __future__ import annotations

import json
import pickle
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pynn_sparse.cli import main
from pynn_sparse.errors import StudyError

pytest.importorskip("sklearn")
pytest.importorskip("loky")
pytest.importorskip("matplotlib")

from pynn_sparse.study import command
from pynn_sparse.study.data import Images, images
from pynn_sparse.study.masks import GROUP, WAYS, State
from pynn_sparse.study.report import Row, energy_of, front, latencies
from pynn_sparse.study.runs import exits
from pynn_sparse.study.training import (
    LEVELS,
    fired,
    most_level,
    rounded,
    slopes_of,
    trained,
    unit_of,
)

STEPS = 6


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small one, of the digits."""
    folder = tmp_path_factory.mktemp("study") / "out"
    words = "--ways granet n-of-m --sparsities 0.9 --bits 4 --seeds 1 --hidden 32 --epochs 12"
    assert main(["prune-study", "--out", str(folder), "--steps", str(STEPS), *words.split()]) == 0
    return folder


def plain(data: Images, result: dict[str, Any]) -> dict[str, Any]:
    """The same from the weights alone, an image and a step at a time, in integers where they are.

    Pixels are sixteenths, so that all sums are whole numbers of sixteenths of units.
    """
    first, second = (level.astype(np.int64) for level in result["levels"])
    pixels = np.rint(data.test * 16).astype(np.int64)
    drive = pixels @ first  # in units[0] / 16
    threshold = 16 / result["units"][0]
    v = np.full(drive.shape, threshold / 2)
    score = np.zeros((len(pixels), second.shape[1]), np.int64)
    right, operations, spikes = [], [], 0
    each = (pixels > 0).astype(np.int64) @ (first != 0).sum(axis=1)
    for _ in range(STEPS):
        v += drive
        fires = v >= threshold
        v -= threshold * fires
        score += fires.astype(np.int64) @ second
        each = each + fires.astype(np.int64) @ (second != 0).sum(axis=1)
        spikes += int(fires.sum())
        right.append((score.argmax(axis=1) == data.test_labels).mean())
        operations.append(each.mean())
    return {"accuracy": right, "operations": operations, "spikes": spikes / len(pixels)}


def test_accuracies_are_those_of_a_plain_simulation(study: Path) -> None:
    """Every run, step by step, from nothing but its integers."""
    data = images("digits")
    files = sorted((study / "runs").glob("*.pickle"))
    assert len(files) == 3
    for file in files:
        result = pickle.loads(file.read_bytes())["result"]
        found = plain(data, result)
        np.testing.assert_array_equal(result["accuracy"], found["accuracy"])
        np.testing.assert_allclose(result["operations"], found["operations"], rtol=1e-12)
        assert result["spikes"][-1] == pytest.approx(found["spikes"], rel=1e-12)
        assert result["accuracy"][-1] > 0.4  # something was learnt


def test_files_agree_with_the_runs(study: Path) -> None:
    figures = json.loads((study / "study.json").read_text())
    rows = figures["rows"]
    assert len(rows) == 3 * (len(latencies(STEPS)) + 1)
    assert {row["when"] for row in rows} == {1, 2, 4, 6, "early exit"}
    for number, kind in enumerate(("gradual", "granet", "n-of-m")):
        result = pickle.loads((study / "runs" / f"{number:06d}.pickle").read_bytes())["result"]
        mine = [row for row in rows if row["way"] == kind]
        for row in mine:
            if row["when"] == "early exit":
                assert row["accuracy"] == result["exit"]["accuracy"]
                assert 1 <= row["steps"] <= STEPS
            else:
                assert row["accuracy"] == result["accuracy"][row["when"] - 1]
        if kind == "granet":
            assert result["synapses"] <= round(0.1 * result["dense"]) + 1
    text = (study / "study.md").read_text()
    assert "pynn-sparse prune-study" in text
    assert (study / "study.html").read_text().count("<img") == 1


def test_a_study_goes_on_where_it_was_ended(
    study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {file: file.stat().st_mtime_ns for file in (study / "runs").glob("*.pickle")}
    options = "--ways granet n-of-m --sparsities 0.9 --bits 4 --seeds 1 --hidden 32 --epochs 12"
    words = ["prune-study", "--out", str(study), "--steps", str(STEPS), *options.split()]
    assert main(words) == 0
    assert before == {file: file.stat().st_mtime_ns for file in (study / "runs").glob("*.pickle")}
    words[words.index("32")] = "33"
    assert main(words) == 2
    assert "another value" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("--ways magic", "--ways = 'magic'"),
        ("--sparsities 1.0", "--sparsities = 1.0: must be a number above 0 and below 1"),
        ("--sparsities nan", "--sparsities = nan"),
        ("--bits 9", "--bits = 9"),
        ("--steps 0", "--steps = 0"),
        ("--seeds 0", "--seeds = 0"),
        ("--hidden 1", "--hidden = 1"),
        ("--epochs 2", "--epochs = 2"),
        ("--pj-per-bit -1", "--pj-per-bit = -1.0"),
        ("--data faces", "must be digits or mnist, or a .npz file that exists"),
        ("--data no.npz", "must be digits or mnist, or a .npz file that exists"),
    ],
)
def test_wrong_options(
    words: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["prune-study", "--out", str(out), *words.split()]) == 2
    assert says in capsys.readouterr().err
    assert not out.exists()


def test_a_file_in_the_place_of_the_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("x")
    assert main(["prune-study", "--out", str(tmp_path / "file" / "out")]) == 2
    assert "exists and is not a folder" in capsys.readouterr().err


def test_ways_of_the_command_are_those_there_are() -> None:
    assert tuple(WAYS) == command.WAYS


# --- data ------------------------------------------------------------------------------------


def arrays() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    made = {name: rng.random((n, 9)) for name, n in (("train", 12), ("test", 6))}
    labels = {f"{name}_labels": np.arange(len(each)) % 3 for name, each in made.items()}
    return made | labels


def test_images_of_a_file(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", **arrays())
    found = images(str(tmp_path / "a.npz"))
    np.testing.assert_array_equal(found.test, arrays()["test"])
    assert (found.classes, found.side) == (3, 0)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"train": np.zeros((12, 3, 3))}, "train: must be numbers"),
        ({"train": np.full((12, 9), np.nan)}, "train: must be from 0 to 1"),
        ({"test": np.full((6, 9), 2.0)}, "test: must be from 0 to 1; got 2 to 2"),
        ({"test": np.zeros((6, 8))}, "test: has 8 pixels, train 9"),
        ({"test_labels": np.zeros(5, int)}, "test_labels: must be 6 integers"),
        ({"test_labels": np.full(6, 7)}, "test_labels: must be below 3"),
        ({"train_labels": np.zeros(12)}, "train_labels: must be 12 integers"),
    ],
)
def test_wrong_arrays(change: dict[str, Any], says: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", **(arrays() | change))
    with pytest.raises(StudyError, match=says):
        images(str(tmp_path / "a.npz"))


def test_damaged_and_incomplete_files(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(StudyError, match="is damaged"):
        images(str(tmp_path / "a.npz"))
    np.savez(tmp_path / "b.npz", train=np.zeros((2, 2)))
    with pytest.raises(StudyError, match="has train, not train_labels"):
        images(str(tmp_path / "b.npz"))


# --- pruning ---------------------------------------------------------------------------------


def state(way_sparsity: float, share: float) -> State:
    rng = np.random.default_rng(1)
    weights = [rng.normal(size=(30, 40)), rng.normal(size=(40, 10))]
    masks = [np.ones(each.shape, bool) for each in weights]
    slopes = [rng.normal(size=each.shape) for each in weights]
    rates = [rng.random(30), rng.random(40), np.ones(10)]
    return State(weights, masks, slopes, rates, share, way_sparsity)


@pytest.mark.parametrize("way", ["one-shot", "gradual", "granet", "activity"])
def test_what_is_left_is_as_many_as_asked_for(way: str) -> None:
    masks = WAYS[way](state(0.9, 1.0))
    assert sum(int(each.sum()) for each in masks) == round(0.1 * 1600)


def test_gradual_keeps_the_greatest_and_granet_exchanges_some() -> None:
    given = state(0.8, 0.5)
    flat = np.concatenate([np.abs(each).ravel() for each in given.weights])
    gradual = np.concatenate([each.ravel() for each in WAYS["gradual"](given)])
    assert flat[gradual].min() > flat[~gradual].max()
    granet = np.concatenate([each.ravel() for each in WAYS["granet"](given)])
    assert granet.sum() == gradual.sum()
    back = granet & ~gradual
    steep = np.concatenate([np.abs(each).ravel() for each in given.slopes])
    assert back.any()
    assert steep[back].min() >= np.sort(steep[~granet])[-1]


def test_structured_pruning_removes_whole_cells() -> None:
    first, second = WAYS["structured"](state(0.75, 1.0))
    alive = first.any(axis=0)
    assert alive.sum() == 10
    np.testing.assert_array_equal(first, np.tile(alive, (30, 1)))
    np.testing.assert_array_equal(second, np.tile(alive[:, None], (1, 10)))


def test_n_of_m_counts_in_every_group_of_a_source() -> None:
    first, second = WAYS["n-of-m"](state(0.9, 1.0))
    assert (first.reshape(30, -1, GROUP).sum(axis=2) == 2).all()
    assert (second.sum(axis=1) == 1).all()


# --- training --------------------------------------------------------------------------------


def test_slopes_are_those_of_the_loss() -> None:
    """Of the outputs' weights, by differences; those before pass what has no slope."""
    rng = np.random.default_rng(2)
    pixels, labels = rng.random((7, 5)), rng.integers(0, 3, 7)
    weights = [rng.normal(size=(5, 4)), rng.normal(size=(4, 3))]

    def loss(last: np.ndarray[Any, Any]) -> float:
        scores = fired(pixels @ weights[0]) @ last
        shares = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        return float(-np.log(shares[np.arange(7), labels]).mean())

    slope = slopes_of(pixels, labels, weights)[1]
    for i, j in np.ndindex(4, 3):
        step = np.zeros((4, 3))
        step[i, j] = 1e-6
        wanted = (loss(weights[1] + step) - loss(weights[1] - step)) / 2e-6
        assert slope[i, j] == pytest.approx(wanted, abs=1e-8)


def test_hidden_cells_give_what_spikes_in_as_many_steps_do() -> None:
    drive = np.random.default_rng(3).uniform(-1, 2, 500)
    v, spikes = np.full(500, 0.5), np.zeros(500)
    for _ in range(LEVELS):
        v += drive
        spikes += v >= 1
        v -= v >= 1
    within = drive <= 1  # one spike in a step at most, as `fired` has it
    np.testing.assert_array_equal((spikes / LEVELS)[within], fired(drive)[within])


@pytest.mark.parametrize("bits", range(1, 9))
def test_levels_have_their_bits(bits: int) -> None:
    weights = np.random.default_rng(4).normal(size=1000)
    levels = rounded(weights, unit_of(weights, bits), bits)
    most = most_level(bits)
    assert set(np.unique(levels)) <= set(range(-most, most + 1))
    assert (levels != 0).all() or bits > 1
    error = ((levels * unit_of(weights, bits) - weights) ** 2).mean()
    assert error < {1: 0.5, 2: 0.3, 3: 0.1, 4: 0.03}.get(bits, 0.01)


def test_the_same_seed_gives_the_same_network() -> None:
    data = images("digits")
    made = [trained(data, "granet", 0.9, 4, 16, 6, seed) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(made[0].levels[0], made[1].levels[0])
    assert (made[0].levels[0] != made[2].levels[0]).any()


# --- figures ---------------------------------------------------------------------------------


def test_exit_is_the_first_step_with_the_margin() -> None:
    scores = np.array([[[1.0, 0.9], [2.0, 1.0], [3.0, 0.0]], [[0.0, 0.0], [0.1, 0.0], [0.0, 0.2]]])
    assert exits(scores, 1.0).tolist() == [1, 2]
    assert exits(scores, 0.0).tolist() == [0, 0]


def test_front_has_nothing_that_another_beats() -> None:
    rng = np.random.default_rng(5)
    rows = [
        Row("gradual", 0.9, 4, 1, 1.0, float(a), 0.0, float(o), 1.0, 1.0, 1.0)
        for a, o in rng.integers(0, 20, (60, 2))
    ]
    best = front(rows)
    for row in rows:
        beaten = any(
            each.accuracy >= row.accuracy and each.operations <= row.operations for each in best
        )
        assert beaten
    assert all(a.accuracy < b.accuracy for a, b in pairwise(best))


def test_energy_is_the_stated_sum() -> None:
    assert energy_of(1000.0, 10, 64.0, 0.1) == pytest.approx((1000 * 42 + 64 * 64) * 0.1 / 1000)
