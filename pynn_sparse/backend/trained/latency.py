"""Accuracy against latency: how often a network is right after so many steps, and at what cost."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pynn_sparse.door import as_numbers, shown
from pynn_sparse.errors import GraphError
from pynn_sparse.replacing import replaced_file

from .. import simulator
from .network import TrainedNetwork
from .presenting import Presented, Samples, presented

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LatencyCurve:
    """Accuracy and cost after 1, 2, ... steps; `print` shows a table.

    Attributes:
        accuracy: share of samples whose most active output is their label, [steps].
        spikes: of all neurons, until then, for each sample, [steps].
        operations: synaptic operations until then, for each sample, [steps]: each spike counts for
            each of its synapses.
        multiplications: of inputs that are no spikes by weights, for each sample, once.
        synapses: in all; an ordinary network multiplies as often, where it shares no weights.
        samples: how many were presented.
    """

    accuracy: Floats
    spikes: Floats
    operations: Floats
    multiplications: float
    synapses: int
    samples: int

    def table(self, steps: Sequence[int] | None = None) -> str:
        """A table in Markdown; without `steps`, of those that are powers of two, and the last."""
        last = len(self.accuracy)
        chosen = steps or sorted({*(2**k for k in range(last.bit_length())), last})
        for each in chosen:
            if not 1 <= each <= last:
                raise ValueError(f"steps = {each!r}: must be from 1 to {last}")
        rows = ["| T | accuracy | spikes | synaptic operations |", "|---|---|---|---|"]
        for step in chosen:
            share, spikes, operations = (
                each[step - 1] for each in (self.accuracy, self.spikes, self.operations)
            )
            rows.append(f"| {step} | {share:.1%} | {spikes:,.0f} | {operations:,.0f} |")
        return "\n".join(rows)

    def __str__(self) -> str:
        more = f"; {self.multiplications:,.0f} multiplications of the input" * bool(
            self.multiplications
        )
        return f"{self.table()}\n{self.samples} samples; {self.synapses:,} synapses{more}"

    def plot(self, path: str | os.PathLike[str], **others: LatencyCurve) -> Path:
        """Draw accuracy against steps, and against synaptic operations; others beside it by name.

        The file's ending says its format. Raises ImportError without matplotlib.
        """
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        figure = Figure(figsize=(9, 4.2), layout="constrained")
        FigureCanvasAgg(figure)
        left, right = figure.subplots(1, 2, sharey=True)
        curves = {"": self, **{name.replace("_", " "): each for name, each in others.items()}}
        for name, curve in curves.items():
            steps = np.arange(1, len(curve.accuracy) + 1)
            share = 100 * curve.accuracy
            left.plot(steps, share, "o-", markersize=3, label=name or "this network")
            right.plot(curve.operations, share, "o-", markersize=3)
        left.set(xlabel="time steps", ylabel="accuracy (%)", xscale="log")
        longest = max(len(curve.accuracy) for curve in curves.values())
        ticks = [2**k for k in range(longest.bit_length())]
        left.set_xticks(ticks, map(str, ticks), minor=False)
        left.set_xticks([], minor=True)
        right.set(xlabel="synaptic operations for each sample", xscale="log")
        if others:
            left.legend()
        target = Path(path)
        with replaced_file(target) as file:
            figure.savefig(file, format=target.suffix.lstrip(".") or "png")
        return target


def latency_curve(net: TrainedNetwork, inputs: Any, labels: Any, steps: int) -> LatencyCurve:
    """How often a network is right after 1, 2, ..., `steps` steps, and what that takes.

    All steps are those of one run. The answer is the output with the most spikes until then; of
    outputs that show v, the greatest v.

    Args:
        net: of `nir_network` or `convert`, with one output.
        inputs: images `[samples, *shape]`, as for `present`.
        labels: the right output of each, integers [samples].
        steps: how long each image is shown.

    Raises ValueError for labels that do not fit, and what `present` raises.
    """
    if not isinstance(net, TrainedNetwork):
        raise TypeError(f"net = {shown(net)}: must be what nir_network or convert returns")
    if len(net.readouts) != 1:
        raise GraphError(f"has the outputs {list(net.outputs)}: must be one")
    (readout,) = net.readouts
    samples = Samples(net, inputs, steps)
    labels = _checked(labels, samples.count, net[readout.population].size)
    parts = net.plan.populations
    spiking = [each.name for each in parts if each.structure and each.structure.spiking]
    done = presented(net, samples, spiking)
    output = done.shown(readout).reshape(done.samples.count, done.samples.steps, -1)
    score = np.cumsum(output, axis=1, dtype=np.int64) if readout.spikes else output
    right = score.argmax(axis=2) == labels[:, None]
    spikes, operations, multiplications = _costs(net, done, spiking)
    return LatencyCurve(
        right.mean(axis=0),
        np.cumsum(spikes) / len(labels),
        np.cumsum(operations) / len(labels),
        multiplications / len(labels),
        sum(each.size() for each in net.projections.values()),
        len(labels),
    )


def _checked(labels: Any, samples: int, outputs: int) -> NDArray[np.int64]:
    array = as_numbers(labels, "iu")
    if array is None or array.shape != (samples,) or array.min() < 0 or array.max() >= outputs:
        raise ValueError(
            f"labels = {shown(labels)}: must be an integer, 0 to {outputs - 1}, for each of the "
            f"{samples} samples"
        )
    return array.astype(np.int64)


def _costs(
    net: TrainedNetwork, done: Presented, spiking: list[str]
) -> tuple[Floats, Floats, float]:
    """Spikes and synaptic operations in each step, and multiplications, of all samples together."""
    spikes = np.zeros(done.samples.steps)
    operations = np.zeros(done.samples.steps)
    multiplications = 0.0
    for name in spiking:
        fired = done.counts(name).sum(axis=0)
        spikes += fired.sum(axis=1)
        operations += fired @ _synapses_of_each(net, name)
    for name in net.inputs:
        values, synapses = done.samples.values[name], _synapses_of_each(net, name)
        if done.samples.are_spikes(name):
            operations += (values.sum(axis=0) @ synapses) * np.ones(done.samples.steps)
        else:
            multiplications += float(((values != 0).sum(axis=(0, 1)) * synapses).sum())
    return spikes, operations, multiplications


def _synapses_of_each(net: TrainedNetwork, name: str) -> Floats:
    """How many synapses each cell of a population has, from it on."""
    found, processes = np.zeros(net[name].size), simulator.state.processes
    for wires in net.plan.wires:
        if wires.pre == name:
            for table in net.projections[wires.name]._tables:
                if not (table.rows.share_weights and processes.rank):  # which all have whole
                    found += np.bincount(table.source(), minlength=len(found))
    return processes.total("latency_curve", found)
