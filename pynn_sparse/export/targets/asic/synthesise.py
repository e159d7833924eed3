"""The core of one network in standard cells: cells, area, slack, and energy by measured activity.

Yosys maps the logic to a liberty library; memories stay black boxes, and are counted in bits. The
activity of each cell's outputs is that of a simulation of the netlist, whose tables are written
through the core's port, as in silicon, and whose spikes have to be those of the golden model.
OpenSTA gives slack and power.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import ExportError
from ...models.golden import Trace
from ...tables import Tables
from .core import BENCH, input_bits
from .simulate import PLAYED, call, plusargs, read_spikes, stimulus

TECHNOLOGY = Path("/usr/share/qflow/tech/osu018")  # Debian's qflow-tech-osu018: 0.18 um, 1.8 V
LIBERTY, CELLS = TECHNOLOGY / "osu018_stdcells.lib", TECHNOLOGY / "osu018_stdcells.v"
MEMORY = "pynn_sparse_memory.v"
TOP = "pynn_sparse_top"
NETLIST, BLACK_BOX = "netlist.v", "memory_black_box.v"
ASSUMPTIONS = (
    "cells of osu018, 0.18 um, 1.8 V, 25 C, typical",
    "wires without capacitance, clock without a tree: no placement was made",
    "memories are black boxes: their access time, and their energy unless given, are not counted",
)


@dataclass(frozen=True)
class Synthesis:
    """The logic of a core.

    Attributes:
        cells: standard cells, without memories.
        flip_flops: of them.
        area: of them, in the unit of the liberty file, um^2.
    """

    cells: int
    flip_flops: int
    area: float


@dataclass(frozen=True)
class Energy:
    """What a run takes.

    Attributes:
        period: of the clock, ns.
        slack: ns, with that period.
        power: of the logic, W, by measured activity.
        parts: of the power, W: "internal" of cells, "switching" of their outputs, "leakage".
        groups: of the power, W: "sequential" and "combinational" cells.
        cycles: of the run.
        synaptic_operations: of the run.
        memory_bits: read or written in the run.
        logic_per_operation: pJ for a synaptic operation, all cycles of the run included.
        memory_per_operation: pJ, or None where no energy per bit was given.
        assumptions: what the figures rest on.
    """

    period: float
    slack: float
    power: float
    parts: dict[str, float]
    groups: dict[str, float]
    cycles: int
    synaptic_operations: int
    memory_bits: int
    logic_per_operation: float
    memory_per_operation: float | None
    assumptions: tuple[str, ...] = ASSUMPTIONS


def missing() -> list[str]:
    """What is not installed of the tools that this needs, as Debian's packages."""
    tools = {"yosys": "yosys", "sta": "opensta", "iverilog": "iverilog"}
    absent = [package for tool, package in tools.items() if shutil.which(tool) is None]
    return absent + ([] if LIBERTY.exists() else ["qflow-tech-osu018"])


def synthesise(folder: Path) -> Synthesis:
    """Map the core of a folder of tables to standard cells; writes `netlist.v`.

    Raises `ExportError` where a tool is missing, or the logic has latches or other defects.
    """
    if missing():
        raise ExportError(f"not installed: apt-get install {' '.join(missing())}")
    source = (folder / MEMORY).read_text()
    interface = source[: source.index("  reg [WIDTH-1:0] words")].replace(
        "output reg ", "output wire"
    )
    (folder / BLACK_BOX).write_text(f"{interface}endmodule\n")
    script = [
        f"read_verilog -lib {BLACK_BOX}",
        f"read_verilog -defer pynn_sparse_core.v {TOP}.v",
        f"chparam -set PRELOADED 0 {TOP}",
        f"hierarchy -check -top {TOP}",
        f"synth -flatten -top {TOP}",
        "check -assert",
        "select -assert-none t:$_DLATCH_* t:$dlatch t:$_SR_*",
        f"dfflibmap -liberty {LIBERTY}",
        f"abc -liberty {LIBERTY}",
        "clean",
        f"tee -o statistics.txt stat -liberty {LIBERTY}",
        f"write_verilog -noattr {NETLIST}",
    ]
    (folder / "synthesis.ys").write_text("\n".join(script) + "\n")
    call(["yosys", "-q", "synthesis.ys"], folder)
    text = (folder / "statistics.txt").read_text()
    counts = {name: int(n) for name, n in re.findall(r"^ +(\w+) +(\d+)$", text, re.MULTILINE)}
    cells = {name: n for name, n in counts.items() if name != "pynn_sparse_memory"}
    area = re.search(r"Chip area .*: ([\d.]+)", text)
    if area is None or not cells:
        raise ExportError(f"yosys gave no statistics:\n{text[-1000:]}")
    flip_flops = sum(n for name, n in cells.items() if name.startswith("DFF"))
    return Synthesis(sum(cells.values()), flip_flops, float(area.group(1)))


def energy(
    tables: Tables,
    folder: Path,
    events: NDArray[np.int64],
    trace: Trace,
    steps: int,
    period: float = 25.0,
    memory_energy: float | None = None,
) -> Energy:
    """Run the netlist of `synthesise`, and take power by the activity of each cell.

    Args:
        tables: the tables.
        folder: theirs, with `netlist.v`.
        events: (step, axon) of the sources' spikes.
        trace: of the golden model in the same run.
        steps: of the run.
        period: of the clock, ns.
        memory_energy: pJ for a bit that is read or written, an assumption of yours.

    Raises `ExportError` where spikes of the netlist are not those of `trace`.
    """
    commands, text = stimulus(tables, events, steps)
    (folder / PLAYED).write_bytes(text)
    defines = [f"-DMOST_COMMANDS={commands}", "-DGATES", "-DLOAD_PORT"]
    sources = [NETLIST, MEMORY, BENCH, str(CELLS)]
    call(["iverilog", "-g2005", *defines, "-o", "gates.vvp", *sources], folder)
    printed = call(["vvp", "gates.vvp", *plusargs(commands)], folder)
    finished = re.search(r"cycles (\d+)", printed)
    if finished is None:
        raise ExportError(f"the simulation of the netlist did not finish: {printed[-500:]}")
    cycles = int(finished.group(1))
    spikes = read_spikes(folder)
    if not np.array_equal(spikes, trace.spikes):
        raise ExportError("the netlist has other spikes than the golden model")
    activity = _activity(folder / "gates.vcd")
    slack, power, parts, groups = _timing(folder, activity, period)
    bits = _memory_bits(tables, events, trace, steps)
    operations = max(trace.synaptic_events, 1)
    logic = power * period * 1e-9 * cycles * 1e12 / operations
    memory = None if memory_energy is None else memory_energy * bits / operations
    said = () if memory_energy is None else (f"{memory_energy} pJ for a bit of memory",)
    counts = cycles, trace.synaptic_events, bits
    assumed = (*ASSUMPTIONS, *said)
    return Energy(period, slack, power, parts, groups, *counts, logic, memory, assumed)


def _activity(file: Path) -> dict[str, float]:
    """Output pin of a cell -> changes in a clock cycle, from a file of Icarus."""
    names, changes = {}, {}
    scope: list[str] = []
    clock = ""
    with file.open() as lines:
        for line in lines:
            if line.startswith("$scope"):
                scope.append(line.split()[2])
            elif line.startswith("$upscope"):
                scope.pop()
            elif line.startswith("$var"):
                width, code, name = line.split()[2:5]
                if name in ("Y", "Q", "YC", "YS") and width == "1" and len(scope) == 3:
                    names[f"{scope[-1]}/{name}"] = code
                if name == "clk" and len(scope) == 2:
                    clock = code
                changes[code] = 0
            elif line[0] in "01xz" and len(line) > 2:
                changes[line[1:-1]] += 1
    cycles = changes[clock] / 2
    return {pin: changes[code] / cycles for pin, code in names.items()}


def _timing(
    folder: Path, activity: dict[str, float], period: float
) -> tuple[float, float, dict[str, float], dict[str, float]]:
    """Slack (ns), and power (W) in all, by its parts and by groups of cells, by OpenSTA."""
    script = [
        f"read_liberty {LIBERTY}",
        f"read_verilog {NETLIST}",
        f"link_design {TOP}",
        f"create_clock -name clk -period {period} clk",
        "report_checks -digits 4",
        *(
            f"set_power_activity -pins [get_pins {{{pin}}}] -activity {value:.6f} -duty 0.5"
            for pin, value in activity.items()
        ),
        "report_power -digits 6",
        "exit",
    ]
    (folder / "timing.sta").write_text("\n".join(script) + "\n")
    printed = call(["sta", "-no_splash", "timing.sta"], folder)
    slack = re.search(r"(-?[\d.]+) +slack", printed)
    row = r"^(Total|Sequential|Combinational) +(\S+) +(\S+) +(\S+) +(\S+)"
    rows = {name: list(map(float, row)) for name, *row in re.findall(row, printed, re.MULTILINE)}
    if slack is None or set(rows) != {"Total", "Sequential", "Combinational"}:
        raise ExportError(f"OpenSTA gave no figures:\n{printed[-2000:]}")
    parts = dict(zip(("internal", "switching", "leakage"), rows["Total"], strict=False))
    groups = {name.lower(): rows[name][3] for name in ("Sequential", "Combinational")}
    return float(slack.group(1)), rows["Total"][3], parts, groups


def _memory_bits(tables: Tables, events: NDArray[np.int64], trace: Trace, steps: int) -> int:
    """Bits that are read or written, by the core's accesses."""
    fixed, width = tables.fixed, {n: m.layout.width for n, m in tables.memories.items()}
    word = input_bits(fixed, tables.rule.weight_bits)
    receptors = fixed.semantics.n_receptors
    state = tables.target.state_bits(fixed)  # type: ignore[attr-defined]
    of_neuron = width["neurons"] + width["profiles"] + 2 * state + 2 * receptors * word
    of_event = width["synapses"] + width["formats"] + (receptors + 1) * word
    index = max(1, (fixed.n_neurons - 1).bit_length())
    inputs = int((events[:, 0] <= steps).sum())
    rows = 2 * width["rows"] * (len(trace.spikes) + inputs)
    return int(
        steps * fixed.n_neurons * of_neuron
        + trace.synaptic_events * of_event
        + rows
        + 2 * index * len(trace.spikes)
    )
