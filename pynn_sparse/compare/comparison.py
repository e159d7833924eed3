"""A script on several backends: all runs, and each backend compared with the first."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .capture import Captured
from .findings import Tolerances
from .results import PairComparison, Recorded, compare_recorded, without_nan
from .runs import RunResult, Target, run_script
from .verdict import judge

SCHEMA = 1  # of the figures; a greater number if their meaning changes
# Backends whose spikes are not expected in the very time steps in which this engine's are.
OTHER_GRIDS = ("arbor", "brian2", "neuron")
FIGURES = ("build", "run", "peak MiB")


@dataclass
class Comparison:
    """All runs of a script, and what they tell.

    Attributes:
        script: the file and its arguments.
        runs: backend -> its run with each seed; a backend that failed has only those until then.
        failed: backend -> why.
        jobs: runs that went on at a time.
        pairs: each backend that did not fail, compared with the first that did not.
    """

    script: list[str]
    seeds: int
    tolerances: Tolerances
    targets: list[Target]
    jobs: int = 1
    runs: dict[str, list[RunResult]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    pairs: list[PairComparison] = field(default_factory=list)
    networks: dict[str, list[Captured]] = field(default_factory=dict)

    @property
    def same(self) -> bool:
        """Whether all backends ran, and none differs."""
        return not self.failed and bool(self.pairs) and all(each.same for each in self.pairs)

    @property
    def verdict(self) -> str:
        """What was found, a sentence for each backend."""
        failures = [f"{name} failed: {why}." for name, why in self.failed.items()]
        return " ".join([*failures, *(each.verdict for each in self.pairs)])

    def values(self, backend: str, figure: str) -> list[float]:
        """A figure of all runs: seconds of "build" and "run", "peak MiB"."""
        runs = [run for run in self.runs[backend] if run.networks]
        if figure == "peak MiB":
            return [run.peak / 2**20 for run in runs]
        return [sum(network.times[figure] for network in run.networks) for run in runs]

    def median(self, backend: str, figure: str) -> float:
        """Median of a figure; NaN without runs."""
        values = self.values(backend, figure)
        return statistics.median(values) if values else math.nan

    @property
    def disturbance(self) -> float:
        """Processors that other processes used during the median run of the worst backend."""
        used = [[run.other_cpu for run in runs] for runs in self.runs.values() if runs]
        return max(map(statistics.median, used), default=0.0)

    def figures(self) -> dict[str, Any]:
        """All figures, of types that JSON has."""
        return {
            "schema": SCHEMA,
            "verdict": self.verdict,
            "same": self.same,
            "script": Path(self.script[0]).name,
            "arguments": self.script[1:],
            "seeds": self.seeds,
            "jobs": self.jobs,
            "tolerances": asdict(self.tolerances),
            "failed": self.failed,
            "runs": [
                without_nan(_run(name, seed, run))
                for name, runs in self.runs.items()
                for seed, run in enumerate(runs)
            ],
            "medians": without_nan(
                {
                    name: {figure: self.median(name, figure) for figure in FIGURES}
                    for name in self.runs
                }
            ),
            "pairs": [each.figures() for each in self.pairs],
        }


def _run(name: str, seed: int, run: RunResult) -> dict[str, Any]:
    times: dict[str, float] = {}
    for network in run.networks:
        for what, seconds in network.times.items():
            times[what] = times.get(what, 0.0) + seconds
    return {
        "backend": name,
        "seed": seed,
        "error": run.error,
        "version": run.version,
        "spike_precision": run.precision,
        "seconds": run.seconds,
        "build": times.get("build"),
        "run": times.get("run"),
        "biological": times.get("biological"),
        "peak MiB": run.peak / 2**20,
        "other CPU": run.other_cpu,
    }


def compare_script(
    script: list[str],
    targets: list[Target],
    seeds: int = 3,
    *,
    tolerances: Tolerances | None = None,
    connections: bool = True,
    timeout: float | None = None,
    jobs: int = 1,
    progress: Callable[[str], None] = lambda line: None,
) -> Comparison:
    """Run a script on each backend with each seed, each in its own process, and compare.

    Runs alternate between backends, so that a busy machine slows all of them; `jobs` go on at a
    time. A backend that failed once is not run again. `progress` is given a line about each run.
    """
    found = Comparison(script, seeds, tolerances or Tolerances(), targets, jobs)
    found.runs = {target.name: [] for target in targets}

    def run_one(target: Target, seed: int) -> RunResult | None:
        if target.name in found.failed:
            return None
        run = run_script(target, script, seed, connections=connections, timeout=timeout)
        if run.error:
            found.failed.setdefault(target.name, run.error)
        progress(f"{target.name}, seed {seed}: {run.error or f'{run.seconds:.1f} s'}")
        return run

    pairs = [(target, seed) for seed in range(seeds) for target in targets]
    with ThreadPoolExecutor(jobs) as pool:
        runs = list(pool.map(run_one, *zip(*pairs, strict=True)))
    for (target, _), run in zip(pairs, runs, strict=True):
        if run:
            found.runs[target.name].append(run)
    _compare(found)
    return found


def _compare(found: Comparison) -> None:
    recorded = [
        Recorded(
            target.name, [joined(run.networks) for run in found.runs[target.name]], on_grid(target)
        )
        for target in found.targets
        if target.name not in found.failed
    ]
    found.networks = {each.name: each.networks for each in recorded}
    for other in recorded[1:]:
        pair = compare_recorded(recorded[0], other, found.tolerances)
        found.pairs.append(judge(pair, recorded[0], other))


def on_grid(target: Target) -> bool:
    """Whether the same time steps are expected as on this engine."""
    off = target.backend == "nest" and target.precision != "on_grid"
    return target.backend not in OTHER_GRIDS and not off


def joined(networks: list[Captured]) -> Captured:
    """The networks that a script has run one after the other, as one, names numbered."""
    if len(networks) == 1:
        return networks[0]
    whole = Captured(networks[0].timestep)
    for number, each in enumerate(networks, 1):
        whole.random += each.random
        whole.notes += [f"simulation {number}, {note}" for note in each.notes]
        for what in ("models", "sizes", "activities", "connections", "parameters"):
            named = {f"{number}: {name}": value for name, value in getattr(each, what).items()}
            getattr(whole, what).update(named)
        if each.timestep != whole.timestep:
            whole.notes.append(
                f"simulation {number} has a time step of {each.timestep:g} ms; spikes are compared "
                f"by that of the first, {whole.timestep:g} ms"
            )
    return whole
