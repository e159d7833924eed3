"""Pictures of a report, as addresses that hold the image itself."""

from __future__ import annotations

import base64
import io
import math
from typing import Any

import numpy as np

from .activity import Activity, Floats
from .comparison import FIGURES, Comparison
from .results import PairComparison
from .statistics import Measure, frequencies

COLOURS = ("#1f5fa8", "#d9822b", "#3a9c68", "#8d5bb0")
SHOWN_NEURONS = 150
SHOWN_TRACES = 3
SHOWN_TIME = 500.0  # ms
GREATEST_RATIO = 10.0


def _figure(width: float, height: float, *args: Any, **options: Any) -> tuple[Any, Any]:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    plt.rcParams.update({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False})
    plt.rcParams["svg.hashsalt"] = "pynn-sparse"  # the same figures, the same file
    return plt.subplots(*args, figsize=(width, height), layout="constrained", **options)


def _svg(figure: Any) -> str:
    """A figure as the address of an image, with the picture itself in it."""
    data = io.BytesIO()
    figure.savefig(data, format="svg", metadata={"Date": None})
    _close(figure)
    return f"data:image/svg+xml;base64,{base64.b64encode(data.getvalue()).decode()}"


def _png(figure: Any) -> str:
    """Likewise: rasters and traces would have too many points as an SVG."""
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=140)
    _close(figure)
    return f"data:image/png;base64,{base64.b64encode(data.getvalue()).decode()}"


def _close(figure: Any) -> None:
    import matplotlib.pyplot as plt

    plt.close(figure)


def yardsticks(found: PairComparison) -> str | None:
    """How far backends lie apart, in units of how far seeds do; None without a yardstick."""
    rows = [each for each in found.measures if each.within is not None]
    if not rows:
        return None
    figure, axes = _figure(7.6, 1.1 + 0.24 * len(rows))
    for place, each in enumerate(rows):
        for kind, marker in ((0, "o"), (1, "D")):
            ratio = _ratio(each, kind)
            colour = "#c0392b" if each.differs else COLOURS[0]
            face = colour if kind == 0 else "white"
            axes.plot(ratio, place, marker, color=colour, markerfacecolor=face, markersize=5)
    axes.axvline(1, color="0.4", linewidth=0.8)
    axes.axvline(found.tolerances.spread, color="#c0392b", linewidth=0.8, linestyle="--")
    axes.set_xlim(-0.05, GREATEST_RATIO * 1.1)
    axes.set_xscale("symlog", linthresh=1)
    axes.set_xticks([0, 0.5, 1, 2, 5, 10], ["0", "0.5", "1", "2", "5", "≥ 10"])
    axes.set_yticks(range(len(rows)), [f"{each.population}: {each.name}" for each in rows])
    axes.invert_yaxis()
    axes.grid(axis="y", linewidth=0.4)
    axes.set_xlabel("difference between backends, in units of the greatest between seeds")
    axes.plot([], [], "o", color="0.3", label="of means")
    axes.plot([], [], "D", color="0.3", markerfacecolor="white", label="of distributions")
    axes.legend(
        frameon=False,
        loc="upper center",
        bbox_to_anchor=(0.5, 1.0 + 0.35 / len(rows) + 0.12),
        ncols=2,
    )
    return _svg(figure)


def _ratio(each: Measure, kind: int) -> float:
    assert each.within is not None
    if each.between[kind] == 0:
        return 0.0
    return min(GREATEST_RATIO, each.between[kind] / max(each.within[kind], 1e-300))


def distributions(found: PairComparison, population: str) -> str | None:
    """A panel for each measure of a population."""
    rows = [each for each in found.measures if each.population == population]
    if not rows:
        return None
    columns = min(3, len(rows))
    lines = math.ceil(len(rows) / columns)
    figure, axes = _figure(2.9 * columns, 2.1 * lines, lines, columns, squeeze=False)
    for panel, each in zip(axes.flat, rows, strict=False):
        names = found.reference, found.other
        if each.name == "power spectrum":
            _lines(panel, each, names)
        else:
            _histograms(panel, each, names)
        panel.set_title(each.name, fontsize=9, loc="left")
    for panel in axes.flat[len(rows) :]:
        panel.set_axis_off()
    axes.flat[0].legend(frameon=False, fontsize=7.5)
    return _svg(figure)


def _histograms(panel: Any, each: Measure, names: tuple[str, str]) -> None:
    known = np.concatenate(each.values)
    low, high = float(known.min()), float(known.max())
    if high - low < 1e-9 * max(abs(low), abs(high), 1e-9):
        low, high = low - 0.5, high + 0.5
    edges = np.linspace(low, high, min(40, max(8, int(np.sqrt(len(known))))) + 1)
    for values, name, colour, fill in zip(each.values, names, COLOURS, (True, False), strict=False):
        if len(values):
            shares = np.histogram(values, edges)[0] / len(values)
            panel.stairs(shares, edges, color=colour, fill=fill, alpha=0.35 if fill else 1, lw=1.4)
            panel.stairs(shares, edges, color=colour, lw=1.0, label=name)
    panel.set_ylabel("share")
    panel.set_xlabel(each.unit)


def _lines(panel: Any, each: Measure, names: tuple[str, str]) -> None:
    for values, name, colour in zip(each.values, names, COLOURS, strict=False):
        panel.plot(frequencies()[: len(values)], values, color=colour, lw=1.1, label=name)
    panel.set_xlabel("frequency / Hz")
    panel.set_ylabel("power / dB")


def raster(found: PairComparison, a: Activity, b: Activity) -> str | None:
    """Spikes of some neurons on both backends."""
    neurons = [neuron for neuron in a.trains if neuron in b.trains]
    if not neurons or not (a.n_spikes or b.n_spikes):
        return None
    if len(neurons) > SHOWN_NEURONS:
        neurons = [neurons[i] for i in np.linspace(0, len(neurons) - 1, SHOWN_NEURONS).astype(int)]
    stop = min(a.stop, a.start + SHOWN_TIME)
    figure, panels = _figure(8.6, 3.6, 2, 1, sharex=True, sharey=True)
    rows = zip(panels, (a, b), (found.reference, found.other), COLOURS, strict=False)
    for panel, activity, name, colour in rows:
        for row, neuron in enumerate(neurons):
            times = activity.trains[neuron]
            shown = times[times <= stop]
            panel.plot(shown, np.full(len(shown), row), ".", color=colour, ms=2.6, mew=0)
        panel.set_ylabel(name)
    panels[1].set_xlabel("time / ms")
    panels[0].set_xlim(a.start, stop)
    return _png(figure)


def traces(
    found: PairComparison, variable: str, a: Activity, b: Activity, until: float
) -> str | None:
    """A recorded variable of some neurons, overlaid, and the difference."""
    one, two = a.signals[variable], b.signals[variable]
    neurons = [neuron for neuron in one.neurons if neuron in two.neurons][:SHOWN_TRACES]
    if not neurons:
        return None
    stop = one.times[0] + SHOWN_TIME
    figure, panels = _figure(8.6, 1.5 * len(neurons) + 1.4, len(neurons) + 1, 1, sharex=True)
    for panel, neuron in zip(panels, neurons, strict=False):
        for signal, name, colour, width in (
            (one, found.reference, COLOURS[0], 2.4),
            (two, found.other, COLOURS[1], 0.9),
        ):
            shown = signal.times <= stop
            values = _column(signal.values, signal.neurons, neuron)[shown]
            panel.plot(signal.times[shown], values, color=colour, lw=width, label=name)
        panel.set_ylabel(f"{variable}[{neuron}] / {one.units}")
    rows = min(len(one.times), len(two.times), int(np.searchsorted(one.times, stop, "right")))
    for neuron in neurons:
        apart = [_column(each.values, each.neurons, neuron)[1:rows] for each in (one, two)]
        size = np.maximum(np.abs(apart[1] - apart[0]), 1e-16)
        panels[-1].semilogy(one.times[1:rows], size, lw=0.8, color="0.4")
    if until < stop:
        for panel in panels:
            panel.axvline(until, color="#c0392b", lw=0.8, ls="--")
    panels[-1].set_ylabel(f"difference / {one.units}")
    panels[-1].set_xlabel("time / ms")
    panels[0].legend(frameon=False, ncols=2, loc="lower right", bbox_to_anchor=(1, 1), fontsize=7.5)
    return _png(figure)


def _column(values: Floats, neurons: Any, neuron: int) -> Floats:
    return values[:, int(np.flatnonzero(neurons == neuron)[0])]


def costs(found: Comparison) -> str | None:
    """Time and memory of each backend, a dot for each run and a bar for the median."""
    names = [name for name in found.runs if found.values(name, "run")]
    if not names:
        return None
    titles = dict(zip(FIGURES, ("build / s", "run / s", "peak memory / MiB"), strict=True))
    figure, panels = _figure(8.6, 0.7 + 0.34 * len(names), 1, 3, sharey=True)
    for panel, name_of_figure in zip(panels, FIGURES, strict=True):
        for place, name in enumerate(names):
            values = found.values(name, name_of_figure)
            colour = COLOURS[place % len(COLOURS)]
            panel.barh(place, np.median(values), 0.6, color=colour, alpha=0.75)
            panel.plot(values, np.full(len(values), place), "|", color="k", ms=9, mew=0.8)
        panel.set_title(titles[name_of_figure], fontsize=9, loc="left")
        panel.set_yticks(range(len(names)), names)
        panel.tick_params(axis="y", length=0)
    panels[0].invert_yaxis()
    return _svg(figure)
