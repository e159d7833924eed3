"""Runs networks on this backend and its peers in turn, and compares what they did and how fast."""

from __future__ import annotations

import json
import math
import os
import re
import statistics
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..measuring import DISTURBANCE
from .earlier import Earlier
from .networks import NETWORKS
from .peers import PEERS, Peer, one_run

OWN = "sparse"
EARLIER = "earlier"  # an earlier build of this backend
RATE_TOLERANCE = 0.1  # of the rate
CV_TOLERANCE = 0.1
Figures = dict[str, Any]
Execute = Callable[[list[str]], Figures]


class RunError(RuntimeError):
    """A run failed; the message is the last line that it wrote."""


@dataclass
class Comparison:
    """A network with a number of threads: the figures of all runs, by simulator.

    Attributes:
        runs: simulator -> figures of each run; for this backend "sparse".
        absent: simulator -> why there are none.
        problem: how what the simulators did differs, or "".
        ranks: processes of which each has so many threads, see `ranks.py`.
    """

    network: str
    threads: int
    rng: str
    runs: dict[str, list[Figures]] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)
    problem: str = ""
    ranks: int = 1

    def values(self, simulator: str, figure: str) -> list[float]:
        """A figure of all runs that have it, ascending."""
        found = (run.get(figure) for run in self.runs.get(simulator, []))
        return sorted(float(each) for each in found if each is not None)

    def median(self, simulator: str, figure: str) -> float:
        """Median of a figure; NaN without runs."""
        values = self.values(simulator, figure)
        return statistics.median(values) if values else math.nan

    @property
    def disturbed(self) -> bool:
        """Whether other processes took so much that a median is that of a disturbed run."""
        return any(self.median(name, "other CPU") > DISTURBANCE for name in self.runs)

    def best(self, figure: str) -> float:
        """The least median of the peers; NaN if there is no peer."""
        peers = [self.median(name, figure) for name in self.runs if name not in (OWN, EARLIER)]
        return min((each for each in peers if not math.isnan(each)), default=math.nan)


def execute(command: list[str], environment: Mapping[str, str] | None = None) -> Figures:
    """Run a command; its last line is JSON. Raises `RunError` if it fails.

    `environment` has further variables.

    Python keeps what it compiles, whatever the variable that forbids it: an installed build has
    that along, so that a checkout beside it would be charged with compiling at each import.
    """
    variables = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    variables |= environment or {}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=variables)
    if done.returncode:
        raise RunError(_reason(done.stderr.splitlines()) or f"exit status {done.returncode}")
    figures: Figures = json.loads(done.stdout.strip().splitlines()[-1])
    return figures


def _reason(lines: list[str]) -> str:
    """The last error of Python's; or what a launcher says in its frame; or the last line."""
    errors = [line for line in lines if re.match(r"[\w.]*(Error|Exception)\b", line)]
    said = [line.strip() for line in lines if line.strip(" -=")]
    framed = [line for line in lines if line.startswith("-----")]
    return errors[-1] if errors else " ".join(said if framed else said[-1:])


def compare(
    network: str,
    threads: int,
    peers: list[Peer],
    repeats: int,
    *,
    rng: str = "numpy",
    duration: float | None = None,
    earlier: Earlier | None = None,
    run: Execute = execute,
) -> Comparison:
    """Run a network on all simulators, one after the other, `repeats` times.

    So is an earlier build of this backend, if there is one.
    """
    found = Comparison(network, threads, rng)
    milliseconds = duration or NETWORKS[network].duration
    commands = {OWN: one_run(network, OWN, threads, milliseconds, "--rng", rng)}
    if earlier is not None:
        commands[EARLIER] = earlier.command(network, threads, milliseconds, "--rng", rng)
    for peer in peers:
        command = None if peer.missing() else peer.command(network, threads, milliseconds)
        if command is None:
            found.absent[peer.name] = peer.missing() or "does not have this network"
        else:
            commands[peer.name] = command
    for _ in range(repeats):
        for name, command in commands.items():
            if name not in found.absent:
                add_run(found, name, command, run)
    found.problem = difference(found) or failure(found)
    return found


def add_run(found: Comparison, name: str, command: list[str], run: Execute) -> None:
    """Add the figures of a run, or why there are none of this simulator."""
    try:
        found.runs.setdefault(name, []).append(run(command))
    except RunError as error:
        found.absent[name] = str(error)
        found.runs.pop(name, None)


def failure(found: Comparison, *simulators: str) -> str:
    """Why this backend failed, unless it says that something is not implemented."""
    reasons = (found.absent.get(name, "") for name in simulators or (OWN,))
    return next((x for x in reasons if x and not x.startswith("NotImplementedError")), "")


def difference(found: Comparison) -> str:
    """In what the peers' activity differs from this backend's, or ""."""
    problems = []
    for name in found.runs:
        if name == OWN or OWN not in found.runs:
            continue
        own, other = (found.median(each, "rate") for each in (OWN, name))
        if not abs(own - other) <= RATE_TOLERANCE * max(own, other):
            problems.append(f"rate {own:.3g} Hz, on {name} {other:.3g} Hz")
        own, other = (found.median(each, "cv") for each in (OWN, name))
        # Neither has one if no neuron fired often enough; if one has, the other must.
        if not (abs(own - other) <= CV_TOLERANCE or (math.isnan(own) and math.isnan(other))):
            problems.append(f"CV {own:.2g}, on {name} {other:.2g}")
    return "; ".join(problems)


def peers_for(network: str, names: list[str], asked: bool) -> list[Peer]:
    """Peers to run a network on; large networks have none unless they were asked for."""
    return [] if NETWORKS[network].large and not asked else [PEERS[name] for name in names]
