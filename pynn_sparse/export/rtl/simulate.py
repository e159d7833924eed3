"""Runs the Verilog core in Icarus Verilog or Verilator, with the tables of a folder."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .. import golden
from ..errors import ExportError
from ..layout import Field, Layout
from ..memh import from_memh, to_memh
from ..tables import Tables
from ..verify import Check
from . import BENCH, SOURCES, parameter_values

Integers = NDArray[np.int64]
TOOLS = {"icarus": "iverilog", "verilator": "verilator"}


@dataclass(frozen=True)
class Simulated:
    """What the core did.

    Attributes:
        voltage: int64 [steps + 1, N]; row 0 is the initial state.
        current: int64 [steps + 1, N, R].
        waiting: int64 [steps + 1, N], refractory ticks that are left.
        spikes: int64 [n, 2], (step, neuron), in ascending order.
        cycles: of the clock, after initialisation.
    """

    voltage: Integers
    current: Integers
    waiting: Integers
    spikes: Integers
    cycles: int


def available(tool: str) -> bool:
    """Whether a simulator, of `TOOLS`, is installed."""
    return shutil.which(TOOLS[tool]) is not None


class Simulator:
    """The core with the tables of a folder, compiled once for runs of up to `capacity` commands.

    Args:
        tables: for the target `asic`; what gives the widths.
        folder: with the files of these tables; the simulation reads the memories there.
        tool: "icarus" or "verilator".
        capacity: ticks and spikes of sources in a run.

    Raises `ExportError` where the tool is not installed, or finds an error.
    """

    def __init__(
        self, tables: Tables, folder: Path, tool: str = "icarus", capacity: int = 1 << 16
    ) -> None:
        if not available(tool):
            raise ExportError(f"{tool} is not installed (Debian: apt-get install {TOOLS[tool]})")
        self._tables, self._folder, self._capacity = tables, folder, capacity
        self._program = _built(folder, tool, capacity)

    def run(self, events: Integers, steps: int) -> Simulated:
        """Run from the beginning.

        Args:
            events: (step, axon) of sources' spikes, int64 [n, 2].
            steps: time steps.

        Raises `ExportError` for more commands than the capacity.
        """
        commands = write_stimulus(self._tables, self._folder, events, steps)
        if commands > self._capacity:
            raise ExportError(f"{commands} ticks and spikes; capacity = {self._capacity}")
        printed = call([*self._program, f"+commands={commands}"], self._folder)
        cycles = re.search(r"cycles (\d+)", printed)
        if cycles is None:
            raise ExportError(f"the simulation did not finish: {printed[-500:]}")
        return _results(self._tables, self._folder, steps, int(cycles.group(1)))


def simulate(
    tables: Tables, folder: Path, events: Integers, steps: int, tool: str = "icarus"
) -> Simulated:
    """A single run of a `Simulator`."""
    return Simulator(tables, folder, tool, steps + len(events) + 1).run(events, steps)


def check(tables: Tables, folder: Path, events: Integers, steps: int, tool: str) -> Check:
    """Whether the core does what the golden model does, in every state of every tick.

    Args and errors are those of `simulate`.
    """
    trace = golden.run(tables.fixed, steps, events, states=True)
    found = simulate(tables, folder, events, steps, tool)
    differing = [
        name
        for name in ("voltage", "current", "waiting", "spikes")
        if not np.array_equal(getattr(found, name), getattr(trace, name))
    ]
    states = steps * tables.fixed.n_neurons * (2 + tables.fixed.semantics.n_receptors)
    return Check(
        f"the Verilog core in {tool} has every state of every tick",
        not differing,
        f"{', '.join(differing) or 'nothing'} differs in {states} states; {found.cycles} cycles",
    )


def write_stimulus(tables: Tables, folder: Path, events: Integers, steps: int) -> int:
    """Write `stimulus.memh`: spikes of a step after the tick that begins it; return its length."""
    bits = parameter_values(tables)["AXON_BITS"]
    layout = Layout("command", (Field("axon", bits), Field("tick", 1)))
    events = events[events[:, 0] <= steps]
    step = np.concatenate([np.arange(1, steps + 1), events[:, 0]])
    axon = np.concatenate([np.zeros(steps, np.int64), events[:, 1]])
    tick = np.arange(len(step)) < steps
    order = np.lexsort((axon, ~tick, step))
    words = layout.encode({"axon": axon[order], "tick": tick[order]})
    (folder / "stimulus.memh").write_bytes(to_memh(words, layout.width))
    return len(words)


def _built(folder: Path, tool: str, capacity: int) -> list[str]:
    files = [*SOURCES, BENCH]
    if tool == "icarus":
        arguments = [
            "-g2005",
            "-Wall",
            "-Wno-timescale",
            f"-DMOST_COMMANDS={capacity}",
            "-o",
            "bench.vvp",
        ]
        call(["iverilog", *arguments, *files], folder)
        return ["vvp", "bench.vvp"]
    arguments = "--binary --timing -Wno-fatal -O3 --top-module pynn_sparse_bench".split()
    call(["verilator", *arguments, f"-DMOST_COMMANDS={capacity}", *files], folder)
    return ["./obj_dir/Vpynn_sparse_bench"]


def call(command: list[str], folder: Path) -> str:
    """What a tool prints. Raises `ExportError` with the end of it where the tool fails."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise ExportError(f"{command[0]} failed:\n{(done.stdout + done.stderr)[-3000:]}")
    return done.stdout


def read_spikes(folder: Path) -> Integers:
    """What the bench wrote: (tick, neuron), [n, 2]; of a silent run, too."""
    return np.array((folder / "spikes.txt").read_text().split(), np.int64).reshape(-1, 2)


def _results(tables: Tables, folder: Path, steps: int, cycles: int) -> Simulated:
    values = parameter_values(tables)
    v, n, receptors = values["VOLTAGE_BITS"], values["NEURONS"], values["RECEPTORS"]
    layout = Layout(
        "state",
        (
            Field("voltage", v, True),
            *(Field(f"current_{r}", v, True) for r in range(receptors)),
            Field("waiting", values["REFRACTORY_BITS"]),
        ),
    )
    text = (folder / "states.txt").read_bytes()
    words = from_memh(text, layout.width, (steps + 1) * n, "states.txt")
    state = {name: each.reshape(steps + 1, n) for name, each in layout.decode(words).items()}
    spikes = read_spikes(folder)
    currents = np.stack([state[f"current_{r}"] for r in range(receptors)], axis=2)
    return Simulated(state["voltage"], currents, state["waiting"], spikes, cycles)
