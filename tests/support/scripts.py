"""Runs scripts, as `python script.py` does, in copies of a process with the usual imports done.

Most scripts are short, and importing PyNN, Neo and matplotlib takes longer than they do.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import sys
from multiprocessing import forkserver
from pathlib import Path
from typing import NamedTuple

import pytest

from .lean import with_csa

COPIES = multiprocessing.get_context("forkserver")
COPIES.set_forkserver_preload(["pyNN.sparse", "pyNN.utility.plotting", "matplotlib.pyplot"])


class Finished(NamedTuple):
    """A script that has run: its exit status, negative after a signal, and all that it printed."""

    status: int
    output: str


def run_script(script: Path, arguments: tuple[str, ...], folder: Path, limit: float) -> Finished:
    """Run a script in `folder`, without a display and without input.

    Raises TimeoutError after `limit` seconds.
    """
    with pytest.MonkeyPatch.context() as patch:
        with_csa(patch)
        forkserver.ensure_running()
    printed = folder / "printed.txt"
    copy = COPIES.Process(target=_run, args=(str(script), arguments, folder, printed))
    copy.start()
    copy.join(limit)
    if copy.exitcode is None:
        copy.kill()
        copy.join()
        raise TimeoutError(f"{script.name} has not ended after {limit} s")
    output = printed.read_text("utf-8")
    printed.unlink()
    return Finished(copy.exitcode, output)


def _run(script: str, arguments: tuple[str, ...], folder: Path, printed: Path) -> None:
    os.chdir(folder)
    with printed.open("wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8")
    sys.argv = [script, *arguments]
    sys.path.insert(0, str(Path(script).parent))
    os.environ["CI"] = "true"
    sys.modules["matplotlib"].use("Agg")
    runpy.run_path(script, run_name="__main__")
