"""Proof that tables hold the network that they were made from, and do what it did.

The words are decoded, and compared with the network in floats by the formulas of neurons and
synapses, not by the code that quantised it; then the integer model runs them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..arguments import door
from ..errors import DamagedTablesError, ExportError, accepting
from ..folder.derived import differences
from ..likeness import Comparison
from ..models import golden
from ..proof import Check
from ..spikes import BlockOrBlocks, duration_of, spikes_of, stimulus_of
from ..tables import Tables
from .compare import Tolerance, compare_runs
from .ranges import range_check
from .words import word_checks

DEFAULT = Tolerance()


@dataclass(frozen=True)
class Report:
    """What verification found.

    Attributes:
        checks: all statements.
        comparisons: of each recorded population.
        trace: of the integer model, or None where nothing was run.
        unknown: populations of neurons that could not be compared, since they were not recorded.
    """

    checks: tuple[Check, ...]
    comparisons: tuple[Comparison, ...]
    trace: golden.Trace | None
    unknown: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether all statements hold."""
        return all(check.holds for check in self.checks)

    def to_json(self) -> dict[str, Any]:
        """For other programs: what holds, spikes of each population, and sums of the run."""
        comparisons = [
            asdict(each) | {"distance": each.distance if np.isfinite(each.distance) else None}
            for each in self.comparisons
        ]
        trace = self.trace
        return {
            "passed": bool(self.passed),
            "checks": [asdict(check) | {"holds": bool(check.holds)} for check in self.checks],
            "comparisons": comparisons,
            "not_compared": list(self.unknown),
            "run": None
            if trace is None
            else {
                "spikes": len(trace.spikes),
                "synaptic_operations": trace.synaptic_events,
                "overflows": trace.overflows,
                "largest_input": trace.largest_input,
            },
        }

    def __str__(self) -> str:
        lines = [
            f"{'ok    ' if check.holds else 'FAILED'} {check.statement}: {check.figures}"
            for check in self.checks
        ]
        if self.unknown:
            lines.append(f"not compared, since not recorded: {', '.join(self.unknown)}")
        return "\n".join(lines)


def verify(
    tables: Tables,
    against: BlockOrBlocks | None = None,
    spikes: BlockOrBlocks | None = None,
    duration: float | None = None,
    tolerance: Tolerance | float = DEFAULT,
) -> Report:
    """Check the words of tables, and run them.

    Args:
        tables: what to check.
        against: what the simulation recorded, from time 0: a block of each population, or a list.
        spikes: of the sources; by default those in `against`, or of `SpikeSourceArray`.
        duration: ms; by default that of the recording, of which later spikes are left out.
        tolerance: how much the spikes of a population may differ from those of the simulation; a
            number is that of its spikes, see `Tolerance`. What pruning takes away is no error of
            the tables, but a difference from the simulation. A population that fires in the
            simulation alone never passes.

    Returns a report; nothing is raised where a check fails. Raises `ExportError` where `against`
    has no spikes of any population of the tables, or sources have none.
    """
    door.instance("tables", tables, Tables, "what export.lower() or export.load() returns")
    allowed = tolerance if isinstance(tolerance, Tolerance) else Tolerance(tolerance)
    recorded = spikes_of(against, "against") if against is not None else {}
    _check_labels(tables, against, recorded)
    if duration is not None:
        tables.steps(duration)
    try:
        fixed = tables.fixed
    except DamagedTablesError as error:
        return Report((Check("words can be decoded", False, str(error)),), (), None)
    if fixed.n_synapses != len(tables.origin):
        figures = f"{fixed.n_synapses} instead of {len(tables.origin)}"
        return Report((Check("no synapse is missing", False, figures),), (), None)
    checks = [*word_checks(tables, fixed)]
    if tables.files:
        checks.append(_files_check(tables))
    if not all(check.holds for check in checks) or (against is None and duration is None):
        return Report(tuple(checks), (), None)  # what other words do says nothing
    length = duration_of(against) if duration is None else duration
    events = tables.events(stimulus_of(tables.frame.axons, against, spikes))
    steps = tables.steps(length)
    trace = tables.target.model.run(fixed, steps, events)
    if tables.target.model.merges_spikes(fixed.semantics):
        checks.append(_merged_check(tables, trace))
    checks.append(range_check(tables, trace, steps, events))
    if against is None:
        return Report(tuple(checks), (), trace)
    comparisons = compare_runs(tables, trace, recorded, length)
    checks.append(_some_check(comparisons))
    for each in comparisons:
        checks += allowed.checks(each)
    compared = {each.label for each in comparisons}
    unknown = tuple(label for label in _neurons(tables) if label not in compared)
    return Report(tuple(checks), comparisons, trace, unknown)


def _neurons(tables: Tables) -> list[str]:
    """Labels of the populations of neurons."""
    return [each.label for each in tables.frame.axons if not each.is_source]


def _check_labels(
    tables: Tables, against: BlockOrBlocks | None, recorded: Mapping[str, object]
) -> None:
    """Comparing nothing would pass."""
    known = _neurons(tables)
    if against is not None and not set(known) & set(recorded):
        raise ExportError(
            f"against has spikes of {', '.join(recorded) or 'nothing'}: must have some of "
            f'{", ".join(known)}; record them, record("spikes")'
        )


# --- runs ------------------------------------------------------------------------------------


def _merged_check(tables: Tables, trace: golden.Trace) -> Check:
    remedy = f"; shorten the time step, or {accepting('merged')}" if trace.merged else ""
    return Check(
        "sources have one spike in a step, or merging was accepted",
        not trace.merged or "merged" in tables.accept,
        f"{trace.merged} more{remedy}",
    )


def _files_check(tables: Tables) -> Check:
    wrong = list(differences(tables))
    return Check(
        "files that other programs load are those that the words make",
        not wrong,
        "; ".join(wrong) or f"nothing differs in {len(tables.files)} files",
    )


def _some_check(comparisons: tuple[Comparison, ...]) -> Check:
    """Silence that is compared with silence shows nothing."""
    spikes = sum(each.expected for each in comparisons)
    remedy = "" if spikes else "; give it input at which neurons fire"
    return Check(
        "the simulation has spikes to compare with",
        spikes > 0,
        f"{spikes} in {len(comparisons)} populations{remedy}",
    )
