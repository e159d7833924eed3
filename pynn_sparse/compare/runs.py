"""Runs a script on backends, each time in a new process."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from .capture import Captured

PRECISIONS = ("on_grid", "off_grid", "script")
SHOWN_LINES = 40  # of what a failed script has written


@dataclass(frozen=True)
class Target:
    """A backend, and how its time grid is treated.

    Attributes:
        precision: of NEST's spikes; "script" leaves what the script asks for.
        raw_times: leave the times of spike sources as they are, also where pyNN.nest rounds
            some of them up.
    """

    backend: str
    precision: str = "on_grid"
    raw_times: bool = False

    @property
    def name(self) -> str:
        """How reports call it."""
        off = self.backend == "nest" and self.precision == "off_grid"
        return f"{self.backend} (off grid)" if off else self.backend


@dataclass
class RunResult:
    """What became of a run.

    Attributes:
        module, version: of the backend.
        error: the exception that ended it, or "".
        precision: NEST's spike precision in the end, or "".
        seconds: of the whole process; `other_cpu`: processors that others used meanwhile.
        peak: bytes of memory at most, until the script was done.
        log: the end of what the script wrote, if it failed.
    """

    backend: str
    module: str = ""
    version: str = ""
    error: str = ""
    precision: str = ""
    seconds: float = 0.0
    other_cpu: float = 0.0
    peak: float = 0.0
    log: str = ""
    networks: list[Captured] = field(default_factory=list)


def run_script(
    target: Target,
    script: list[str],
    seed: int = 0,
    *,
    connections: bool = True,
    timeout: float | None = None,
) -> RunResult:
    """Run a script on a backend.

    In its arguments, `{backend}` stands for the backend's name and `{seed}` for 1 + `seed`.
    Without `{seed}`, `seed` is added to the seeds that the script gives to PyNN's generators and to
    `setup`: 0 leaves them as they are.
    """
    own_seed = any("{seed}" in word for word in script)
    words = [
        word.replace("{backend}", target.backend).replace("{seed}", str(1 + seed))
        for word in script
    ]
    with tempfile.TemporaryDirectory(prefix="pynn-sparse-compare-") as folder:
        result, log = Path(folder, "result"), Path(folder, "log")
        command = [sys.executable, "-m", "pynn_sparse.compare.one_run", target.backend]
        command += ["--result", str(result), "--precision", target.precision]
        command += ["--shift", str(0 if own_seed else seed)]
        command += ["--raw-times"] * target.raw_times + ["--no-connections"] * (not connections)
        why = _execute([*command, "--", *words], log, timeout)
        found = RunResult(target.backend, error=why)
        if result.exists() and not why:
            with result.open("rb") as file:
                found = pickle.load(file)
        if found.error:
            lines = log.read_text(errors="replace").splitlines()
            found.log = "\n".join(lines[-SHOWN_LINES:])
    return found


def _execute(command: list[str], log: Path, timeout: float | None) -> str:
    """Run; return why there is no result, or ""."""
    environment = os.environ | {"MPLBACKEND": "Agg", "PYTHONUNBUFFERED": "1"}
    with log.open("wb") as output:
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"stopped after {timeout:g} s"
    if done.returncode < 0:
        return f"the process was ended by signal {-done.returncode}"
    return f"the process ended with exit status {done.returncode}" if done.returncode else ""
