"""Networks on several processes of MPI, beside one process with as many threads in all.

Both are run in turn, and NEST where it has MPI. Times count only if all runs of this backend have
given the same spikes.
"""

from __future__ import annotations

import importlib.util
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .networks import NETWORKS
from .peers import one_run
from .report import NOTHING, number, spread
from .suite import OWN, Comparison, Execute, Figures, add_run, difference, execute, failure

SEVERAL = "several"  # processes of this backend
PEER = "nest"  # on several processes, too
DEFAULT = ("cuba20000", "brunel", "stdp", "microcircuit0.2-poisson")
INSTALL = "pip install 'pynn-sparse[mpi-local]', or [mpi] where there is an MPI library"
RUN = "run per second"
Column = Callable[[Comparison], str]


@dataclass(frozen=True)
class Launcher:
    """What starts processes of MPI: the path of `mpiexec`."""

    mpiexec: str

    def command(self, ranks: int, command: list[str]) -> list[str]:
        """A command on so many processes."""
        return [self.mpiexec, "-n", str(ranks), *command]

    def run(self, ranks: int, module: str) -> Figures:
        """The figures that a module prints on so many processes. Raises `RunError`."""
        return execute(self.command(ranks, [sys.executable, "-W", "ignore", "-m", module]))


def launcher() -> Launcher:
    """The `mpiexec` beside this Python, or else the first that the shell would find.

    Raises `ModuleNotFoundError` without mpi4py, `FileNotFoundError` without mpiexec.
    """
    if importlib.util.find_spec("mpi4py") is None:
        raise ModuleNotFoundError(f"mpi4py is not installed: {INSTALL}")
    beside = Path(sys.prefix) / "bin" / "mpiexec"
    found = str(beside) if beside.exists() else shutil.which("mpiexec")
    if found is None:
        raise FileNotFoundError(f"there is no mpiexec: {INSTALL}")
    return Launcher(found)


def nest_is_missing() -> str | None:
    """Why NEST cannot be run on several processes; None if it can."""
    if importlib.util.find_spec("nest") is None:
        return "not installed"
    ask = "import nest; print('MPI:', nest.build_info['have_mpi'])"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=False)
    if "MPI: True" in done.stdout:
        return None
    return "built without MPI, as the wheel of the package index is: see docs/several_processes.md"


def compare(
    network: str,
    ranks: int,
    threads: int,
    repeats: int,
    *,
    rng: str,
    start: Launcher,
    nest: str | None,
    duration: float | None = None,
    run: Execute = execute,
) -> Comparison:
    """Run a network on one process with `ranks` * `threads` threads, and on `ranks`, in turn.

    `nest` is why NEST is not run, or None if it is, on as many processes.
    """
    found = Comparison(network, threads, rng, ranks=ranks)
    milliseconds = duration or NETWORKS[network].duration

    def on_several(backend: str, *more: str) -> list[str]:
        command = one_run(network, backend, threads, milliseconds, "--ranks", str(ranks), *more)
        return start.command(ranks, command)

    commands = {
        OWN: one_run(network, OWN, ranks * threads, milliseconds, "--rng", rng),
        SEVERAL: on_several(OWN, "--rng", rng),
    }
    if nest is None:
        commands[PEER] = on_several("nest")
    else:
        found.absent[PEER] = nest
    for _ in range(repeats):
        for name, command in commands.items():
            if name not in found.absent:
                add_run(found, name, command, run)
    found.problem = _other_spikes(found) or difference(found) or failure(found, OWN, SEVERAL)
    return found


def environment(threads: int) -> dict[str, str]:
    """Variables of Open MPI, which would else give all threads of a process one processor."""
    if threads == 1:
        return {}
    names = "PRTE_MCA_hwloc_default_binding_policy", "OMPI_MCA_hwloc_base_binding_policy"
    return {name: "none" for name in names if name not in os.environ}


def _other_spikes(found: Comparison) -> str:
    spikes = {run["spikes"] for name in (OWN, SEVERAL) for run in found.runs.get(name, [])}
    return "the spikes of several processes are not those of one" if len(spikes) > 1 else ""


# --- the table --------------------------------------------------------------------------------


def _ratio(figure: str, of: str, to: str) -> Column:
    """How many times as large a figure is of one as of the other."""

    def ratio(each: Comparison) -> str:
        if each.problem:
            return NOTHING
        value, other = each.median(of, figure), each.median(to, figure)
        marked = " (disturbed)" if each.disturbed and figure == RUN else ""
        return (number(value / other) if other else NOTHING) + marked

    return ratio


def _figure(figure: str, simulator: str) -> Column:
    return lambda each: spread(each, simulator, figure)


def _of_each(figure: str) -> Column:
    """Medians of the processes, from the first to the last."""

    def values(each: Comparison) -> str:
        runs = [run["processes"] for run in each.runs.get(SEVERAL, [])]
        if not runs:
            return NOTHING
        middle = len(runs) // 2
        columns = zip(*runs, strict=True)
        return ", ".join(number(sorted(one[figure] for one in each)[middle]) for each in columns)

    return values


def _most_of_others(found: Comparison) -> float:
    values = (x for name in found.runs for x in found.values(name, "other CPU"))
    return max(values, default=math.nan)


COLUMNS: list[tuple[str, Column]] = [
    ("network", lambda each: each.network),
    ("processes x threads", lambda each: f"{each.ranks} x {each.threads}"),
    ("one process, run / s per s", _figure(RUN, OWN)),
    ("several / s per s", _figure(RUN, SEVERAL)),
    ("run, one / several", _ratio(RUN, OWN, SEVERAL)),
    ("CPU of building, one / s", _figure("build CPU", OWN)),
    ("the slowest of several / s", _figure("build CPU", SEVERAL)),
    ("building, several / one", _ratio("build CPU", SEVERAL, OWN)),
    ("memory of one / MiB", _figure("network MiB", OWN)),
    ("memory of each / MiB", _of_each("network MiB")),
    ("memory, several / one", _ratio("network MiB", SEVERAL, OWN)),
    ("peak of one / MiB", _figure("network peak MiB", OWN)),
    ("peak of each / MiB", _of_each("network peak MiB")),
    ("peak, several / one", _ratio("network peak MiB", SEVERAL, OWN)),
    ("NEST on several / s per s", _figure(RUN, PEER)),
    ("NEST / several", _ratio(RUN, PEER, SEVERAL)),
    ("other CPU", lambda each: number(_most_of_others(each))),
]


def cells(found: list[Comparison]) -> list[list[str]]:
    """Heads and rows of the table; columns of NEST only where it was run."""
    with_peer = any(PEER in each.runs for each in found)
    columns = [each for each in COLUMNS if with_peer or "NEST" not in each[0]]
    rows = []
    for each in found:
        if SEVERAL in each.runs and OWN in each.runs:
            row = [column(each) for _, column in columns]
            row[2] += f"; {each.problem}" * bool(each.problem)
        else:
            absent = each.absent.get(OWN) or each.absent.get(SEVERAL, "")
            row = [each.network, f"{each.ranks} x {each.threads}", f"not available: {absent}"]
            row += [NOTHING] * (len(columns) - len(row))
        rows.append(row)
    return [[head for head, _ in columns], *rows]


def table(found: list[Comparison]) -> str:
    """Markdown, a row for each comparison: medians, in brackets the least and the greatest."""
    heads, *rows = cells(found)
    lines = ["| " + " | ".join(row) + " |" for row in (heads, ["---"] * len(heads), *rows)]
    return "\n".join(lines)


def exchanges(every: list[dict[str, Any]]) -> str:
    """What an exchange takes, and gathering, in words, a line for each number of processes."""
    return "".join(
        f"\n{each['processes']} processes, {each['library'].split(',')[0]}: an exchange without "
        f"spikes {1e6 * each['exchange']:.1f} us; {each['spikes']:,} recorded spikes come to all "
        f"processes in {1e3 * each['gather']:.0f} ms."
        for each in every
    )
