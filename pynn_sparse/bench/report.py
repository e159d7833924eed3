"""Results of the benchmarks as a table, as JSON and as a picture."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from .. import measuring
from ..replacing import replaced, write_text
from .peers import PEERS
from .suite import EARLIER, OWN, Comparison

NOTHING = "-"
HEADS = (
    "network",
    "threads",
    "build / s",
    "peer / s",
    "ratio",
    "first step / s",
    "run / s per s",
    *(f"{peer.title} / s per s" for peer in PEERS.values()),
    "ratio",
    "ns per neuron-step",
    "ns per event",
    "bytes per synapse",
    "peak MiB",
    "other CPU",
)


def table(found: list[Comparison]) -> str:
    """Markdown, a row for each comparison: medians, in brackets the least and the greatest.

    A ratio is that of the time of the fastest peer, with whatever number of threads, to this
    backend's. "Other CPU" is how many processors other processes used at most during a run; if the
    medians are those of disturbed runs, the ratios say so.
    """
    rows = [HEADS, ["---"] * len(HEADS), *(_row(each, found) for each in found)]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def ratio(each: Comparison, found: list[Comparison], figure: str) -> float:
    """How many times this backend's time the least is that a peer needs for the same network."""
    alike = [other for other in found if other.network == each.network and not other.problem]
    times = [time for other in alike if not math.isnan(time := other.best(figure))]
    return min(times, default=math.nan) / each.median(OWN, figure)


def _row(each: Comparison, found: list[Comparison]) -> list[str]:
    name = each.network + (" (NativeRNG)" if each.rng == "native" else "")
    if OWN not in each.runs:
        reason = f"not available: {each.absent[OWN]}"
        return [name, str(each.threads), reason, *[""] * (len(HEADS) - 3)]
    ratios = (
        [f"rates differ: {each.problem}"] * 2
        if each.problem
        else [
            number(ratio(each, found, figure)) + (" (disturbed)" if each.disturbed else "")
            for figure in ("build", "run per second")
        ]
    )
    own = [
        number(each.median(OWN, figure))
        for figure in ("ns per neuron-step", "ns per event", "bytes per synapse", "peak MiB")
    ]
    return [
        name,
        str(each.threads),
        spread(each, OWN, "build"),
        ", ".join(_peer(each, peer, "build") for peer in PEERS if peer in each.runs) or NOTHING,
        ratios[0],
        spread(each, OWN, "first step"),
        spread(each, OWN, "run per second"),
        *(_peer(each, peer, "run per second") for peer in PEERS),
        ratios[1],
        *own,
        number(
            max((x for run in each.runs for x in each.values(run, "other CPU")), default=math.nan)
        ),
    ]


def _peer(each: Comparison, peer: str, figure: str) -> str:
    if peer not in each.runs:
        return NOTHING
    return f"{each.runs[peer][0].get('engine', peer)} {spread(each, peer, figure)}"


def spread(each: Comparison, simulator: str, figure: str) -> str:
    """The median of a figure, and in brackets the least and the greatest."""
    values = each.values(simulator, figure)
    if not values:
        return NOTHING
    text = number(each.median(simulator, figure))
    return text if len(values) == 1 else f"{text} ({number(values[0])}-{number(values[-1])})"


def number(value: float) -> str:
    """Three digits, or what stands for nothing."""
    if math.isnan(value):
        return NOTHING
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def machine() -> dict[str, Any]:
    """What the figures were measured on and with."""
    peers = [name for peer in PEERS.values() for name in peer.packages]
    return measuring.machine(["PyNN", "numpy", *peers])


def missing(found: list[Comparison]) -> str:
    """A line for each peer that was left out, with the reason and the networks that it concerns."""
    networks: dict[tuple[str, str], list[str]] = {}
    for each in found:
        for name, reason in each.absent.items():
            if name not in (OWN, EARLIER):
                networks.setdefault((PEERS[name].title, reason), []).append(each.network)
    everywhere = {each.network for each in found}
    return "".join(
        f"\n{title}{'' if set(where) == everywhere else f' ({names(where)})'}: {reason}."
        for (title, reason), where in networks.items()
    )


def names(words: list[str]) -> str:
    """A list in words, each once."""
    return ", ".join(dict.fromkeys(words))


def caption(command: str, about: dict[str, Any] | None = None) -> str:
    """The machine, the versions and the command, for below a table."""
    about = about or machine()
    versions = ", ".join(f"{name} {version}" for name, version in about["packages"].items())
    return (
        f"`{command}`: {about['processors']} processors ({about['processor']}), "
        f"Python {about['Python']}, {versions}."
    )


def write_json(
    file: Path, found: list[Comparison], command: str, about: dict[str, Any] | None = None
) -> None:
    """All figures of all runs, and what else there is to say `about` them."""
    results = [vars(each) for each in found]
    every = {**machine(), **measuring.origin(), **(about or {}), "command": command}
    write_text(file, json.dumps(every | {"results": results}, indent=1))


def write_picture(file: Path, found: list[Comparison]) -> None:
    """Seconds per biological second, a bar for each simulator, on a logarithmic axis."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    shown = [each for each in found if OWN in each.runs]
    simulators = [OWN, *PEERS]
    colours = dict(zip(simulators, ("#1f5fa8", "#d9822b", "#3a9c68"), strict=False))
    height = 0.8 / len(simulators)
    figure, axes = plt.subplots(figsize=(8, 1.2 + 0.45 * len(shown)), layout="constrained")
    for place, each in enumerate(shown):
        for number, name in enumerate(simulators):
            if name in each.runs:
                at = place + (number - (len(simulators) - 1) / 2) * height
                value = each.median(name, "run per second")
                axes.barh(at, value, height, color=colours[name], label=name)
                axes.text(value, at, f" {value:.2g}", va="center", fontsize=7)
    axes.set_yticks(range(len(shown)), [f"{each.network}, {each.threads} thr." for each in shown])
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlabel("seconds per biological second")
    axes.axvline(1, color="k", linewidth=0.8, linestyle=":")
    labels = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    axes.legend(labels.values(), labels.keys(), frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    with replaced(file) as new:
        figure.savefig(new, dpi=150)
    plt.close(figure)
