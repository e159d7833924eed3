"""How many processors this process may use."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path, PurePosixPath

FOLDER = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")


_sharing = 1  # processes that simulate together on these processors


def share_among(processes: int) -> None:
    """Have each of some processes take its share of the processors that all of them may use."""
    global _sharing
    _sharing = processes


def processors() -> int:
    """Processors that this process may use, at least 1.

    That is those of its affinity, and no more than a container's quota of time is worth, rounded
    up; of processes that simulate together on the same processors, each has its share.
    """
    return max(1, math.ceil(min(_affinity(), quota())) // _sharing)


def busy_processors(file: Path = Path("/proc/loadavg")) -> float | None:
    """How many processors programs have used in the last minute, all together; None if unknown."""
    words = _read(file).split()
    return min(float(words[0]), float(os.cpu_count() or 1)) if words else None


def _affinity() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def quota(folder: Path = FOLDER, membership: Path = MEMBERSHIP) -> float:
    """Processors' worth of time that control groups allow, infinite where none says.

    The least of all groups that this process is in, of versions 1 and 2. `folder` is where the file
    system of groups is, `membership` the list of this process's. A group that cannot be seen, as
    that of a container from within, is taken for the root of what can be.
    """
    shares = [_share(group) for group in _groups(folder, membership)]
    return min((share for share in shares if share), default=math.inf)


def _groups(folder: Path, membership: Path) -> Iterator[Path]:
    """Folders of all groups of this process with a say on processors, and of those above."""
    lines = _read(membership).splitlines()
    for line in lines:
        number, controllers, name = line.split(":", 2)
        if number != "0" and "cpu" not in controllers.split(","):
            continue
        roots = [folder, folder / "unified"] if number == "0" else [folder / controllers]
        if number != "0":
            roots.append(folder / "cpu")
        path = PurePosixPath(name.lstrip("/"))
        for root in roots:
            for group in (path, *path.parents):
                yield root / group


def _share(group: Path) -> float | None:
    """Processors' worth of time of a group; None where it has no limit."""
    both = _read(group / "cpu.max").split()  # version 2
    if not both:
        both = [_read(group / f"cpu.cfs_{name}_us").strip() for name in ("quota", "period")]
    try:
        time, period = (float(each) for each in both)
    except ValueError:  # "max", or nothing
        return None
    return time / period if time > 0 and period > 0 else None


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""
