"""The subcommand `pynn-sparse bench`."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import Any

from . import report
from .networks import NETWORKS
from .peers import PEERS
from .suite import compare, peers_for

DEFAULT = [name for name, network in NETWORKS.items() if not network.large]


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of the subcommand."""
    add = parser.add_argument
    add("--networks", nargs="+", choices=NETWORKS, default=DEFAULT, metavar="NAME", help=_names())
    add("--peers", nargs="*", choices=PEERS, metavar="NAME", help=", ".join(PEERS))
    add("--threads", type=int, nargs="+", default=[1, 2], metavar="N", help="of each run")
    add("--rng", nargs="+", choices=("numpy", "native"), default=["numpy"], help="that connects")
    add("--repeats", type=int, default=5, metavar="N", help="of each run; medians are shown")
    add("--duration", type=float, metavar="MS", help="biological time instead of the network's own")
    add("--json", type=Path, metavar="FILE", help="all figures of all runs")
    add("--table", type=Path, metavar="FILE", help="the table, as Markdown")
    add("--picture", type=Path, metavar="FILE", help="times as a picture")


def _names() -> str:
    return "; ".join(
        f"{title}: {', '.join(name for name in NETWORKS if NETWORKS[name].large is large)}"
        for title, large in (("by default all of", False), ("others", True))
    )


def run(options: argparse.Namespace) -> int:
    """Run, print, write; 0 if all simulators did the same, 1 if not."""
    for name in ("threads", "repeats", "duration"):
        values = getattr(options, name)
        for value in values if isinstance(values, list) else [values]:
            if value is not None and value <= 0:
                raise SystemExit(f"--{name} {value:g}: must be greater than 0")
    found = []
    for each in _all(options):
        found.append(compare(**each))
        print(report.table(found[-1:]).splitlines()[2], file=sys.stderr, flush=True)
    command = shlex.join(["pynn-sparse", *sys.argv[1:]])
    text = f"{report.table(found)}\n\n{report.caption(command)}"
    for peer, reason in {item for each in found for item in each.absent.items()}:
        text += f"\n{peer}: {reason}."
    print(text)
    if options.table:
        options.table.write_text(text + "\n")
    if options.json:
        report.write_json(options.json, found, command)
    if options.picture:
        report.write_picture(options.picture, found)
    return int(any(each.problem for each in found))


def _all(options: argparse.Namespace) -> list[dict[str, Any]]:
    names = list(PEERS) if options.peers is None else options.peers
    return [
        {
            "network": network,
            "threads": threads,
            "peers": peers_for(network, names, options.peers is not None),
            "repeats": options.repeats,
            "rng": rng,
            "duration": options.duration,
        }
        for network in options.networks
        for threads in options.threads
        for rng in options.rng
    ]
