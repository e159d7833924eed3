"""Levels of the x86-64 instruction set (x86-64 psABI), one of which each library for the CPU needs.

Run as a script, this prints the level of the machine at hand. CMake asks so before the package and
what it imports are installed; therefore nothing of the package is imported here.
"""

from __future__ import annotations

import platform
from pathlib import Path

GENERIC = "generic"  # a library for every processor of its architecture
CPUINFO = Path("/proc/cpuinfo")
NEEDS = {  # flags of Linux, in addition to those of the level below
    "x86-64-v2": {"sse4_2", "popcnt", "ssse3"},
    "x86-64-v3": {"avx2", "bmi1", "bmi2", "f16c", "fma", "movbe"},
    "x86-64-v4": {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"},
}


def supported(cpuinfo: Path = CPUINFO) -> list[str]:
    """Levels of which this processor can run libraries, best first; the last is `GENERIC`."""
    levels = [GENERIC]
    if platform.machine() == "x86_64" and cpuinfo.exists():
        lines = cpuinfo.read_text().splitlines()
        flags = next((set(line.split()[2:]) for line in lines if line.startswith("flags")), set())
        for level, needed in NEEDS.items():
            if not needed <= flags:
                break
            levels.insert(0, level)
    return levels


if __name__ == "__main__":
    print(supported()[0])
