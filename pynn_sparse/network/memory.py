"""Memory is asked for before it is needed."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from ..errors import NetworkTooLargeError

# Identifier objects and parameters in Python, state, accumulators for a few dozen delays.
BYTES_PER_NEURON = 1000
# Of a neuron that another process has, also while it is made.
BYTES_PER_FOREIGN_NEURON = 64
# Target, weight and delay (8 to 13), and what building and sorting need for a moment.
BYTES_PER_SYNAPSE = 48
# Bytes of the host that are not worth looking for, which takes longer than to use them.
LITTLE = 1 << 20
# The same on a GPU (7 to 14), and what sorting rows by delays needs: places, and weights moved.
BYTES_PER_SYNAPSE_ON_GPU = 26


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


def require(size: float, what: str, on_device: int | None = None) -> None:
    """Raise `NetworkTooLargeError` if `size` bytes for `what` are not to be had.

    They are the host's, or a device's, which has `on_device` bytes free.
    """
    if on_device is not None:
        _compare(size, what, on_device, " on the device")
    elif size >= LITTLE:
        _compare(size, what, available())


def require_to_record(size: float, what: str) -> None:
    """The same for samples, which go to the folder for temporary files when memory is short."""
    if size >= LITTLE:
        folder = tempfile.gettempdir()
        free = available() + shutil.disk_usage(folder).free
        _compare(size, what, free, f" in memory and in {folder}")


def _compare(size: float, what: str, free: float, where: str = "") -> None:
    if size > free:
        raise NetworkTooLargeError(
            f"{what} would take about {size / 2**30:.3g} GiB{where}; {free / 2**30:.3g} GiB are "
            f"available, enough for about {free / size:.0%} of it"
        )
