"""Samples, one after the other in one run, and what outputs show of each."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pynn_sparse.interchange.layers import Readout
from pynn_sparse.interchange.layers.programs import COUNTED, MOST_SPIKES

from ...parameters import Sequence
from .. import simulator
from ..control import reset, run
from ..standardmodels.electrodes import StepCurrentSource

MOST_COUNT = 255  # greater values are not taken for numbers of spikes
NEVER = float("inf")


def outputs(net: Any, inputs: Any, steps: int | None) -> Any:
    """What a `TrainedNetwork` shows for each sample; see `pyNN.sparse.present`."""
    samples = _Samples(net, inputs, steps)
    gap = _longest_memory(net)
    period = samples.steps + gap
    populations = net.populations.values()
    reset()
    for readout in net.readouts:
        net.populations[readout.population].record("spikes" if readout.spikes else "v")
    counting = [p for p in populations if COUNTED in p.celltype.recordable]
    try:
        for population in populations:
            population.set(steps=float(samples.steps), period=float(period))
        for name, population in net.inputs.items():
            population.set(spike_times=samples.spike_times(name, period))
        _inject(net, samples, period)
        late = max((each.lag for each in net.readouts), default=0) + 1
        run((samples.count * period + late) * simulator.state.dt)
        for population in counting:
            _check_counts(population)
        found = {each.name: _shown(net, each, samples, period) for each in net.readouts}
    finally:
        for population in populations:
            population.set(steps=NEVER, period=NEVER)
    return next(iter(found.values())) if len(found) == 1 else found


class _Samples:
    """What is presented, checked."""

    def __init__(self, net: Any, inputs: Any, steps: int | None) -> None:
        self.shown = steps is not None
        if self.shown and not (_is_integer(steps) and int(steps) > 0):  # type: ignore[arg-type]
            raise ValueError(f"steps = {steps!r}: must be an integer above 0")
        given = inputs if isinstance(inputs, Mapping) else {next(iter(net.inputs)): inputs}
        if set(given) != set(net.inputs):
            raise ValueError(f"inputs for {sorted(given)}: must be for each of {list(net.inputs)}")
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
        try:
            array = np.asarray(value, np.float64)
        except (TypeError, ValueError) as error:
            raise ValueError(f"input {name!r}: must be an array of numbers: {error}") from None
        before = 1 if self.shown else 2
        size = math.prod(shape)
        what = "[samples, *shape]" if self.shown else "[samples, steps, *shape]"
        if array.ndim <= before - 1 or array.shape[before:] not in (shape, (size,)):
            raise ValueError(
                f"input {name!r}: its shape is {array.shape}, but must be {what} with the shape "
                f"{shape}" + ("" if self.shown else "; images need steps=")
            )
        if not np.isfinite(array).all():
            raise ValueError(f"input {name!r}: has values that are not finite")
        if 0 in array.shape[:before]:
            raise ValueError(f"input {name!r}: its shape is {array.shape}: has no samples or steps")
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
        cell, sample, step = np.nonzero(counts)
        often = counts[cell, sample, step]
        at = np.repeat(sample * period + step, often) * simulator.state.dt
        ends = np.cumsum(counts.sum(axis=(1, 2), dtype=np.int64))
        return [Sequence(each) for each in np.split(at, ends[:-1])]


def _are_spikes(values: NDArray[np.float64]) -> bool:
    whole = (values >= 0) & (values <= MOST_COUNT) & (values == np.rint(values))
    return bool(whole.all())


def _is_integer(value: Any) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def _longest_memory(net: Any) -> int:
    """How many steps of the trained network a spike is on its way at most."""
    longest = 0
    for wires in net.plan.wires:
        for table in net.projections[wires.name]._tables:
            if len(table):
                longest = max(longest, table.delay_range[1] - wires.lag)
    return longest


def _inject(net: Any, samples: _Samples, period: int) -> None:
    """Inputs that are no spikes, times weights, as a current into each neuron that they lead to."""
    drives: dict[str, NDArray[np.float64]] = {}
    for wires in net.plan.wires:
        if wires.pre not in net.inputs or samples.are_spikes(wires.pre):
            continue
        drive = _product(net, wires, samples)
        drives[wires.post] = drives[wires.post] + drive if wires.post in drives else drive
    for name in net._injected.keys() - drives.keys():
        for source in net._injected[name]:
            source.set_parameters(times=[0.0], amplitudes=[0.0])
    dt = simulator.state.dt
    for name, drive in drives.items():
        start = np.arange(samples.count)[:, None] * period + net.skews[name]
        times = (start + np.arange(drive.shape[1])).ravel() * dt
        if name not in net._injected:
            net._injected[name] = [
                StepCurrentSource(times=[0.0], amplitudes=[0.0]) for _ in range(drive.shape[2])
            ]
            for source, cell in zip(net._injected[name], net.populations[name], strict=True):
                source.inject_into([cell])
        for cell, source in enumerate(net._injected[name]):
            source.set_parameters(times=times, amplitudes=drive[:, :, cell].ravel())


def _product(net: Any, wires: Any, samples: _Samples) -> NDArray[np.float64]:
    """What arrives at each target, [samples, steps or 1, n]."""
    matrices = net.matrices(wires)
    values = samples.values[wires.pre]
    if any(matrices):
        values = np.broadcast_to(values, (samples.count, samples.steps, values.shape[2]))
    total = np.zeros((*values.shape[:2], net[wires.post].size))
    for late, matrix in matrices.items():
        total[:, late:] += values[:, : values.shape[1] - late] @ matrix
    return total


def _check_counts(population: Any) -> None:
    arrays = simulator.state.require_engine().blocks[population._block.index]
    if arrays.sample(COUNTED, np.arange(population.size, dtype=np.int32)).any():
        raise OverflowError(
            f"{population.label}: a neuron would have fired more than {MOST_SPIKES} spikes in a "
            "step"
        )


def _shown(net: Any, readout: Readout, samples: _Samples, period: int) -> NDArray[Any]:
    """An output of all samples, `[samples, steps, *shape]`."""
    population = net.populations[readout.population]
    skew = net.skews[readout.population]
    shape = (samples.count, samples.steps, population.size)
    if readout.spikes:
        neuron, stamp = population.recorder._spikes()
        clock = stamp - FIRST_STAMP - skew
        sample, step = np.divmod(clock, period)
        step = step + (readout.lag - skew)
        counts = np.zeros(shape, np.int64)
        good = (step < samples.steps) & (sample < samples.count) & (clock >= 0)
        first = population._block.first
        np.add.at(counts, (sample[good], step[good], neuron[good] - first), 1)
        found: NDArray[Any] = counts.astype(np.uint8)
    else:
        signal = population.get_data("v").segments[-1].analogsignals[0].magnitude
        at = np.arange(samples.count)[:, None] * period + np.arange(samples.steps)
        found = signal[at + FIRST_STAMP + skew]
    return found.reshape(*shape[:2], *readout.shape)


FIRST_STAMP = 1  # the end of step 0, which is when its spikes and v are recorded
