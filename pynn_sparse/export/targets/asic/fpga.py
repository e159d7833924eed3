"""The core of one network in an FPGA: placed and routed by open tools, with a bitstream.

Yosys maps `pynn_sparse_bytes.v`, the core behind streams of bytes, to Lattice's iCE40, with tables
as first contents of its memories; nextpnr places and routes; icepack writes the bitstream. No pins
are fixed: those of a board go into a file of constraints, with which nextpnr is run once more.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from ...arguments import door
from ...errors import ExportError
from ...tables import Tables
from .core import SOURCES
from .simulate import call

TOP = "pynn_sparse_bytes"
DEVICES = {  # of nextpnr: package, options of synthesis, block RAMs
    "up5k": ("sg48", "-dsp", 30),
    "hx8k": ("ct256", "", 32),
}
BITS = 4096  # of a block RAM
PACKAGES = {"yosys": "yosys", "nextpnr-ice40": "nextpnr-ice40", "icepack": "fpga-icestorm"}
NETLIST, PLACED, REPORT, BITSTREAM = "fpga.json", "fpga.asc", "fpga_report.json", "fpga.bin"
SMALLER = (
    "prune more (--prune), take fewer bits (--weight-bits, --option voltage_bits=16 decay_bits=8), "
    "or another device"
)
RESOURCES = {"ICESTORM_LC": "logic cells", "ICESTORM_RAM": "block RAMs", "ICESTORM_DSP": "DSPs"}


@dataclass(frozen=True)
class Implementation:
    """A core in an FPGA.

    Attributes:
        device: name of `DEVICES`.
        used, available: of logic cells, block RAMs and DSPs.
        frequency: the greatest of the clock after routing, MHz.
        bitstream: its file.
        commands: that were run, in order.
        versions: of the tools.
    """

    device: str
    used: dict[str, int]
    available: dict[str, int]
    frequency: float
    bitstream: Path
    commands: tuple[str, ...]
    versions: dict[str, str]

    def __str__(self) -> str:
        parts = (f"{n} of {self.available[name]} {name}" for name, n in self.used.items())
        return f"{self.device}: {', '.join(parts)}; {self.frequency:.1f} MHz after routing"


def missing() -> list[str]:
    """Debian's packages with the tools that are not installed."""
    return [package for tool, package in PACKAGES.items() if shutil.which(tool) is None]


def implement(tables: Tables, folder: Path, device: str = "up5k") -> Implementation:
    """Place and route the core of a folder of tables; writes `fpga.bin` and the files before it.

    Args:
        tables: for the target `asic`.
        folder: with their files.
        device: "up5k" or "hx8k", iCE40 UltraPlus 5K or HX8K.

    Raises `ExportError` for another device, where a tool is missing, with its package, and where
    the core does not fit, with what is too large. Then none of the files is there.
    """
    door.one_of("device", device, DEVICES)
    if missing():
        raise ExportError(f"not installed: apt-get install {' '.join(missing())}")
    package, options, rams = DEVICES[device]
    _check_memory(tables, device, rams * BITS)
    files = [folder / name for name in (NETLIST, PLACED, REPORT, BITSTREAM)]
    for file in files:
        file.unlink(missing_ok=True)
    synthesis = f"read_verilog -defer {' '.join(SOURCES)}; " + " ".join(
        f"synth_ice40 {options} -top {TOP} -json {NETLIST}".split()
    )
    place = f"nextpnr-ice40 --{device} --package {package} --json {NETLIST} --asc {PLACED}"
    place += f" --report {REPORT} --timing-allow-fail --seed 1 --quiet"
    commands = (["yosys", "-q", "-p", synthesis], place.split(), ["icepack", PLACED, BITSTREAM])
    try:
        call(commands[0], folder)
        _place(commands[1], folder, device)
        call(commands[2], folder)
        return _read(folder, device, commands)
    except BaseException:
        for file in files:
            file.unlink(missing_ok=True)
        raise


def _check_memory(tables: Tables, device: str, available: int) -> None:
    """Memories that are too large by far would keep synthesis busy for hours."""
    ending = ", bits"
    needed = {
        each.name.removesuffix(ending): each.used
        for each in tables.placement.resources
        if each.name.endswith(ending)
    }
    if sum(needed.values()) > available:
        parts = ", ".join(f"{name} {bits:,}" for name, bits in needed.items())
        raise ExportError(
            f"{device}: the core has {sum(needed.values()):,} bits of memory ({parts}); must be "
            f"up to {available:,}: {SMALLER}"
        )


def _place(command: list[str], folder: Path, device: str) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        said = "\n".join(line for line in done.stderr.splitlines() if "ERROR" in line)
        raise ExportError(
            f"{device}: the core cannot be placed and routed: {said or done.stderr[-500:]}\n"
            f"it has {_needs(folder)}; {SMALLER}"
        )


def _needs(folder: Path) -> str:
    """Cells of the netlist, by kind."""
    cells = json.loads((folder / NETLIST).read_text())["modules"][TOP]["cells"].values()
    kinds = {
        "SB_LUT4": "LUTs",
        "SB_DFF": "flip-flops",
        "SB_RAM40": "block RAMs",
        "SB_MAC16": "DSPs",
    }
    found = {
        name: sum(each["type"].startswith(kind) for each in cells) for kind, name in kinds.items()
    }
    return ", ".join(f"{n} {name}" for name, n in found.items())


def _read(folder: Path, device: str, commands: tuple[list[str], ...]) -> Implementation:
    report = json.loads((folder / REPORT).read_text())
    counts = report["utilization"]
    clock = max(each["achieved"] for each in report["fmax"].values())
    names = {kind: name for kind, name in RESOURCES.items() if kind in counts}
    typed = tuple(
        " ".join(f"'{word}'" if " " in word else word for word in command) for command in commands
    )
    return Implementation(
        device,
        {name: counts[kind]["used"] for kind, name in names.items()},
        {name: counts[kind]["available"] for kind, name in names.items()},
        float(clock),
        folder / BITSTREAM,
        typed,
        {tool: _version(tool) for tool in ("yosys", "nextpnr-ice40")},
    )


def _version(tool: str) -> str:
    done = subprocess.run([tool, "--version"], capture_output=True, text=True)
    found = re.search(r"\d+\.\d+[\w.+-]*", done.stdout + done.stderr)
    return found.group() if found else "unknown"
