"""Memory is asked for before it is needed."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import NetworkTooLargeError

# Identifier objects and parameters in Python, state, accumulators for a few dozen delays.
BYTES_PER_NEURON = 1000
# Target, weight and delay (11 to 13), and what building and sorting need for a moment.
BYTES_PER_SYNAPSE = 48


def available() -> int:
    """Bytes that can be had without swapping: what the system has, or the control group's rest."""
    limits = [_system_available()]
    group = Path("/sys/fs/cgroup")
    try:
        limit = (group / "memory.max").read_text().strip()
        if limit != "max":
            limits.append(int(limit) - int((group / "memory.current").read_text()))
    except OSError:
        pass  # no control group of version 2: the system's figure stands
    return min(limits)


def _system_available() -> int:
    meminfo = Path("/proc/meminfo")
    if meminfo.exists():
        for line in meminfo.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def require(size: float, what: str) -> None:
    """Raise `NetworkTooLargeError` if `size` bytes for `what` are not to be had."""
    free = available()
    if size > free:
        raise NetworkTooLargeError(
            f"{what} would take about {size / 2**30:.3g} GiB; {free / 2**30:.3g} GiB are "
            f"available, enough for about {free / size:.0%} of it"
        )
