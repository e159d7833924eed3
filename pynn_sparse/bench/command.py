"""The subcommand `pynn-sparse bench`."""

from __future__ import annotations

import argparse
import itertools
import sys
from functools import partial
from pathlib import Path
from typing import Any

from ..measuring import command_line
from ..replacing import write_text
from . import baseline, ranks, report, trained
from .earlier import Earlier, EarlierBuildError, installed, is_build
from .networks import NETWORKS
from .peers import PEERS
from .suite import Comparison, RunError, compare, execute, peers_for

DEFAULT = [name for name, network in NETWORKS.items() if not network.large]
QUICK = ["cuba4000", "coba4000"]


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of the subcommand."""
    add = parser.add_argument
    add(
        "--suite",
        choices=("networks", "trained"),
        default="networks",
        help="published networks, or networks that were trained elsewhere",
    )
    add("--parts", nargs="+", choices=trained.PARTS, metavar="NAME", help=f"{_parts()}")
    add("--networks", nargs="+", choices=NETWORKS, metavar="NAME", help=_names())
    add("--peers", nargs="*", choices=PEERS, metavar="NAME", help=", ".join(PEERS))
    add("--threads", type=int, nargs="+", metavar="N", help="of each run; by default 1 and 2")
    add("--rng", nargs="+", choices=("numpy", "native"), help="that connects; numpy by default")
    add(
        "--ranks",
        type=int,
        nargs="+",
        metavar="N",
        help="processes, started by mpiexec, beside one process with as many threads in all; "
        f"by default with one thread each, native, and {', '.join(ranks.DEFAULT)}",
    )
    add("--repeats", type=int, metavar="N", help="of each run, 5 by default; medians are shown")
    add("--duration", type=float, metavar="MS", help="biological time instead of the network's own")
    add("--quick", action="store_true", help=f"100 ms of {', '.join(QUICK)}, once, on 2 threads")
    add("--json", type=Path, metavar="FILE", help="all figures of all runs")
    add("--table", type=Path, metavar="FILE", help="the table, as Markdown")
    add("--picture", type=Path, metavar="FILE", help="times as a picture")
    add(
        "--against",
        metavar="WHAT",
        help="a commit or a wheel, which is built and run in turn, or a file of --json: "
        "exit status 1 if slower",
    )


def _parts() -> str:
    return f"of --suite trained: {', '.join(trained.PARTS)}"


def _names() -> str:
    return "; ".join(
        f"{title}: {', '.join(name for name in NETWORKS if NETWORKS[name].large is large)}"
        for title, large in (("by default all of", False), ("others", True))
    )


def run(options: argparse.Namespace) -> int:
    """Run, print, write; 0 if all simulators did the same, and no slower than before, 1 if not."""
    if options.suite == "trained":
        return _trained(options)
    _fill_in(options)
    for name in ("threads", "repeats", "duration", "ranks"):
        values = getattr(options, name)
        for value in values if isinstance(values, list) else [values]:
            if value is not None and value <= 0:
                raise SystemExit(f"--{name} {value:g}: must be greater than 0")
    if options.ranks:
        return _on_processes(options)
    try:
        if options.against and is_build(options.against):
            with installed(options.against) as earlier:
                return _measured(options, earlier=earlier)
        before = baseline.load(Path(options.against)) if options.against else None
    except (EarlierBuildError, ValueError) as error:
        raise SystemExit(f"--against {error}") from None
    return _measured(options, before)


def _trained(options: argparse.Namespace) -> int:
    for name in ("networks", "peers", "threads", "duration", "against", "picture", "ranks", "rng"):
        if getattr(options, name) is not None:
            raise SystemExit(f"--{name}: is not for --suite trained")
    repeats = (1 if options.quick else 5) if options.repeats is None else options.repeats
    if repeats < 1:
        raise SystemExit(f"--repeats {repeats}: must be greater than 0")
    rows, parts = [], options.parts or [*trained.PARTS]
    for row in trained.measured(trained.Options(repeats, options.quick), parts):
        rows.append(row)
        print(trained.table([row]).splitlines()[2], file=sys.stderr, flush=True)
    command = command_line(options.typed, [options.json, options.table])
    text = f"{trained.table(rows)}\n\n{report.caption(command, trained.machine())}"
    print(text)
    if options.table:
        write_text(options.table, text + "\n")
    if options.json:
        trained.write_json(options.json, rows, command)
    return int(any("differ" in row.absent for row in rows))


def _on_processes(options: argparse.Namespace) -> int:
    for name in ("against", "picture"):
        if getattr(options, name) is not None:
            raise SystemExit(f"--{name}: is not for --ranks")
    if 1 in options.ranks:
        raise SystemExit("--ranks 1: must be 2 or more; one process is run beside them")
    if set(options.peers or []) - {ranks.PEER}:
        raise SystemExit(f"--peers {' '.join(options.peers)}: of --ranks may be {ranks.PEER} alone")
    try:
        start = ranks.launcher()
    except (FileNotFoundError, ModuleNotFoundError) as error:
        raise SystemExit(f"--ranks: {error}") from None
    try:
        exchanges = [start.run(n, "pynn_sparse.bench.exchange") for n in options.ranks]
    except RunError as error:
        raise SystemExit(f"--ranks: an exchange cannot be measured: {error}") from None
    nest = "was not asked for" if options.peers == [] else ranks.nest_is_missing()
    found = []
    for network, n, threads, rng in itertools.product(
        options.networks, options.ranks, options.threads, options.rng
    ):
        run = partial(execute, environment=ranks.environment(threads))
        more = {"rng": rng, "start": start, "nest": nest, "duration": options.duration, "run": run}
        found.append(ranks.compare(network, n, threads, options.repeats, **more))
        print(ranks.table(found[-1:]).splitlines()[2], file=sys.stderr, flush=True)
    command = command_line(options.typed, [options.json, options.table])
    about = report.machine() | {"exchanges": exchanges}
    said = f"{ranks.exchanges(exchanges)}{report.missing(found)}"
    text = f"{ranks.table(found)}\n\n{report.caption(command, about)}{said}"
    print(text)
    if options.table:
        write_text(options.table, text + "\n")
    if options.json:
        report.write_json(options.json, found, command, {"exchanges": exchanges})
    return int(any(each.problem for each in found))


def _measured(
    options: argparse.Namespace,
    before: list[Comparison] | None = None,
    earlier: Earlier | None = None,
) -> int:
    found = []
    for each in _all(options):
        found.append(compare(**each, earlier=earlier))
        print(report.table(found[-1:]).splitlines()[2], file=sys.stderr, flush=True)
    against = Path(options.against) if options.against else None
    command = command_line(options.typed, [options.json, options.table, options.picture, against])
    text = f"{report.table(found)}\n\n{report.caption(command)}{report.missing(found)}"
    print(text)
    if options.table:
        write_text(options.table, text + "\n")
    if options.json:
        about = {"against": earlier.title} if earlier else None
        report.write_json(options.json, found, command, about)
    if options.picture:
        report.write_picture(options.picture, found)
    slower = False
    if earlier is not None:
        before = baseline.of_build(found)
    if before is not None:
        lines, slower = baseline.beside(found, before)
        print(f"\n{lines}")
    return int(slower or any(each.problem for each in found))


def _fill_in(options: argparse.Namespace) -> None:
    """What was not asked for; `--quick` leaves what was."""
    quick, several = options.quick, bool(options.ranks)
    networks = list(ranks.DEFAULT) if several else DEFAULT
    options.networks = options.networks or (QUICK if quick else networks)
    options.threads = options.threads or ([1] if several else [2] if quick else [1, 2])
    options.rng = options.rng or (["native"] if several else ["numpy"])
    if options.repeats is None:
        options.repeats = 1 if quick else 5
    if options.duration is None and quick:
        options.duration = 100.0


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
