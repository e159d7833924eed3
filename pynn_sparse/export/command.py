"""The subcommand `pynn-sparse export`."""

from __future__ import annotations

import argparse
import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

from . import pictures
from .errors import ExportError
from .files import load
from .prune import Prune
from .quantise import Quantise
from .report import markdown, page
from .rtl.simulate import TOOLS, available, check
from .script import Observed, observe
from .tables import Tables, lower
from .targets import TARGETS, Target, find
from .verify import Report, verify

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
    add("--weight-bits", type=int, metavar="BITS", help="by default 8, or what the target has")
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
    _check(options)
    target = find(options.target, **dict(map(_option, options.option)))
    pruning, rule = _pruning(options), _rule(options, target)
    observed = observe(options.script, options.arguments)
    if pruning and options.prune_by == "activity":
        activity = {label: [len(t) for t in trains] for label, trains in observed.spikes.items()}
        pruning = replace(pruning, by="activity", activity=activity)
    made = lower(observed.net, target, pruning, rule, options.accept, options.timestep)
    made.save(options.out, options.csv)
    tables = load(options.out)
    report = _verified(tables, observed, options)
    _write(options.out, tables, report, observed)
    print(report)
    print(f"verification {'passed' if report.passed else 'failed'}; see {options.out}/report.md")
    return 0 if report.passed else 1


def _check(options: argparse.Namespace) -> None:
    """What can be said before the script runs."""
    if not options.script.is_file():
        raise ExportError(f"{options.script}: no such file")
    if options.prune_by not in ("magnitude", "activity"):
        raise ExportError(f"--prune-by {options.prune_by}: must be magnitude or activity")
    if options.rtl is None:
        return
    if options.target != "asic" or options.rtl not in TOOLS:
        raise ExportError(f"--rtl {options.rtl}: must be {' or '.join(TOOLS)}, for asic")
    if not available(options.rtl):
        raise ExportError(f"--rtl {options.rtl}: {TOOLS[options.rtl]} is not installed")


def _pruning(options: argparse.Namespace) -> Prune | None:
    if options.prune is None:
        return None
    return Prune(fraction=options.prune, scope=options.prune_scope)


def _rule(options: argparse.Namespace, target: Target) -> Quantise:
    bits = options.weight_bits
    return Quantise(
        weight_bits=target.weight_bits if bits is None else bits,
        rounding=options.rounding,
        scale=options.scale,
        per=options.per,
        signed=not options.unsigned,
        headroom=options.headroom,
    )


def _verified(tables: Tables, observed: Observed, options: argparse.Namespace) -> Report:
    spikes, duration = observed.spikes, observed.duration
    report = verify(tables, against=spikes, duration=duration, tolerance=options.tolerance)
    if options.rtl is None:
        return report
    events, steps = tables.events(spikes), tables.steps(duration)
    core = check(tables, options.out, events, steps, options.rtl)
    return replace(report, checks=(*report.checks, core))


def _option(text: str) -> tuple[str, int]:
    name, _, value = text.partition("=")
    if not value.lstrip("-").isdigit():
        raise ExportError(f"--option {text}: must be a name, =, and an integer")
    return name, int(value)


def _write(folder: Path, tables: Tables, report: Report, observed: Observed) -> None:
    text = markdown(tables, report)
    (folder / "report.md").write_text(text)
    if importlib.util.find_spec("matplotlib") is None:
        print("report.html has no pictures: matplotlib is not installed", file=sys.stderr)
        (folder / "report.html").write_text(page(text, {}))
        return
    drawn = {
        "Weights": pictures.weights(tables, observed.net),
        "Occupancy": pictures.occupancy(tables),
    }
    if report.trace is not None:
        drawn["Rasters"] = pictures.rasters(tables, report, observed.spikes)
    (folder / "report.html").write_text(page(text, drawn))
