"""The subcommand `pynn-sparse export`."""

from __future__ import annotations

import argparse
import importlib.util
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from .errors import ExportError
from .targets import TARGETS

DESCRIPTION = """Run an unmodified PyNN script, make tables of its network for a target, run these
on the script's own input, and compare. Exit status 0 if verification passed, 1 if not, 2 if the
network cannot be exported."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of the subcommand."""
    add = parser.add_argument
    parser.description = DESCRIPTION
    add("script", type=Path, help="a script for pyNN.sparse")
    add("--target", required=True, metavar="NAME", help=", ".join(sorted(TARGETS)))
    add("--out", type=Path, required=True, metavar="FOLDER", help="for tables and report")
    add("--prune", type=float, metavar="FRACTION", help="of synapses, those with small weights")
    add("--prune-scope", default="projection", help="projection or global")
    add("--prune-by", default="magnitude", help="magnitude, or activity: of the script's run")
    add("--weight-bits", type=int, default=8, metavar="BITS", help="8 by default")
    add("--rounding", default="nearest", help="nearest, floor, toward_zero or stochastic")
    add("--scale", default="free", help="free or power_of_two")
    add("--per", default="projection", help="synapses that share an exponent: projection, ...")
    add("--headroom", type=int, default=2, metavar="BITS", help="above thresholds; 2 by default")
    add("--option", nargs="+", default=[], metavar="NAME=N", help="of the target: voltage_bits=16")
    add("--unsigned", action="store_true", help="weights without a sign, which the format gets")
    add("--accept", nargs="+", default=[], metavar="NAME", help="approximations to allow")
    add("--timestep", type=float, metavar="MS", help="of the target, if not that of the script")
    add("--tolerance", type=float, default=0.2, help="of numbers of spikes; 0.2 by default")
    add("--arguments", nargs=argparse.REMAINDER, default=[], help="all that follows: the script's")
    add("--rtl", metavar="TOOL", help="also run the core of asic in icarus or verilator")
    add("--csv", action="store_true", help="also write a line of text for each synapse")


def run(options: argparse.Namespace) -> int:
    """Run, lower, write, verify."""
    try:
        return _run(options)
    except ExportError as error:
        print(error, file=sys.stderr)
        return 2


def _run(options: argparse.Namespace) -> int:
    from . import find, load, lower, verify
    from .prune import Prune
    from .quantise import Quantise
    from .rtl.simulate import TOOLS, available, check
    from .script import observe

    target = find(options.target, **dict(map(_option, options.option)))
    pruning = Prune(fraction=options.prune, scope=options.prune_scope)
    if options.rtl is not None:
        if options.target != "asic" or options.rtl not in TOOLS:
            raise ExportError(f"--rtl {options.rtl}: must be {' or '.join(TOOLS)}, for asic")
        if not available(options.rtl):
            raise ExportError(f"--rtl {options.rtl}: {TOOLS[options.rtl]} is not installed")
    if options.prune_by not in ("magnitude", "activity"):
        raise ExportError(f"--prune-by {options.prune_by}: must be magnitude or activity")
    rule = Quantise(
        options.weight_bits,
        options.rounding,
        options.scale,
        options.per,
        not options.unsigned,
        options.headroom,
    )
    if not options.script.is_file():
        print(f"{options.script}: no such file", file=sys.stderr)
        return 2
    observed = observe(options.script, options.arguments)
    if options.prune_by == "activity":
        activity = {label: [len(t) for t in trains] for label, trains in observed.spikes.items()}
        pruning = replace(pruning, by="activity", activity=activity)
    made = lower(
        observed.net,
        target,
        pruning if options.prune is not None else None,
        rule,
        options.accept,
        options.timestep,
    )
    made.save(options.out, options.csv)
    tables = load(options.out)
    report = verify(
        tables,
        against=observed.spikes,
        duration=observed.duration,
        tolerance=options.tolerance,
    )
    if options.rtl is not None:
        events, steps = tables.events(observed.spikes), tables.steps(observed.duration)
        core = check(tables, options.out, events, steps, options.rtl)
        report = replace(report, checks=(*report.checks, core))
    _write(options.out, tables, report, observed.spikes)
    print(report)
    print(f"verification {'passed' if report.passed else 'failed'}; see {options.out}/report.md")
    return 0 if report.passed else 1


def _option(text: str) -> tuple[str, int]:
    name, _, value = text.partition("=")
    if not value.lstrip("-").isdigit():
        raise ExportError(f"--option {text}: must be a name, =, and an integer")
    return name, int(value)


def _write(folder: Path, tables: Any, report: Any, spikes: Any) -> None:
    from .report import markdown, page

    text = markdown(tables, report)
    (folder / "report.md").write_text(text)
    if importlib.util.find_spec("matplotlib") is None:
        print("report.html has no pictures: matplotlib is not installed", file=sys.stderr)
        (folder / "report.html").write_text(page(text, {}))
        return
    from . import pictures

    drawn = {"Weights": pictures.weights(tables), "Occupancy": pictures.occupancy(tables)}
    if report.trace is not None:
        drawn["Spikes"] = pictures.rasters(tables, report, spikes)
    (folder / "report.html").write_text(page(text, drawn))
