"""The subcommand `pynn-sparse compare`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ..measuring import command_line
from .findings import Tolerances, require
from .redirect import module_name
from .runs import PRECISIONS, Target

USAGE = (
    "pynn-sparse compare SCRIPT [its arguments] [options], or [options] -- SCRIPT [its arguments]"
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of the subcommand."""
    parser.usage = USAGE
    parser.set_defaults(refuse=parser.error)
    parser.description = "Exit status: 0 if all backends did the same, 1 if not or if one failed, "
    parser.description += "2 if the command makes no sense."
    add, default = parser.add_argument, Tolerances()
    add("--backends", nargs="+", default=["sparse", "nest"], metavar="NAME", help=_BACKENDS)
    add("--seeds", type=int, default=3, metavar="N", help="runs of each backend; by default 3")
    add("--jobs", type=int, default=1, metavar="N", help=_JOBS)
    add("--out", type=Path, default=Path("report"), metavar="FOLDER", help="by default report/")
    add("--spike-precision", choices=(*PRECISIONS, "both"), default="on_grid", help=_PRECISION)
    add("--raw-source-times", action="store_true", help=_RAW)
    add("--no-connections", action="store_true", help="do not read connections: for large networks")
    add("--timeout", type=float, metavar="S", help="seconds that a run may take")
    limits = parser.add_argument_group("tolerances")
    add = limits.add_argument
    add("--identical", action="store_true", help="all spikes must be in the same time steps")
    add("--tolerance", type=float, default=default.relative, metavar="SHARE", help=_RELATIVE)
    add("--spread", type=float, default=default.spread, metavar="FACTOR", help=_SPREAD)
    add("--p-value", type=float, default=default.p_value, metavar="P", help=_P_VALUE)
    add("--signal-tolerance", type=float, default=default.signal, metavar="MV", help=_SIGNAL)
    add("--beginning", type=float, default=default.beginning, metavar="SHARE", help=_BEGINNING)
    add(
        "--beginning-off-grid",
        type=float,
        default=default.beginning_off_grid,
        metavar="SHARE",
        help="likewise, of 100, within a step, for backends with other grids (default %(default)s)",
    )
    parser.add_argument("script", metavar="SCRIPT", help="a PyNN script")
    parser.add_argument("arguments", nargs="*", metavar="ARGUMENT", help=_ARGUMENTS)


_BACKENDS = "the first is the reference; modules pyNN.NAME or NAME; by default sparse nest"
_JOBS = "runs at a time, by default 1; with more, times are those of runs that slow each other down"
_PRECISION = "of NEST's spikes: script leaves it to the script, both runs NEST twice"
_RAW = "leave times of spike sources as they are, also where pyNN.nest would send some a step late"
_RELATIVE = "difference of a mean that is negligible (default %(default)s)"
_SPREAD = (
    "times the difference between seeds that one between backends may be (default %(default)s)"
)
_P_VALUE = "with one seed: below which a difference counts (default %(default)s)"
_SIGNAL = "RMS of the difference of v until spikes diverge (default %(default)s)"
_BEGINNING = "least share of the first 500 spikes in the same time step (default %(default)s)"
_ARGUMENTS = "{backend} and {seed} in them are replaced"


def reorder(words: list[str]) -> list[str]:
    """Options of the command first, then `--`, the script and all that is the script's.

    The script's arguments are the words after it, up to the first that is an option of this
    command; or all of them, if `--` stands before the script.
    """
    if "--" in words or not words or words[0].startswith("-"):
        return words
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    add_options(parser)
    own = parser._option_string_actions
    ends = [place for place, word in enumerate(words) if word.split("=", 1)[0] in own]
    end = min(ends, default=len(words))
    return [*words[end:], "--", *words[:end]]


def run(options: argparse.Namespace) -> int:
    """Run, write the report; 0 if all backends did the same, 1 if not."""
    try:
        _check(options)
        targets, tolerances = _targets(options), _tolerances(options)
    except (ValueError, ImportError) as error:
        options.refuse(str(error))
    from .comparison import compare_script
    from .report import write_report

    found = compare_script(
        [options.script, *options.arguments],
        targets,
        options.seeds,
        tolerances=tolerances,
        connections=not options.no_connections,
        timeout=options.timeout,
        jobs=options.jobs,
        progress=lambda line: print(line, file=sys.stderr, flush=True),
    )
    typed = command_line(options.typed, [options.out, Path(options.script)])
    files = write_report(found, options.out, typed)
    for name, why in found.failed.items():
        print(f"{name} failed: {why}")
    for pair in found.pairs:
        print(pair.verdict)
    print(f"Report: {files[0]}; figures: {files[1]}")
    return int(not found.same)


def _targets(options: argparse.Namespace) -> list[Target]:
    targets = []
    for name in dict.fromkeys(options.backends):
        module_name(name)
        both = name == "nest" and options.spike_precision == "both"
        precisions = ("on_grid", "off_grid") if both else (options.spike_precision,)
        if options.spike_precision == "both" and not both:
            precisions = ("on_grid",)
        targets += [Target(name, each, options.raw_source_times) for each in precisions]
    if len(targets) < 2:
        raise ValueError(f"--backends {targets[0].name}: there must be two or more to compare")
    return targets


def _tolerances(options: argparse.Namespace) -> Tolerances:
    return Tolerances(
        relative=options.tolerance,
        spread=options.spread,
        p_value=options.p_value,
        beginning=options.beginning,
        beginning_off_grid=options.beginning_off_grid,
        signal=options.signal_tolerance,
        identical=options.identical,
    )


def _check(options: argparse.Namespace) -> None:
    if not Path(options.script).is_file():
        raise ValueError(f"SCRIPT {options.script}: there is no such file")
    for name in ("seeds", "jobs", "timeout"):
        value = getattr(options, name)
        if value is not None and value <= 0:
            raise ValueError(f"--{name} {value:g}: must be greater than 0")
    if options.out.exists() and not options.out.is_dir():
        raise ValueError(f"--out {options.out}: is a file, and must be a folder")
    require("elephant", "matplotlib", "scipy")
