"""Samples, one after the other in one run, and what outputs show of each."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pynn_sparse.door import Door, as_numbers
from pynn_sparse.engine.building.products import add_products
from pynn_sparse.interchange.layers import Readout
from pynn_sparse.interchange.layers.programs import COUNTED, MOST_SPIKES
from pynn_sparse.network import memory
from pynn_sparse.network.time import LAST_STEP

from ...parameters import Sequence
from .. import simulator
from ..control import reset, run
from .currents import SampleCurrents
from .sources import spike_times

MOST_COUNT = 255  # greater values are not taken for numbers of spikes
NEVER = float("inf")
BYTES_OF_OUTPUT = 16  # counts of spikes as integers, and as they are returned
door = Door(ValueError)


def outputs(net: Any, inputs: Any, steps: int | None) -> Any:
    """What a `TrainedNetwork` shows for each sample; see `pyNN.sparse.present`."""
    done = presented(net, Samples(net, inputs, steps))
    found = {each.name: done.shown(each) for each in net.readouts}
    return next(iter(found.values())) if len(found) == 1 else found


def presented(net: Any, samples: Samples, spikes_of: Iterable[str] = ()) -> Presented:
    """Run all samples, and record what outputs show and spikes of other populations, by name."""
    simulator.state.require_all("present")
    with simulator.state.processes.together("present"):
        return _run_all(net, samples, spikes_of)


def _run_all(net: Any, samples: Samples, spikes_of: Iterable[str]) -> Presented:
    late = max((each.lag for each in net.readouts), default=0) + 1
    period = samples.steps + _longest_memory(net)
    duration = _duration(net, samples, period, late)
    times = {name: samples.spike_times(name, period) for name in net.inputs}
    drives = _drives(net, samples)
    populations = net.populations.values()
    reset()
    for readout in net.readouts:
        net.populations[readout.population].record("spikes" if readout.spikes else "v")
    for name in spikes_of:
        net.populations[name].record("spikes")
    counting = [p for p in populations if COUNTED in p.celltype.recordable]
    try:
        for population in populations:
            population.set(steps=float(samples.steps), period=float(period))
        for name, population in net.inputs.items():
            population.set(spike_times=times[name])
        _inject(net, drives, period)
        run(duration)
        for population in counting:
            _check_counts(population)
    finally:
        for population in populations:
            population.set(steps=NEVER, period=NEVER)
    return Presented(net, samples, period)


@dataclass(frozen=True)
class Presented:
    """Samples that were run, `period` steps each, and what was recorded of them."""

    net: Any
    samples: Samples
    period: int

    def counts(self, name: str, late: int = 0) -> NDArray[np.int64]:
        """Spikes of a population in each step, [samples, steps, neurons], `late` steps later."""
        population, samples = self.net.populations[name], self.samples
        recorder = population.recorder
        with recorder.reading_all(f"spikes of {name}"):
            neuron, stamp = recorder._spikes()
        clock = stamp - FIRST_STAMP - self.net.skews[name]
        sample, step = np.divmod(clock, self.period)
        step = step + late
        good = (step < samples.steps) & (sample < samples.count) & (clock >= 0)
        counts = np.zeros((samples.count, samples.steps, population.size), np.int64)
        first = population._block.first
        np.add.at(counts, (sample[good], step[good], neuron[good] - first), 1)
        return counts

    def shown(self, readout: Readout) -> NDArray[Any]:
        """An output of all samples, `[samples, steps, *shape]`."""
        name, samples, skew = readout.population, self.samples, self.net.skews[readout.population]
        if readout.spikes:
            found: NDArray[Any] = self.counts(name, readout.lag - skew).astype(np.uint8)
        else:
            population = self.net.populations[name]
            segment = population.get_data("v").segments[-1]
            signal = segment.analogsignals[0].magnitude
            at = np.arange(samples.count)[:, None] * self.period + np.arange(samples.steps)
            found = signal[at + FIRST_STAMP + skew]
        return found.reshape(samples.count, samples.steps, *readout.shape)


def _duration(net: Any, samples: Samples, period: int, late: int) -> float:
    """Of the run, ms. Raises ValueError where that is too long, and where results have no room."""
    steps, dt = samples.count * period + late, simulator.state.dt
    if steps > LAST_STEP:
        raise ValueError(
            f"steps = {samples.steps}: must be such that {samples.count} samples, one after the "
            f"other, take at most {LAST_STEP} steps; they take {steps}"
        )
    cells = sum(each.size for each in net.inputs.values())
    shown = sum(net.populations[each.population].size for each in net.readouts)
    memory.require(
        float(samples.count) * samples.steps * (cells + BYTES_OF_OUTPUT * shown),
        f"inputs and outputs of {samples.count} samples of {samples.steps} steps",
    )
    return float(steps * dt)


class Samples:
    """What is presented, checked.

    Attributes:
        values: name of an input -> [count, steps or 1, size].
        count: of samples.
        steps: for which each is presented.
    """

    def __init__(self, net: Any, inputs: Any, steps: int | None) -> None:
        self.shown = steps is not None
        if steps is not None:
            door.integer("steps", steps, 1, LAST_STEP)
        given = inputs if isinstance(inputs, Mapping) else {next(iter(net.inputs)): inputs}
        if set(given) != set(net.inputs):
            must = f"for each of {list(net.inputs)}, and no other"
            raise door.refused("inputs", dict.fromkeys(given, ...), must)
        self.values: dict[str, NDArray[np.float64]] = {}
        for plan in net.plan.inputs:
            self.values[plan.name] = self._checked(plan.name, plan.shape, given[plan.name])
        self._spikes = {name: _are_spikes(each) for name, each in self.values.items()}
        counts = {name: each.shape[:2] for name, each in self.values.items()}
        if len(set(counts.values())) > 1:
            raise ValueError(f"inputs have different numbers of samples and steps: {counts}")
        self.count, length = next(iter(counts.values()))
        self.steps = int(steps) if steps is not None else length

    def _checked(self, name: str, shape: tuple[int, ...], value: Any) -> NDArray[np.float64]:
        """As [samples, steps or 1, size]."""
        array = as_numbers(value, "iufb")
        if array is None:
            raise door.refused(f"input {name!r}", value, "an array of numbers")
        before = 1 if self.shown else 2
        size = math.prod(shape)
        what = "[samples, *shape]" if self.shown else "[samples, steps, *shape]"
        if array.ndim <= before - 1 or array.shape[before:] not in (shape, (size,)):
            raise ValueError(
                f"input {name!r}: its shape is {array.shape}, but must be {what} with the shape "
                f"{shape}" + ("" if self.shown else "; images need steps=")
            )
        if 0 in array.shape[:before]:
            must = "with at least one sample and step"
            raise ValueError(f"input {name!r}: its shape is {array.shape}: must be {what} {must}")
        memory.require(array.size, f"input {name!r} of shape {array.shape}")
        if not np.isfinite(array).all():
            must = "numbers that are finite, and some are not"
            raise door.refused(f"input {name!r}", value, must)
        return array.reshape(array.shape[0], -1 if not self.shown else 1, size)

    def are_spikes(self, name: str) -> bool:
        """Whether an input's values are numbers of spikes."""
        return self._spikes[name]

    def spike_times(self, name: str, period: int) -> list[Sequence]:
        """Times (ms) of each source."""
        values = self.values[name]
        n = values.shape[2]
        if not self.are_spikes(name):
            return [Sequence([]) for _ in range(n)]
        shown = np.broadcast_to(values, (self.count, self.steps, n))
        counts = np.ascontiguousarray(shown.transpose(2, 0, 1).astype(np.uint8))
        return spike_times(counts, np.arange(self.count)[:, None] * period + np.arange(self.steps))


def _are_spikes(values: NDArray[np.float64]) -> bool:
    whole = (values >= 0) & (values <= MOST_COUNT) & (values == np.rint(values))
    return bool(whole.all())


def _longest_memory(net: Any) -> int:
    """How many steps of the trained network a spike is on its way at most."""
    longest = 0
    for wires in net.plan.wires:
        for table in net.projections[wires.name]._tables:
            if len(table):
                longest = max(longest, table.waits.delay[1] - wires.lag)
    return int(simulator.state.processes.greatest("present", np.array([longest]))[0])


def _drives(net: Any, samples: Samples) -> dict[str, NDArray[np.float64]]:
    """Inputs that are no spikes, times weights: what arrives at each population."""
    drives: dict[str, NDArray[np.float64]] = {}
    for wires in net.plan.wires:
        if wires.pre not in net.inputs or samples.are_spikes(wires.pre):
            continue
        drive = _product(net, wires, samples)
        if not np.isfinite(drive).all():
            raise ValueError(
                f"input {wires.pre!r}: must be such that it is finite times the weights of "
                f"{wires.name!r}"
            )
        drives[wires.post] = drives[wires.post] + drive if wires.post in drives else drive
    return drives


def _inject(net: Any, drives: dict[str, NDArray[np.float64]], period: int) -> None:
    """Give each neuron what arrives at it as a current."""
    for name in net._injected.keys() - drives.keys():
        net._injected[name].silence()
    for name, drive in drives.items():
        if name not in net._injected:
            net._injected[name] = SampleCurrents(net[name], net.skews[name])
        net._injected[name].show(drive, period)


def _product(net: Any, wires: Any, samples: Samples) -> NDArray[np.float64]:
    """What arrives at each target, [samples, steps or 1, n]."""
    matrices = net.matrices(wires)
    values = samples.values[wires.pre]
    if any(matrices):
        values = np.broadcast_to(values, (samples.count, samples.steps, values.shape[2]))
    steps, n_source = values.shape[1:]
    total = np.zeros((samples.count, steps, net[wires.post].size))
    flat = values.reshape(-1, n_source)
    for late, matrix in matrices.items():
        found = total if late == 0 else np.zeros_like(total)
        add_products(found.reshape(len(flat), -1), flat, matrix, simulator.state.threads)
        if late:
            total[:, late:] += found[:, : max(steps - late, 0)]
    return total


def _check_counts(population: Any) -> None:
    state, block = simulator.state, population._block
    own = state.own_part(block)
    index = np.arange(own.start, own.stop, dtype=np.int32)
    if state.require_engine().blocks[block.index].sample(COUNTED, index).any():
        raise OverflowError(
            f"{population.label}: a neuron would have fired more than {MOST_SPIKES} spikes in a "
            "step"
        )


FIRST_STAMP = 1  # the end of step 0, which is when its spikes and v are recorded
