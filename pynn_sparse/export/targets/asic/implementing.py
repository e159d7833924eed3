"""The core of one network in silicon, as far as open tools go: right, how large, how fast.

All samples run in a Verilog simulator and have to have the spikes of the golden model; FPGAs are
placed and routed; standard cells are mapped, timed, and their power taken by measured activity.
Tools work in a folder of their own, so that nothing is left where one fails.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...arguments import door
from ...errors import ExportError
from ...folder.writing import emit
from ...models import golden
from ...nets.fixednet import Axons
from ...proof import Check
from ...tables import Tables
from . import fpga, synthesise
from .simulate import TOOLS, Simulator, available

Integers = NDArray[np.int64]
GATE_STEPS = 8  # in which the activity of gates is measured
PERIOD = 25.0  # ns
ICARUS, VERILATOR, OPENSTA = "iverilog", "verilator", "sta"


@dataclass(frozen=True)
class Implemented:
    """Figures of a core.

    Attributes:
        simulator: in which all samples ran.
        samples: how many.
        differing: of them, those whose spikes are not the golden model's.
        cycles: int64 [samples], of the clock.
        operations: int64 [samples], synaptic operations.
        accuracy: share of samples whose label has most spikes in the core, the first of equal ones
            being the answer, or None without labels.
        undecided: samples in which no neuron has most spikes alone, or None without labels.
        fpgas: devices into which the core was placed and routed.
        refused: device -> why it was not.
        cells: of the mapped logic.
        energy: of the logic, by the activity in a part of the first sample.
        gate_steps: length of this part.
        versions: tool -> version.
        files: what was made, by name.
    """

    simulator: str
    samples: int
    differing: int
    cycles: Integers
    operations: Integers
    accuracy: float | None
    undecided: int | None
    fpgas: tuple[fpga.Implementation, ...]
    refused: dict[str, str]
    cells: synthesise.Synthesis
    energy: synthesise.Energy
    gate_steps: int
    versions: dict[str, str]
    files: dict[str, bytes]

    @property
    def frequency(self) -> float:
        """The greatest of the standard cells' clock, MHz: without wires and clock tree."""
        return 1000 / (self.energy.period - self.energy.slack)

    def rate(self, megahertz: float) -> float:
        """Samples a second with this clock."""
        return float(megahertz * 1e6 / self.cycles.mean())

    def checks(self) -> Iterator[Check]:
        """What has to hold."""
        yield Check(
            f"the Verilog core in {self.simulator} has the spikes of the integer model",
            not self.differing,
            f"{self.differing} of {self.samples} runs differ; {self.cycles.mean():,.0f} cycles",
        )
        for each in self.fpgas:
            yield Check(f"the core fits {each.device}", True, str(each))
        for device, why in self.refused.items():
            yield Check(f"the core fits {device}", False, why)
        yield Check(
            "standard cells keep to the clock",
            self.energy.slack >= 0,
            f"slack {self.energy.slack:.2f} ns at {self.energy.period:g} ns",
        )

    def energies(self) -> dict[str, float]:
        """Energy of a mean sample, uJ, each part on its own; "memory" only if it was given."""
        seconds = float(self.cycles.mean()) * self.energy.period * 1e-9
        found = {name: watts * seconds * 1e6 for name, watts in self.energy.parts.items()}
        if self.energy.memory_per_operation is not None:
            share = self.energy.memory_per_operation * max(self.energy.synaptic_operations, 1)
            found["memory"] = share * self.cycles.mean() / self.energy.cycles * 1e-6
        return found

    def markdown(self) -> str:
        """A section of the report."""
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        cells, energy = self.cells, self.energy
        yield from ("## Implementation", "", "| | |", "|---|---|")
        mean = f"{self.cycles.mean():,.0f} cycles, {self.operations.mean():,.0f} operations"
        yield f"| runs in {self.simulator} | {self.samples}, of which {self.differing} differ |"
        yield f"| mean run | {mean} |"
        if self.accuracy is not None:
            of_them = f"{self.undecided} of {self.samples} runs without a single answer"
            yield f"| accuracy of the core | {self.accuracy:.2%}; {of_them} |"
        for each in self.fpgas:
            yield f"| {each.device} | {each.luts} LUTs; {each} |"
            yield f"| | {self.rate(each.frequency):,.1f} runs/s; `{each.bitstream.name}` |"
        for device, why in self.refused.items():
            yield f"| {device} | {' '.join(why.split())} |"
        size = f"{cells.cells} cells, of them {cells.flip_flops} flip-flops"
        yield f"| osu018 | {size}, {cells.area:,.0f} um2 without memories |"
        clock = f"slack {energy.slack:.2f} ns at {energy.period:g} ns, at most"
        yield f"| clock | {clock} {self.frequency:.1f} MHz, without wires and clock tree |"
        now = 1000 / energy.period
        yield f"| rate | {self.rate(now):,.1f} runs/s at {now:g} MHz |"
        groups = ", ".join(f"{name} {1e3 * watts:.3g} mW" for name, watts in energy.groups.items())
        yield f"| power of the logic | {1e3 * energy.power:.3g} mW ({groups}) |"
        for name, microjoule in self.energies().items():
            yield f"| energy of a run, {name} | {microjoule:.3g} uJ |"
        bits = energy.memory_bits * self.cycles.mean() / energy.cycles
        yield f"| bits of memory that are read or written | {bits:,.0f} |"
        yield f"| activity | measured in the first {self.gate_steps} steps of the first run |"
        versions = ", ".join(f"{tool} {version}" for tool, version in self.versions.items())
        yield f"| tools | {versions} |"
        yield ""
        yield f"Assumed: {'; '.join(energy.assumptions)}."
        for command in self.commands():
            yield ""
            yield f"`{command}`"

    def commands(self) -> list[str]:
        """Of all tools but the simulator, in order, in the folder of the tables."""
        placed = [command for each in self.fpgas for command in each.commands]
        return [*placed, "yosys -q synthesis.ys", "sta -no_splash timing.sta"]

    def to_json(self) -> dict[str, Any]:
        """For other programs."""
        return {
            "simulator": self.simulator,
            "runs": self.samples,
            "differing": self.differing,
            "cycles": self.cycles.tolist(),
            "synaptic_operations": self.operations.tolist(),
            "accuracy": self.accuracy,
            "undecided": self.undecided,
            "fpgas": [
                asdict(each)
                | {"bitstream": each.bitstream.name, "runs_per_s": self.rate(each.frequency)}
                for each in self.fpgas
            ],
            "refused": self.refused,
            "cells": asdict(self.cells),
            "logic": asdict(self.energy),
            "runs_per_s": self.rate(1000 / self.energy.period),
            "energy_uj": self.energies(),
            "versions": self.versions,
            "commands": self.commands(),
        }


def missing(devices: Sequence[str]) -> list[str]:
    """How to install what is not there: tools for FPGAs, standard cells, and a simulator."""
    packages = synthesise.missing()
    cells = [f"apt-get install {' '.join(packages)}"] if packages else []
    return list(dict.fromkeys([*cells, *(way for name in devices for way in fpga.missing(name))]))


def implement(
    tables: Tables,
    samples: Sequence[Integers],
    steps: int,
    labels: Sequence[int] | None = None,
    readout: str | None = None,
    devices: Sequence[str] = ("up5k",),
    period: float = PERIOD,
    gate_steps: int = GATE_STEPS,
    memory_energy: float | None = None,
) -> Implemented:
    """Simulate, place and route, map, and take timing and power.

    Args:
        tables: for the target `asic`.
        samples: events (step, axon) of sources of each, int64 [n, 2].
        steps: of a sample.
        labels: of each, the number, in `readout`, of the neuron that should have most spikes.
        readout: label of a population.
        devices: FPGAs, of `fpga.DEVICES`. One into which the core does not fit is `refused`.
        period: of the standard cells' clock, ns.
        gate_steps: first steps of the first sample, in which the activity of gates is measured.
        memory_energy: pJ for a bit that is read or written, an assumption of yours.

    Raises `ExportError` where a tool is missing, with how to install it, or fails.
    """
    for name in devices:
        door.one_of("devices", name, fpga.DEVICES)
    if tables.target.name != "asic":
        raise ExportError(f"implement: tables are for {tables.target.name}; must be for asic")
    door.items("samples", samples, "events")
    steps, period = door.integer("steps", steps, 1), door.positive("period", period)
    gate_steps = min(door.integer("gate_steps", gate_steps, 1), steps)
    counted = len(samples) if labels is None else len(labels)
    if (labels is None) != (readout is None) or counted != len(samples):
        raise door.refused("labels", labels, f"{len(samples)} labels, with readout, or None")
    answers = None
    if labels is not None and readout is not None:
        answers = _Answers(_population(tables, readout), labels)
    if missing(devices):
        raise ExportError(f"not installed: {' && '.join(missing(devices))}")
    tool = "verilator" if len(samples) > 1 and available("verilator") else "icarus"
    expected = golden.run_samples(tables.fixed, steps, samples)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, content in emit(tables).items():
            (folder / file).write_bytes(content)
        core = Simulator(tables, folder, tool, max(map(len, samples)) + steps + 1)
        runs = [core.run(events, steps) for events in samples]
        made: list[fpga.Implementation] = []
        refused: dict[str, str] = {}
        files: dict[str, bytes] = {}
        for device in devices:
            try:
                made.append(_kept(fpga.implement(tables, folder, device), files))
            except ExportError as error:
                refused[device] = str(error)
        cells = synthesise.synthesise(folder)
        trace = golden.run(tables.fixed, gate_steps, samples[0])
        taken = tables, folder, samples[0], trace, gate_steps, period, memory_energy
        energy = synthesise.energy(*taken)
        for each in (synthesise.NETLIST, synthesise.BLACK_BOX, "synthesis.ys", "timing.sta"):
            files[each] = (folder / each).read_bytes()
    accuracy, undecided = answers.of([run.spikes for run in runs]) if answers else (None, None)
    pairs = zip(runs, expected.spikes, strict=True)
    return Implemented(
        tool,
        len(samples),
        sum(not np.array_equal(run.spikes, spikes) for run, spikes in pairs),
        np.array([run.cycles for run in runs]),
        expected.synaptic_events,
        accuracy,
        undecided,
        tuple(made),
        refused,
        cells,
        energy,
        gate_steps,
        _versions(tool, made),
        files,
    )


def _kept(made: fpga.Implementation, files: dict[str, bytes]) -> fpga.Implementation:
    """Keeps the contents of the bitstream and of the report, before their folder goes."""
    names = fpga.files_of(made.device)
    for name in (names.bitstream, names.report):
        files[name] = made.bitstream.with_name(name).read_bytes()
    return replace(made, bitstream=Path(names.bitstream))


def _population(tables: Tables, label: str) -> Axons:
    """The neurons of a label. Raises `ExportError` for one that there is not."""
    neurons = {each.label: each for each in tables.frame.axons if not each.is_source}
    return neurons[door.one_of("readout", label, neurons)]


class _Answers:
    """Compares spikes of a population with labels; raises `ExportError` for those it has not."""

    def __init__(self, readout: Axons, labels: Sequence[int]) -> None:
        self.readout = readout
        self.labels = [door.integer("labels", each, 0, readout.size - 1) for each in labels]

    def of(self, spikes: Sequence[Integers]) -> tuple[float, int]:
        """The accuracy, and how many samples have no single answer."""
        size = self.readout.size
        cells = [each[:, 1] - self.readout.first for each in spikes]
        counts = np.array([np.bincount(c[(c >= 0) & (c < size)], minlength=size) for c in cells])
        alone = (counts == counts.max(axis=1, keepdims=True)).sum(axis=1) == 1
        return float(np.mean(counts.argmax(axis=1) == self.labels)), int((~alone).sum())


def _versions(tool: str, made: Sequence[fpga.Implementation]) -> dict[str, str]:
    options = {ICARUS: "-V", VERILATOR: "--version", OPENSTA: "-version"}
    names = dict.fromkeys([TOOLS[tool], ICARUS, OPENSTA])
    versions = {name: fpga.version_of(name, options[name]) for name in names}
    for each in made:
        versions |= each.versions
    return {"yosys": fpga.version_of("yosys"), **versions}
