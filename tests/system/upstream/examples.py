"""Runs PyNN's example scripts, and reads what they leave."""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import neo
import numpy as np
from numpy.typing import NDArray
from support.scripts import run_script

from . import SIMULATOR
from .sdist import source_tree

PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Finished:
    """A script that has run: what it printed, and the folder where it ran."""

    folder: Path
    status: int
    output: str

    def number(self, label: str) -> float:
        """The number that the script prints behind a label and a colon."""
        (found,) = re.findall(rf"{label}\s*:\s*(\S+)", self.output)
        return float(found)

    def block(self, start: str) -> neo.Block:
        """The data in the one .pkl file whose name begins with `start`."""
        (path,) = self.folder.glob(f"Results/**/{start}*.pkl")
        return neo.io.PickleIO(str(path)).read_block()

    def signal(self, start: str, name: str = "v") -> NDArray[np.float64]:
        """Samples [times, cells] of a recorded variable in the data of `block`."""
        (signal,) = self.block(start).segments[0].filter(name=name)
        values = np.asarray(signal.magnitude)
        assert np.isfinite(values).all()
        return values

    def spikes(self, start: str) -> list[int]:
        """The number of spikes of each cell in the data of `block`."""
        return [len(train) for train in self.block(start).segments[0].spiketrains]

    def has_figure(self, start: str) -> bool:
        (path,) = self.folder.glob(f"Results/**/{start}*.png")
        data = path.read_bytes()
        return data.startswith(PNG) and len(data) > 5000


def scripts() -> set[str]:
    """The file names of PyNN's examples."""
    return {path.name for path in (source_tree() / "examples").glob("*.py")}


def run_example(script: str, arguments: tuple[str, ...], scratch: Path, limit: float) -> Finished:
    """Run an example in a copy of its folder; some write beside themselves, and to `Results`."""
    folder = scratch / "examples"
    shutil.copytree(source_tree() / "examples", folder)
    (folder / "Results").mkdir()
    done = run_script(folder / script, (SIMULATOR, *arguments), folder, limit)
    return Finished(folder, done.status, done.output)
