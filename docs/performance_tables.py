"""Puts the tables of pages together from the JSON files in `benchmarks/`.

    python docs/performance_tables.py

A table stands between `<!-- table: NAME -->` and `<!-- end of table -->`, with a line below it that
says on which machine it was measured, at which commit, and how. `NAME.json` is a file that
`pynn-sparse bench --json` has written, or has the columns and rows of the table themselves.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pynn_sparse.bench import ranks
from pynn_sparse.bench.report import number, spread
from pynn_sparse.bench.suite import EARLIER, OWN, Comparison

FOLDER = Path(__file__).parent
PAGES = [FOLDER / "performance.md", FOLDER / "several_processes.md"]
TABLE = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end of table -->)", re.DOTALL)
Column = Callable[[list[Comparison]], str]


def shown(figure: str, simulator: str = OWN) -> Column:
    """The median of a figure, with its range, of the last run of a network."""
    return lambda runs: spread(runs[-1], simulator, figure)


def median(figure: str, simulator: str = OWN) -> Column:
    """The median alone."""
    return lambda runs: number(runs[-1].median(simulator, figure))


def times_faster(figure: str, *peers: str) -> Column:
    """The least time of peers, in times of this backend."""

    def ratio(runs: list[Comparison]) -> str:
        times = [runs[-1].median(peer, figure) for peer in peers]
        least = min((time for time in times if not math.isnan(time)), default=math.nan)
        return number(least / runs[-1].median(OWN, figure))

    return ratio


def through(runs: list[Comparison]) -> str:
    """What NEST was used through."""
    return str(runs[-1].runs["nest"][0]["engine"])


def by_threads(runs: list[Comparison]) -> str:
    """How much faster the most threads are than one."""
    return number(runs[0].median(OWN, RUN) / runs[-1].median(OWN, RUN))


RUN = "run per second"
LAYOUTS: dict[str, dict[str, Column]] = {
    "peers": {
        "NEST through": through,
        "build / s": shown("build"),
        "NEST / s": shown("build", "nest"),
        "ratio": times_faster("build", "nest"),
        "GeNN / s": shown("build", "genn"),
        "run / s per s": shown(RUN),
        "NEST / s per s": shown(RUN, "nest"),
        "GeNN / s per s": shown(RUN, "genn"),
        "ratio ": times_faster(RUN, "nest", "genn"),
    },
    "against": {
        "build / s": shown("build"),
        "before / s": shown("build", EARLIER),
        "ratio": times_faster("build", EARLIER),
        "run / s per s": shown(RUN),
        "before / s per s": shown(RUN, EARLIER),
        "ratio ": times_faster(RUN, EARLIER),
        "CPU of building / s": shown("build CPU"),
        "before  / s": shown("build CPU", EARLIER),
        "CPU of running / s per s": shown("run CPU per second"),
        "before  / s per s": shown("run CPU per second", EARLIER),
        "peak MiB": median("peak MiB"),
        "before / MiB": median("peak MiB", EARLIER),
    },
    "microcircuits": {
        "peer": through,
        "build / s": shown("build"),
        "peer / s": shown("build", "nest"),
        "ratio": times_faster("build", "nest"),
        "run / s per s": shown(RUN),
        "peer / s per s": shown(RUN, "nest"),
        "ratio ": times_faster(RUN, "nest"),
        "peak MiB": median("peak MiB"),
        "peer MiB": median("peak MiB", "nest"),
    },
    "threads": {
        "build / s": shown("build"),
        "first step / s": shown("first step"),
        "run, 1 thread / s per s": lambda runs: spread(runs[0], OWN, RUN),
        "2 threads": shown(RUN),
        "ratio": by_threads,
        "ns per neuron-step": median("ns per neuron-step"),
        "ns per event": median("ns per event"),
        "bytes per synapse": median("bytes per synapse"),
        "peak MiB": median("peak MiB"),
    },
}


def cells(name: str, data: dict[str, Any]) -> list[list[str]]:
    """Heads and rows of a table."""
    if "rows" in data:
        return [
            data["columns"],
            *([c if isinstance(c, str) else number(c) for c in row] for row in data["rows"]),
        ]
    results = [Comparison(**result) for result in data["results"]]
    if name == "several":
        return ranks.cells(results)
    networks: dict[str, list[Comparison]] = {}
    for result in results:
        networks.setdefault(result.network, []).append(result)
    layout = LAYOUTS[name]
    heads = ["network", *(head.strip() for head in layout)]
    rows = [
        [network, *(column(runs) for column in layout.values())]
        for network, runs in networks.items()
    ]
    return [heads, *rows]


def origin(data: dict[str, Any]) -> str:
    """The line below a table: what it was measured on, when, and by which commands."""
    old = "transcribed" in data
    versions = {"Python": data["Python"]} if "Python" in data else {}
    versions |= data["packages"]
    where = data["processor"]
    if data["processors"]:
        where = f"{data['processors']} processors ({where})"
    commands = data["command"] if isinstance(data["command"], list) else [data["command"]]
    said = " and ".join(f"`{command}`" for command in commands)
    return (
        f"{'Entered' if old else 'Measured'} on {data['date']} "
        f"{'with' if old else 'at'} commit `{data['commit']}`; {where}; "
        + ", ".join(f"{name} {version}" for name, version in versions.items())
        + (f"; {said}" if said else "")
        + "."
        + (" The medians and ranges were transcribed from text." if old else "")
    )


def table(name: str) -> str:
    """The Markdown of a table and the line below it."""
    data = json.loads((FOLDER / "benchmarks" / f"{name}.json").read_text())
    heads, *rows = cells(name, data)
    lines = ["| " + " | ".join(row) + " |" for row in (heads, *rows)]
    lines.insert(1, "|---" * len(heads) + "|")
    said = origin(data) + ranks.exchanges(data.get("exchanges", []))
    return "\n".join(["", *lines, "", said, "", ""])


def page(path: Path) -> str:
    """A page with all of its tables made anew."""
    return TABLE.sub(lambda found: found[1] + table(found[2]) + found[3], path.read_text())


if __name__ == "__main__":
    for each in PAGES:
        each.write_text(page(each))
