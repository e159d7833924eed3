"""A map of a network on chip: how busy its links are, and how many packets its routers have."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from .routers import Noc

APART = 0.09  # of the two links between routers, in distances of routers


def congestion(noc: Noc, links: Mapping[tuple[str, str], Any]) -> bytes:
    """Routers and links, as PNG.

    Args:
        noc: the network on chip.
        links: (begin, end) -> `Link` of those that carried packets.
    """
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize
    from matplotlib.figure import Figure

    by_share = any(each.busy > 0 for each in links.values())
    between = {ends: each for ends, each in links.items() if all("router" in end for end in ends)}
    load = {ends: each.busy if by_share else each.packets for ends, each in between.items()}
    most = max(load.values(), default=0) or 1
    figure = Figure(figsize=(7, 5.5), layout="constrained")
    axes = figure.subplots()
    norm = Normalize(0, most)
    colours = colormaps["YlOrRd"]
    for wire in noc.wires():
        (x, y), (u, v) = noc.position(wire.begin), noc.position(wire.end)
        dx, dy = u - x, v - y
        length = (dx**2 + dy**2) ** 0.5
        aside_x, aside_y = -dy / length * APART, dx / length * APART
        value = load.get((f"router {wire.begin}", f"router {wire.end}"))
        axes.annotate(
            "",
            (u - 0.16 * dx / length + aside_x, v - 0.16 * dy / length + aside_y),
            (x + 0.16 * dx / length + aside_x, y + 0.16 * dy / length + aside_y),
            arrowprops={
                "arrowstyle": "-|>",
                "color": "#d8d8d8" if value is None else colours(norm(value)),
                "linewidth": 1.0 if value is None else 1.5 + 3 * norm(value),
            },
        )
    carried = dict.fromkeys(range(noc.routers), 0)
    for (_, end), each in links.items():
        if end.startswith("router "):
            carried[int(end.removeprefix("router "))] += each.packets
    points = [noc.position(router) for router in carried]
    across, up = zip(*points, strict=True)
    axes.scatter(across, up, s=520, c="white", edgecolors="#1f5fa8", zorder=3)
    for router, (x, y) in zip(carried, points, strict=True):
        text = f"{carried[router]:,}" if carried[router] else ""
        axes.text(x, y, text, ha="center", va="center", fontsize=7, zorder=4)
    entry_x, entry_y = noc.position(noc.entrance)
    axes.text(entry_x, entry_y - 0.3, "entry", ha="center", fontsize=7, color="#1f5fa8")
    axes.set(title="packets that came to each router", aspect="equal")
    axes.margins(0.15)
    axes.set_axis_off()
    shown = figure.colorbar(ScalarMappable(norm, colours), ax=axes, shrink=0.7)
    shown.set_label("share of time that a link is busy" if by_share else "packets of a link")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
    return buffer.getvalue()
