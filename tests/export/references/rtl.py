"""RANC's and tinyODIN's own RTL, in Icarus Verilog or Verilator, with tables of this project.

The sources are those of their repositories, UA-RCL/RANC and ChFrenkel/tinyODIN, whose folders the
environment names; benches are beside this file.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from truenorth_chip import Ranc

from pynn_sparse.export.folder.memh import from_memh, to_memh
from pynn_sparse.export.nets.layout import Field, Layout, bits_for
from pynn_sparse.export.tables import Tables
from pynn_sparse.export.targets.odin.words import NEURON, NEURONS, SYNAPSES, aer_input
from pynn_sparse.export.targets.truenorth.files import packets, ranc_parameters, simulator_input
from pynn_sparse.export.targets.truenorth.words import Grid

HERE = Path(__file__).resolve().parent
TOOLS = {"icarus": "iverilog", "verilator": "verilator"}
RANC_RTL = Path("hardware/IP/RANCNetwork/src/sources")
NOT_OF_THE_GRID = ("RANCNetwork.v", "RANCNetwork_S00_AXIS.v", "PacketFetch.v")
Integers = NDArray[np.int64]


def folder_of(variable: str, repository: str) -> Path:
    """Where the environment says that a repository is."""
    if variable not in os.environ:
        pytest.skip(f"{variable} does not name a copy of the repository {repository}")
    return Path(os.environ[variable])


def build(
    bench: str, sources: list[Path], macros: dict[str, object], folder: Path, tool: str
) -> list[str]:
    """Compile a bench with sources; returns the command that runs it in the folder."""
    if shutil.which(TOOLS[tool]) is None:
        pytest.skip(f"{TOOLS[tool]} is not installed (Debian: apt-get install {TOOLS[tool]})")
    files = [str(HERE / f"{bench}.v"), *map(str, sources)]
    defined = [f"-D{name}={value}" for name, value in macros.items()]
    if tool == "icarus":
        call(["iverilog", "-g2012", "-s", bench, "-o", "bench.vvp", *defined, *files], folder)
        return ["vvp", "bench.vvp"]
    options = "--binary --timing -Wno-fatal -Wno-lint -Wno-style -O3 --top-module".split()
    call(["verilator", *options, bench, *defined, *files], folder)
    return [f"./obj_dir/V{bench}"]


def call(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=1200)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    return done.stdout


def integers(file: Path, columns: int) -> Integers:
    """Lines of integers, of which there may be none."""
    return np.asarray(file.read_text().split(), np.int64).reshape(-1, columns)


# --- RANC ------------------------------------------------------------------------------------


def ranc_rtl(repository: Path, tables: Tables, events: Integers, steps: int, folder: Path) -> Ranc:
    """Run RANC's grid of cores in Icarus Verilog, from the files of a folder."""
    target = tables.target
    parameters = ranc_parameters(tables.memories, target.axons, target.neurons)
    cores = parameters["GRID_DIMENSION_X"] * parameters["GRID_DIMENSION_Y"] - 1
    commands = ranc_stimulus(tables, events, steps, folder)
    (folder / "watch.vh").write_text("".join(f"`WATCH({core})\n" for core in range(cores)))
    macros = {**parameters, "COMMANDS": commands, "BLOCK": "genblk2"}
    found = sorted((repository / RANC_RTL).glob("*.v"))
    sources = [each for each in found if each.name not in NOT_OF_THE_GRID]
    printed = call(build("ranc_bench", sources, macros, folder, "icarus"), folder)
    assert re.search(r"^errors 0$", printed, re.MULTILINE), printed[-1000:]
    step, core, neuron, value = integers(folder / "potentials.txt", 4).T
    potential = np.zeros((steps + 1, cores * target.neurons), np.int64)
    potential[step, core * target.neurons + neuron] = value
    spikes = integers(folder / "spikes.txt", 3)
    words = np.column_stack([spikes[:, 0], spikes[:, 1] * target.neurons + spikes[:, 2]])
    return Ranc(potential, words[np.lexsort(words.T[::-1])])


def ranc_stimulus(tables: Tables, events: Integers, steps: int, folder: Path) -> int:
    """Write packets of each step, and a tick after them; returns the number of commands."""
    word, target = tables.memories["csram"].layout, tables.target
    grid = Grid.of(len(tables.memories["csram"].words) // target.neurons)
    neurons = sum(each.size for each in tables.frame.axons if not each.is_source)
    sent = packets(tables.memories, events[events[:, 0] < steps], neurons)
    step, core, axon, tick = sent.T
    last = np.arange(steps)
    columns = {
        "tick": np.append(tick, 0 * last),
        "axon": np.append(axon, 0 * last),
        "dy": np.append(core // grid.x, 0 * last),
        "dx": np.append(core % grid.x, 0 * last),
        "next": np.append(0 * step, 0 * last + 1),
    }
    order = np.lexsort((columns["next"], np.append(step, last)))
    fields = [field for field in word.fields if field.name in columns]
    layout = Layout("command", (*fields, Field("next", 1)))
    words = layout.encode({name: each[order] for name, each in columns.items()})
    (folder / "stimulus.memh").write_bytes(to_memh(words, layout.width))
    return len(words)


def build_ranc_simulator(repository: Path, folder: Path) -> Path:
    """Compile RANC's C++ simulator."""
    source, program = repository / "simulator", folder / "ranc_sim"
    command = ["g++", "-std=c++14", "-w", f"-I{source}/src", f"-I{source}/extern"]
    files = sorted(map(str, (source / "src").glob("*.cpp")))
    call([*command, *files, "-o", str(program)], folder)
    return program


def ranc_simulator(
    program: Path, tables: Tables, events: Integers, steps: int, folder: Path
) -> Ranc:
    """Run RANC's C++ simulator."""
    for name, contents in simulator_input(tables, events, steps, trace=True).items():
        (folder / name).write_text(json.dumps(contents))
    arguments = "-i input.json -o output.txt -c config.json -t trace.txt --ticks".split()
    printed = call([str(program), *arguments, str(steps)], folder)
    assert "WARNING" not in printed
    grid = Grid.of(len(tables.memories["csram"].words) // tables.target.neurons)
    return simulator_trace(folder / "trace.txt", grid, tables.target.neurons, steps)


def simulator_trace(file: Path, grid: Grid, neurons: int, steps: int) -> Ranc:
    """Potentials and spikes in the trace of RANC's C++ simulator."""
    potential, spikes = np.zeros((steps + 1, grid.places * neurons), np.int64), []
    step = core = word = 0
    for line in file.read_text().splitlines():
        if found := re.search(r"- Tick (\d+) begins", line):
            step = int(found.group(1))
        elif found := re.search(r"Core Controller \((\d+), (\d+)\)", line):
            core = int(found.group(2)) * grid.x + int(found.group(1))
        elif found := re.match(r"Neuron (\d+) integration", line):
            word = core * neurons + int(found.group(1))
        elif "Neuron spikes" in line:
            spikes.append([step, word])
        elif found := re.search(r"ends at potential: (-?\d+)", line):
            potential[step, word] = int(found.group(1))
    return Ranc(potential, np.asarray(sorted(spikes), np.int64).reshape(-1, 2))


# --- tinyODIN --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Chip:
    """What tinyODIN did: voltages [steps + 1, 256], spikes (step, neuron) in their order.

    `synapses_kept` tells whether the synapse memory is at the end as the tables have it.
    """

    voltage: Integers
    spikes: Integers
    synapses_kept: bool


def odin_rtl(
    repository: Path,
    tables: Tables,
    spikes: Integers,
    steps: int,
    folder: Path,
    tool: str = "icarus",
    by_spi: bool = False,
) -> Chip:
    """Run tinyODIN on spikes (step, axon) of sources and neurons, from the files of a folder.

    With `by_spi` the memories are written by all commands of `spi.memh`, else by `$readmemh`.
    """
    sent = aer_input(tables.memories, spikes, steps)
    bits = bits_for(steps)
    layout = Layout("event", (Field("event", 10), Field("step", bits)))
    words = layout.encode({"event": sent[:, 1], "step": sent[:, 0]})
    (folder / "events.memh").write_bytes(to_memh(words, layout.width))
    macros = {
        "COMMANDS": len(tables.memories["spi"].words),
        "HEAD": 4,
        "EVENTS": len(sent),
        "STEP_BITS": bits,
        "WHOLE": int(by_spi),
    }
    sources = sorted(repository.glob("*.v"))
    call(build("odin_bench", sources, macros, folder, tool), folder)
    text = (folder / "states.txt").read_bytes()
    states = NEURON.decode(from_memh(text, NEURON.width, NEURONS * (steps + 1), "states.txt"))
    found = integers(folder / "spikes.txt", 2)
    kept = tables.memories["synapses"].words
    after = (folder / "synapses.txt").read_bytes()
    return Chip(
        states["voltage"].reshape(steps + 1, NEURONS),
        found,
        np.array_equal(from_memh(after, SYNAPSES.width, len(kept), "synapses.txt"), kept),
    )
