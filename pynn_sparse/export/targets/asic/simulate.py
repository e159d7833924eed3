"""Runs the Verilog core in Icarus Verilog or Verilator, with the tables of a folder."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import ExportError
from ...folder.memh import from_memh, to_memh
from ...models import golden
from ...nets.layout import Field, Layout
from ...proof import Check
from ...tables import Tables
from .core import BENCH, SOURCES, parameter_values

Integers = NDArray[np.int64]
PLAYED = "played.memh"  # the stimulus of a run; `stimulus.memh` is one that is handed over
MOST_EXPECTED = 20_000_000
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
        load: whether the tables are written through the core's port, as in silicon; without it
            they are there when the simulation begins.

    Raises `ExportError` where the tool is not installed, or finds an error.
    """

    def __init__(
        self,
        tables: Tables,
        folder: Path,
        tool: str = "icarus",
        capacity: int = 1 << 16,
        load: bool = False,
    ) -> None:
        if not available(tool):
            raise ExportError(f"{tool} is not installed (Debian: apt-get install {TOOLS[tool]})")
        self._tables, self._folder, self._capacity = tables, folder, capacity
        self._program = _built(folder, tool, capacity, load)

    def run(self, events: Integers, steps: int) -> Simulated:
        """Run from the beginning.

        Args:
            events: (step, axon) of sources' spikes, int64 [n, 2].
            steps: time steps.

        Raises `ExportError` for more commands than the capacity.
        """
        words, text = stimulus(self._tables, events, steps)
        if words > self._capacity:
            raise ExportError(f"{words} ticks and spikes; capacity = {self._capacity}")
        (self._folder / PLAYED).write_bytes(text)
        printed = call([*self._program, *plusargs(words)], self._folder)
        cycles = re.search(r"cycles (\d+)", printed)
        if cycles is None:
            raise ExportError(f"the simulation did not finish: {printed[-500:]}")
        return _results(self._tables, self._folder, steps, int(cycles.group(1)))


def simulate(
    tables: Tables,
    folder: Path,
    events: Integers,
    steps: int,
    tool: str = "icarus",
    load: bool = False,
) -> Simulated:
    """A single run of a `Simulator`."""
    return Simulator(tables, folder, tool, steps + len(events) + 1, load).run(events, steps)


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


def plusargs(commands: int) -> list[str]:
    """Arguments of the bench that plays the file `PLAYED`."""
    return [f"+commands={commands}", f"+stimulus={PLAYED}"]


def bench_files(tables: Tables, events: Integers, steps: int) -> dict[str, bytes]:
    """What the bench needs to check itself, by name, without Python.

    `stimulus.memh` has ticks and spikes of sources, `expect.memh` the state of each neuron at the
    beginning and after each tick, by the golden model; `run.f` names sources and sizes. In the
    folder of the tables, with Icarus Verilog::

        iverilog -g2005 -o bench.vvp -c run.f && vvp bench.vvp +check

    Args:
        tables: for the target `asic`.
        events: (step, axon) of sources' spikes, int64 [n, 2].
        steps: time steps.

    Raises `ExportError` for more than `MOST_EXPECTED` states.
    """
    fixed = tables.fixed
    states = (steps + 1) * fixed.n_neurons
    if states > MOST_EXPECTED:
        raise ExportError(
            f"{states:,} states of {fixed.n_neurons} neurons in {steps} ticks: must be up to "
            f"{MOST_EXPECTED:,}; run fewer ticks"
        )
    trace = golden.run(fixed, steps, events, states=True)
    assert trace.voltage is not None
    assert trace.current is not None
    assert trace.waiting is not None
    layout = _state_layout(tables)
    columns = {"voltage": trace.voltage.ravel(), "waiting": trace.waiting.ravel()}
    for receptor in range(fixed.semantics.n_receptors):
        columns[f"current_{receptor}"] = trace.current[:, :, receptor].ravel()
    words, text = stimulus(tables, events, steps)
    defines = [f"+define+MOST_COMMANDS={words}", f"+define+MOST_EXPECTED={states}"]
    return {
        "stimulus.memh": text,
        "expect.memh": to_memh(layout.encode(columns), layout.width),
        "run.f": "\n".join([*defines, *SOURCES, BENCH, ""]).encode(),
    }


def stimulus(tables: Tables, events: Integers, steps: int) -> tuple[int, bytes]:
    """Words for the bench, and their text: spikes of a step after the tick that begins it."""
    bits = parameter_values(tables)["AXON_BITS"]
    layout = Layout("command", (Field("axon", bits), Field("tick", 1)))
    events = events[events[:, 0] <= steps]
    step = np.concatenate([np.arange(1, steps + 1), events[:, 0]])
    axon = np.concatenate([np.zeros(steps, np.int64), events[:, 1]])
    tick = np.arange(len(step)) < steps
    order = np.lexsort((axon, ~tick, step))
    words = layout.encode({"axon": axon[order], "tick": tick[order]})
    return len(words), to_memh(words, layout.width)


def _built(folder: Path, tool: str, capacity: int, load: bool) -> list[str]:
    files = [f"-DMOST_COMMANDS={capacity}", *(["-DLOAD_PORT"] if load else []), *SOURCES, BENCH]
    if tool == "icarus":
        arguments = [
            "-g2005",
            "-Wall",
            "-Wno-timescale",
            "-o",
            "bench.vvp",
        ]
        call(["iverilog", *arguments, *files], folder)
        return ["vvp", "bench.vvp"]
    arguments = "--binary --timing -Wno-fatal -O3 --top-module pynn_sparse_bench".split()
    call(["verilator", *arguments, *files], folder)
    return ["./obj_dir/Vpynn_sparse_bench"]


def call(command: list[str], folder: Path) -> str:
    """What a tool prints. Raises `ExportError` with the end of it where the tool fails."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise ExportError(f"{command[0]} failed:\n{(done.stdout + done.stderr)[-3000:]}")
    return done.stdout


def _state_layout(tables: Tables) -> Layout:
    """Words of the core's memory of states."""
    values = parameter_values(tables)
    v = values["VOLTAGE_BITS"]
    currents = (Field(f"current_{r}", v, True) for r in range(values["RECEPTORS"]))
    waiting = Field("waiting", values["REFRACTORY_BITS"])
    return Layout("state", (Field("voltage", v, True), *currents, waiting))


def read_spikes(folder: Path) -> Integers:
    """What the bench wrote: (tick, neuron), [n, 2]; of a silent run, too."""
    return np.array((folder / "spikes.txt").read_text().split(), np.int64).reshape(-1, 2)


def _results(tables: Tables, folder: Path, steps: int, cycles: int) -> Simulated:
    n, receptors = tables.fixed.n_neurons, tables.fixed.semantics.n_receptors
    layout = _state_layout(tables)
    text = (folder / "states.txt").read_bytes()
    words = from_memh(text, layout.width, (steps + 1) * n, "states.txt")
    state = {name: each.reshape(steps + 1, n) for name, each in layout.decode(words).items()}
    spikes = read_spikes(folder)
    currents = np.stack([state[f"current_{r}"] for r in range(receptors)], axis=2)
    return Simulated(state["voltage"], currents, state["waiting"], spikes, cycles)
