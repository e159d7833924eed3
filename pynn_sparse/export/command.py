"""The subcommand `pynn-sparse export`."""

from __future__ import annotations

import argparse
import importlib.util
import json
import platform
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from ..door import is_number
from ..measuring import command_line, version
from .errors import ExportError
from .folder.writing import add
from .lower import lower
from .nets.number_formats import Quantise
from .proof import Check
from .registry import TARGETS, find
from .reporting import pictures
from .reporting.text import markdown, page
from .script import Observed, observe, settled
from .stages.prune import Prune
from .stages.rules import rule_for
from .tables import Tables, load
from .target import Target
from .targets.asic.fpga import DEVICES
from .targets.asic.implementing import Implemented, implement, missing
from .targets.asic.simulate import TOOLS, available, bench_files, check
from .verification.compare import Tolerance
from .verification.verify import Report, verify

DESCRIPTION = """Run an unmodified PyNN script, make tables of its network for a target, run these
on the script's own input, and compare. Exit status 0 if verification passed, 1 if not, 2 if the
script fails, or its network cannot be exported."""


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
    add("--structured", metavar="WHAT", help="remove whole axons or neurons of projections")
    add("--max-fan-in", type=int, metavar="N", help="synapses of a neuron, those with the greatest")
    add("--max-fan-out", type=int, metavar="N", help="weights; and of a source")
    add("--weight-bits", metavar="BITS", help="8, or those of the target; or a minifloat: e4m3")
    add("--rounding", help="nearest, floor, toward_zero or stochastic")
    add("--scale", help="free or power_of_two")
    add("--per", help="synapses that share an exponent: projection, ...")
    add("--headroom", type=int, metavar="BITS", help="above thresholds; as it takes, from 2 on")
    add("--option", nargs="+", default=[], metavar="NAME=N", help="of the target: voltage_bits=16")
    add("--clip", type=float, default=0.0, metavar="SHARE", help="of greatest weights, to limit")
    add("--unsigned", action="store_true", help="weights without a sign, which the format gets")
    add("--accept", nargs="+", default=[], metavar="NAME", help="approximations to allow")
    add("--timestep", type=float, metavar="MS", help="of the target, if not that of the script")
    tolerance = Tolerance()
    for name, value, what in (
        ("tolerance", tolerance.spikes, "most that cells' numbers of spikes may differ, in all"),
        ("coincidence", tolerance.coincidence, "least share of spikes at the simulation's times"),
        ("distance", tolerance.distance, "greatest van Rossum distance from the simulation"),
    ):
        add(f"--{name}", type=float, default=value, help=f"{what}; {value:g} by default")
    add("--arguments", nargs=argparse.REMAINDER, default=[], help="all that follows: the script's")
    add("--rtl", metavar="TOOL", help="also run the core of asic in icarus or verilator")
    words = f"also place, route, map and time the core of asic: {', '.join(DEVICES)}; up5k if none"
    add("--implement", nargs="*", metavar="FPGA", help=words)
    add("--bench", action="store_true", help="also write what the bench of asic plays and expects")
    add("--csv", action="store_true", help="also write a line of text for each synapse")
    add("--nir", action="store_true", help="also write a graph in floats, for other simulators")
    add("--hdf5", action="store_true", help="also write the arrays as HDF5")


def run(options: argparse.Namespace) -> int:
    """Run, lower, write, verify."""
    try:
        return _run(options)
    except ExportError as error:
        print(error, file=sys.stderr)
        return 2


def _run(options: argparse.Namespace) -> int:
    _check(options)
    _numbers(options)
    observed = settled(_observed(options))
    if observed.changed:
        print(_said(observed))
    return export(observed, options)


def _numbers(options: argparse.Namespace) -> tuple[Target, Prune | None, Quantise]:
    """Target, pruning and number formats that are asked for. Raises `ExportError`."""
    target = find(options.target, **dict(map(_option, options.option)))
    return target, _pruning(options), _rule(options, target)


def export(observed: Observed, options: argparse.Namespace) -> int:
    """Tables and report of what was observed; exit status 0 if verification passed, else 1.

    Raises `ExportError` where the network or the options do not fit the target.
    """
    target, pruning, rule = _numbers(options)
    if pruning and options.prune_by == "activity":
        activity = {label: [len(t) for t in trains] for label, trains in observed.spikes.items()}
        pruning = replace(pruning, by="activity", activity=activity)
    recorded = observed.spikes if options.headroom is None else None
    what = observed.net, target, pruning, rule, options.accept, options.timestep
    made = lower(*what, against=recorded, duration=observed.duration)
    made.steps(observed.duration)  # one that the target cannot run is refused before all is saved
    with _writing(options.out):
        made.save(options.out, options.csv, options.hdf5, options.nir)
    tables = load(options.out)
    report = _verified(tables, observed, options)
    report, silicon = _implemented(report, tables, observed, options)
    with _writing(options.out):
        _write(options, tables, report, observed, silicon)
    print(report)
    print(f"verification {'passed' if report.passed else 'failed'}; see {options.out}/report.md")
    return 0 if report.passed else 1


def _observed(options: argparse.Namespace) -> Observed:
    """What the script did. One that fails is no failed verification."""
    try:
        return observe(options.script, options.arguments)
    except ExportError:
        raise
    except Exception as error:
        traceback.print_exc()
        raise ExportError(f"{options.script} failed: {type(error).__name__}: {error}") from error


def _check(options: argparse.Namespace) -> None:
    """What can be said before the script runs."""
    if not options.script.is_file():
        raise ExportError(f"{options.script}: no such file")
    with _writing(options.out):
        _check_folder(options.out)
    _tolerance(options)
    step = options.timestep
    if step is not None and not (is_number(step) and step > 0):
        raise ExportError(f"--timestep {step}: must be a number greater than 0")
    if options.prune_by not in ("magnitude", "activity"):
        raise ExportError(f"--prune-by {options.prune_by}: must be magnitude or activity")
    if options.bench and options.target != "asic":
        raise ExportError(f"--bench: {options.target} has none; must be for asic")
    if options.implement is not None:
        _check_implement(options)
    if options.rtl is None:
        return
    if options.target != "asic" or options.rtl not in TOOLS:
        raise ExportError(f"--rtl {options.rtl}: must be {' or '.join(TOOLS)}, for asic")
    if not available(options.rtl):
        raise ExportError(f"--rtl {options.rtl}: {TOOLS[options.rtl]} is not installed")


def _check_implement(options: argparse.Namespace) -> None:
    """Devices that there are, and tools, before the script runs."""
    if options.target != "asic":
        raise ExportError(f"--implement: {options.target} has no Verilog; must be for asic")
    for device in options.implement:
        if device not in DEVICES:
            raise ExportError(f"--implement {device}: must be of {', '.join(DEVICES)}")
    if absent := missing(_devices(options)):
        raise ExportError(f"--implement: not installed: {' && '.join(absent)}")


def _devices(options: argparse.Namespace) -> list[str]:
    return options.implement or ["up5k"]


def _implemented(
    report: Report, tables: Tables, observed: Observed, options: argparse.Namespace
) -> tuple[Report, Implemented | None]:
    """The core in silicon, if that is asked for, with the script's run as its sample."""
    if options.implement is None:
        return report, None
    events, steps = tables.events(observed.spikes), tables.steps(observed.duration)
    try:
        silicon = implement(tables, [events], steps, devices=_devices(options))
    except ExportError as error:
        failed = Check("the core is implemented", False, " ".join(str(error).split()))
        return replace(report, checks=(*report.checks, failed)), None
    return replace(report, checks=(*report.checks, *silicon.checks())), silicon


def _tolerance(options: argparse.Namespace) -> Tolerance:
    return Tolerance(options.tolerance, options.coincidence, options.distance)


def _said(observed: Observed) -> str:
    """What is exported of a network that changed while it was recorded."""
    return (
        f"{', '.join(observed.changed)} changed while the script ran: the network is exported as "
        f"it was at the end, at {observed.duration:g} ms, and compared with a simulation that "
        "keeps it so"
    )


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """What the system says of files is no matter for a traceback."""
    try:
        yield
    except OSError as error:
        why = error.strerror or error
        raise ExportError(f"--out {folder}: cannot be written: {why}") from error


def _check_folder(folder: Path) -> None:
    """Whether it can be written, or made: nothing is left behind."""
    there = next(each for each in (folder, *folder.parents) if each.exists())
    if not there.is_dir():
        raise ExportError(f"--out {folder}: {there} exists and is not a folder")
    if there == folder:
        with tempfile.TemporaryFile(dir=folder):
            return
    with tempfile.TemporaryDirectory(dir=there):
        return


def _pruning(options: argparse.Namespace) -> Prune | None:
    chosen = {
        "fraction": options.prune,
        "structured": options.structured,
        "max_fan_in": options.max_fan_in,
        "max_fan_out": options.max_fan_out,
    }
    if all(value is None for value in chosen.values()):
        return None
    return Prune(scope=options.prune_scope, **chosen)


def _rule(options: argparse.Namespace, target: Target) -> Quantise:
    rule = rule_for(
        target,
        rounding=options.rounding,
        scale=options.scale,
        per=options.per,
        signed=False if options.unsigned else None,
        headroom=options.headroom,
        clip=options.clip,
    )
    return rule if options.weight_bits is None else rule.with_bits(options.weight_bits)


def _verified(tables: Tables, observed: Observed, options: argparse.Namespace) -> Report:
    spikes, duration = observed.spikes, observed.duration
    report = verify(tables, against=spikes, duration=duration, tolerance=_tolerance(options))
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


def _made(options: argparse.Namespace, tables: Tables, observed: Observed) -> dict[str, str]:
    """What it takes to repeat an export."""
    steps = tables.steps(observed.duration)
    return {
        "script": str(options.script),
        "command": f"`{command_line(options.typed, ())}`",
        "simulated": f"{observed.duration:g} ms, {steps:,} steps of {tables.dt:g} ms",
        "versions": ", ".join(
            [f"{name} {version(name)}" for name in ("pynn-sparse", "PyNN", "numpy")]
            + [f"Python {platform.python_version()}"]
        ),
        "machine": f"{platform.system()} {platform.machine()}",
    }


def _write(
    options: argparse.Namespace,
    tables: Tables,
    report: Report,
    observed: Observed,
    silicon: Implemented | None,
) -> None:
    remarks = [_said(observed)] if observed.changed else []
    text = markdown(tables, report, remarks, _made(options, tables, observed))
    found = report.to_json()
    more: dict[str, bytes] = {}
    if silicon:
        text += "\n" + silicon.markdown()
        found["implementation"] = silicon.to_json()
        more |= silicon.files
    drawn = {}
    if importlib.util.find_spec("matplotlib") is None:
        print("report.html has no pictures: matplotlib is not installed", file=sys.stderr)
    else:
        drawn["Weights"] = pictures.weights(tables, observed.net)
        drawn["Occupancy"] = pictures.occupancy(tables)
        if report.trace is not None:
            drawn["Rasters"] = pictures.rasters(tables, report, observed.spikes)
    if options.bench:
        events, steps = tables.events(observed.spikes), tables.steps(observed.duration)
        more |= bench_files(tables, events, steps)
    words = json.dumps(found, indent=1, allow_nan=False) + "\n"
    files = {"report.md": text, "report.html": page(text, drawn), "verify.json": words}
    add(options.out, {name: each.encode() for name, each in files.items()} | more)
