"""How long something takes, how much memory, and on what machine: for the commands that measure."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import resource
import shlex
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from . import __version__

# Processors that other processes use: with more than that, threads wait for each other.
DISTURBANCE = 0.2


class Stopwatch:
    """Seconds since the last look."""

    def __init__(self) -> None:
        self._since = time.perf_counter()

    def lap(self) -> float:
        """Seconds since the last lap, or since the beginning."""
        before, self._since = self._since, time.perf_counter()
        return self._since - before


def busy() -> tuple[float, float]:
    """CPU seconds that all processes have used, and that this one has."""
    fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    user, nice, system = map(int, fields[:3])
    own = resource.getrusage(resource.RUSAGE_SELF)
    ticks = os.sysconf("SC_CLK_TCK")
    return (user + nice + system) / ticks, own.ru_utime + own.ru_stime


def resident() -> float:
    """Bytes of memory in use."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return float(pages * os.sysconf("SC_PAGE_SIZE"))


def peak() -> float:
    """Bytes of memory that were in use at most.

    Linux's `ru_maxrss` is not taken: it begins with what the parent of the process had in use.
    """
    status = Path("/proc/self/status").read_text()
    kibibytes = status.split("VmHWM:", 1)[1].split(None, 1)[0]
    return 1024.0 * int(kibibytes)


def machine(packages: Iterable[str]) -> dict[str, Any]:
    """What the figures were measured on and with, with the versions of `packages`."""
    cpu = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return {
        "processor": cpu,
        "processors": os.cpu_count(),
        "Python": platform.python_version(),
        "packages": {"pynn-sparse": __version__} | {name: version(name) for name in packages},
    }


def origin() -> dict[str, str]:
    """The day, and the commit of the source where this is a checkout; "release" elsewhere."""
    folder = Path(__file__).parent
    command = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--exclude", "*"]
    try:
        # A checkout has this very folder; one of another project may lie around an installed copy.
        tracked = subprocess.run(
            ["git", "-C", str(folder), "ls-files", "--error-unmatch", Path(__file__).name],
            capture_output=True,
            check=False,
        )
        found = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:  # there is no git
        return {"date": f"{datetime.date.today()}", "commit": "release"}
    known = tracked.returncode == 0 and found.returncode == 0
    commit = found.stdout.strip() if known else "release"
    return {"date": f"{datetime.date.today()}", "commit": commit}


def version(package: str) -> str:
    """The version of an installed package, or "not installed"."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def command_line(arguments: list[str], files: Iterable[Path | None]) -> str:
    """What was typed, with the names of `files` but not the folders that they are in."""
    hidden = set(files)
    words = []
    for word in arguments:
        option, equals, value = word.rpartition("=")
        words.append(option + equals + Path(value).name if Path(value) in hidden else word)
    return shlex.join(["pynn-sparse", *words])
