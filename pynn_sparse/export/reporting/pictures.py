"""Pictures of an export: weights before and after, spikes side by side, occupancy."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..nets.floatnet import FloatNet, unit_of
from ..spikes import BlockOrBlocks, spikes_of
from ..tables import Tables
from ..verification.verify import Report

MOST_DOTS = 20_000


def weights(tables: Tables, before: FloatNet | None = None) -> bytes:
    """Histograms of the weights of each projection.

    Args:
        tables: the tables.
        before: the network before pruning, for comparison; by default that after it.
    """
    given = {part.label: part.weight for part in (before or tables.net).connections}
    parts = tables.net.connections
    figure, panels = panels_of(max(len(parts), 1))
    for axes, part, values in zip(panels, parts, tables.weights(), strict=False):
        original, kept = given[part.label], values[values != 0]
        span = _span(np.concatenate([original, kept]))
        axes.hist(original, span, color="#c8c8c8", label="network")
        axes.hist(kept, span, color="#1f5fa8", alpha=0.8, rwidth=0.6, label="tables")
        unit = unit_of(tables.net.cells[part.post])
        axes.set(title=part.label, xlabel=f"weight / {unit}", ylabel="synapses", yscale="log")
        axes.set_ylim(bottom=0.5, top=max(axes.get_ylim()[1], 1.0) * 5)  # room for the legend
        axes.legend(frameon=False, fontsize=7, ncols=2, loc="upper center")
    return png(figure)


def _span(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Edges of 60 bins around all values."""
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    margin = 0.05 * (high - low) or 0.1 * abs(high) or 1.0
    return np.linspace(low - margin, high + margin, 61)


def rasters(tables: Tables, report: Report, against: BlockOrBlocks) -> bytes:
    """Spikes of the simulation and of the integer model."""
    assert report.trace is not None
    recorded = spikes_of(against)
    figure, panels = panels_of(2, sharey=True)
    for population in tables.frame.axons:
        if population.is_source or population.label not in recorded:
            continue
        cell, time = recorded[population.label]
        _dots(panels[0], time, cell + population.first)
    _dots(panels[1], report.trace.spikes[:, 0] * tables.dt, report.trace.spikes[:, 1])
    for axes, title in zip(panels, ("simulation", "integer model"), strict=True):
        axes.set(title=title, xlabel="time / ms", ylabel="neuron")
    return png(figure)


def _dots(axes: Any, time: NDArray[Any], neuron: NDArray[Any]) -> None:
    every = 1 + len(time) // MOST_DOTS
    axes.plot(time[::every], neuron[::every], ".", markersize=1.5, color="#1f5fa8")


def occupancy(tables: Tables) -> bytes:
    """Neurons and synapses of each core, and the use of what is limited."""
    core = np.asarray(tables.placement.core, np.int64)
    figure, panels = panels_of(3)
    cores = np.arange(tables.placement.cores)
    for axes, what, at in (
        (panels[0], "neurons", core),
        (panels[1], "synapses", core[tables.fixed.target]),
    ):
        axes.bar(cores, np.bincount(at, minlength=len(cores)), color="#1f5fa8")
        axes.set(title=f"{what} of each core", xlabel="core", ylabel=what)
        axes.set_xlim(-1, len(cores))
        axes.xaxis.get_major_locator().set_params(integer=True)
    limited = [each for each in tables.placement.resources if each.available]
    share = [100 * each.used / (each.available or 1) for each in limited]
    bars = panels[2].barh([each.name for each in limited], share, color="#d9822b")
    panels[2].bar_label(bars, [f"{each:.2g} %" for each in share], fontsize=7, padding=2)
    panels[2].set(title="use of what is limited", xlabel="%", xlim=(0, 115))
    panels[2].tick_params(axis="y", labelsize=7)
    return png(figure)


def panels_of(count: int, **options: Any) -> tuple[Any, Any]:
    """A figure with panels in rows of three."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.5 * min(count, 3), 3.2 * -(-count // 3)), layout="constrained")
    shape = -(-count // 3), min(count, 3)
    panels = figure.subplots(*shape, squeeze=False, **options).ravel()
    for spare in panels[count:]:
        spare.set_axis_off()
    return figure, panels[:count]


def png(figure: Any) -> bytes:
    """The picture of a figure."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
    return buffer.getvalue()
