"""Proof that tables hold the network that they were made from, and do what it did.

The words are decoded, and compared with the network in floats by the formulas of neurons and
synapses, not by the code that quantised it; then the integer model runs them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arguments import is_number
from ..errors import DamagedTablesError, ExportError
from ..models import golden
from ..models.dynamics import RECEPTORS
from ..models.semantics import Semantics
from ..nets.fixednet import FixedNet
from ..nets.layout import LayoutError
from ..nets.rounding import ROUNDINGS, possible
from ..stages.quantise import target_dynamics
from ..tables import Tables
from .compare import Comparison, compare
from .proof import Check
from .register_checks import parameter_checks
from .spikes import BlockOrBlocks, spikes_of

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Report:
    """What verification found.

    Attributes:
        checks: all statements.
        comparisons: of each recorded population.
        trace: of the integer model, or None where nothing was run.
    """

    checks: tuple[Check, ...]
    comparisons: tuple[Comparison, ...]
    trace: golden.Trace | None

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
        return "\n".join(
            f"{'ok    ' if check.holds else 'FAILED'} {check.statement}: {check.figures}"
            for check in self.checks
        )


def verify(
    tables: Tables,
    against: BlockOrBlocks | None = None,
    spikes: BlockOrBlocks | None = None,
    duration: float | None = None,
    tolerance: float = 0.2,
) -> Report:
    """Check the words of tables, and run them.

    Args:
        tables: what to check.
        against: what the simulation recorded, from time 0: a block of each population, or a list.
        spikes: of the sources; by default those in `against`, or of `SpikeSourceArray`.
        duration: ms; by default that of the recording, of which later spikes are left out.
        tolerance: by how much the number of spikes of a population may differ, relative to that
            of the simulation; three times its square root are allowed anyway. What pruning takes
            away is no error of the tables, but a difference from the simulation.

    Returns a report; nothing is raised where a check fails. Raises `ExportError` where `against`
    has no spikes of any population of the tables, or sources have none.
    """
    if not (is_number(tolerance) and tolerance >= 0):
        raise ExportError(f"tolerance = {tolerance!r}: must be a number, 0 or greater")
    recorded = spikes_of(against) if against is not None else {}
    _check_labels(tables, against, recorded)
    try:
        fixed = tables.fixed
    except DamagedTablesError as error:
        return Report((Check("words can be decoded", False, str(error)),), (), None)
    if fixed.n_synapses != len(tables.origin):
        figures = f"{fixed.n_synapses} instead of {len(tables.origin)}"
        return Report((Check("no synapse is missing", False, figures),), (), None)
    checks = [*_words(tables, fixed)]
    if against is None and duration is None:
        return Report(tuple(checks), (), None)
    length = _duration(against) if duration is None else duration
    events = tables.events(_stimulus(tables, against, spikes))
    trace = tables.target.model.run(fixed, tables.steps(length), events)
    until = {
        label: (cell[time <= length], time[time <= length])
        for label, (cell, time) in recorded.items()
    }
    comparisons = tuple(_compared(tables, trace, until))
    if isinstance(fixed.semantics, Semantics) and fixed.semantics.merges_spikes:
        checks.append(_merged_check(tables, trace))
    checks += [_range_check(tables, trace), *_spike_checks(comparisons, tolerance)]
    return Report(tuple(checks), comparisons, trace)


def _duration(against: BlockOrBlocks) -> float:
    if isinstance(against, Mapping):
        raise ExportError("duration: must be given with spikes that are no Neo blocks")
    blocks = against if isinstance(against, (list, tuple)) else [against]
    return max(
        float(train.t_stop.rescale("ms").magnitude)
        for block in blocks
        for train in block.segments[0].spiketrains[:1]
    )


def _check_labels(
    tables: Tables, against: BlockOrBlocks | None, recorded: Mapping[str, object]
) -> None:
    """Comparing nothing would pass."""
    known = [each.label for each in tables.frame.axons if not each.is_source]
    if against is not None and not set(known) & set(recorded):
        raise ExportError(
            f"against has spikes of {', '.join(recorded) or 'nothing'}: must have some of "
            f'{", ".join(known)}; record them, record("spikes")'
        )


def _stimulus(
    tables: Tables, against: BlockOrBlocks | None, spikes: BlockOrBlocks | None
) -> BlockOrBlocks | None:
    """Spikes of sources: those given, or those among what was recorded."""
    if spikes is not None or against is None:
        return spikes
    sources = {each.label: each.size for each in tables.frame.axons if each.is_source}
    recorded = spikes_of(against)
    return {
        label: [time[cell == index] for index in range(sources[label])]
        for label, (cell, time) in recorded.items()
        if label in sources
    } or None


# --- words -----------------------------------------------------------------------------------


def _words(tables: Tables, fixed: FixedNet) -> Iterator[Check]:
    numbers = tables.rule.numbers(tables.target)
    expected = tables.target.semantics(fixed.semantics.n_receptors)
    yield Check("the update rule is the target's", fixed.semantics == expected, "see the manifest")
    yield from _synapses(tables, fixed)
    steps = target_dynamics(tables.net, tables.target)
    cells = [tables.net.cells[i] for i in sorted(steps)]
    own = [tables.target.parameters(each, tables.dt) for each in cells]
    exact = [each for each in own if each is not None]
    each = [steps[i] for i in sorted(steps)]
    if exact:
        yield from parameter_checks(fixed, exact)
    else:
        yield from tables.target.model.checks(fixed, each, tables.scale, numbers)
    yield _same_words(tables, fixed)


def _same_words(tables: Tables, fixed: FixedNet) -> Check:
    statement = "words encode what they decode to"
    try:
        again = tables.target.pack(fixed, tables.rule.weight_bits, tables.rule.signed)
    except (ExportError, LayoutError) as error:
        return Check(statement, False, str(error))
    differing = [
        name
        for name, memory in tables.memories.items()
        if not np.array_equal(again[name].words, memory.words)
    ]
    text = f"{', '.join(differing) or 'nothing'} differs in {len(again)} memories"
    return Check(statement, not differing, text)


def _synapses(tables: Tables, fixed: FixedNet) -> Iterator[Check]:
    """Sources, targets, delays exactly; weights to the error that their rounding makes."""
    net, first = tables.net, {each.label: each.first for each in tables.frame.axons}
    steps = target_dynamics(net, tables.target)
    source, target, jump = (np.zeros(0) for _ in range(3))
    limits = tables.target.limits()
    delays = limits.hops(net)
    hop = np.concatenate([np.zeros(0), *delays])
    for part in net.connections:
        pre, post = (first[net.cells[index].label] for index in (part.pre, part.post))
        step = steps[part.post]
        gain = step.gain[part.target, RECEPTORS.index(part.receptor)]
        source = np.append(source, part.source + pre)
        target = np.append(target, part.target + post)
        jump = np.append(jump, _limited(part.weight, tables.rule.clip) * gain)
    origin = tables.origin
    for name, found, wanted in (
        ("source", fixed.source, source),
        ("target", fixed.target, target),
        ("delay", fixed.hop, hop),
    ):
        wrong = int((found != wanted[origin]).sum())
        yield Check(f"each synapse has its {name}", not wrong, f"{wrong} of {len(origin)} differ")
    exact = jump * tables.scale[target.astype(np.int64)]
    unit = np.exp2(fixed.formats.shift[fixed.format])
    own = tables.target.weight_checks(tables, exact[origin] / unit)
    if own is not None:
        yield from own
        return
    yield _zeroed(tables)
    if limits.weights_per_neuron is not None and "weights" in tables.accept:
        most = limits.weights_per_neuron
        yield _shared_weights(fixed, exact[origin], tables.rule.rounding, most)
    else:
        yield _rounded(tables, fixed, exact[origin] / unit, unit)


def _rounded(tables: Tables, fixed: FixedNet, exact: Floats, unit: Floats) -> Check:
    """Weights are those that rounding of `exact`, in units, leaves."""
    error = np.abs(fixed.charge() / unit - exact)
    if tables.rule.minifloat is not None:  # steps grow with the weights
        digits = 2.0**tables.rule.minifloat.mantissa_bits
        power = np.floor(np.log2(np.maximum(np.abs(exact), 1.0)))
        error /= np.maximum(np.exp2(power) / digits, 1.0)
    worst = float(error.max(initial=0.0))
    bound = ROUNDINGS[tables.rule.rounding][1]
    text = f"largest error {worst:.3f} steps, {tables.rule.rounding} rounding makes {bound}"
    return Check("each weight is as rounding leaves it", worst <= bound * (1 + 1e-6), text)


def _limited(weight: Floats, share: float) -> Floats:
    """Weights of a projection, but for this share of the greatest, which are as the next one."""
    order = np.argsort(np.abs(weight))
    most = np.abs(weight[order[: len(weight) - int(share * len(weight))]]).max(initial=0.0)
    return np.asarray(np.sign(weight) * np.minimum(np.abs(weight), most))


def _shared_weights(fixed: FixedNet, exact: Floats, rounding: str, most: int) -> Check:
    """Each neuron has a few weights, which are the means of what they stand for, and the nearest.

    Args:
        fixed: the integers.
        exact: [n], before rounding, in integer units.
        rounding: of weights, before they were shared.
        most: different weights of a neuron.
    """
    weight, bound = fixed.charge(), ROUNDINGS[rounding][1]
    pairs, which = np.unique(np.column_stack([fixed.target, weight]), axis=0, return_inverse=True)
    which = which.reshape(-1)
    count = np.maximum(np.bincount(which, minlength=len(pairs)), 1)
    least, greatest = (
        np.rint(np.bincount(which, each, minlength=len(pairs)) / count)
        for each in possible(exact, rounding)
    )
    off = int(((pairs[:, 1] < least) | (pairs[:, 1] > greatest)).sum())
    first = np.searchsorted(pairs[:, 0], fixed.target)  # of the neuron's weights
    different = np.bincount(pairs[:, 0], minlength=fixed.n_neurons)
    farther = 0.0  # than another weight of the neuron, with the same sign
    for place in range(min(most, int(different.max(initial=0)))):
        there = place < different[fixed.target]
        other = pairs[(first + place)[there], 1]
        same = np.sign(other) == np.sign(weight[there])
        excess = np.abs(exact - weight)[there] - np.abs(exact[there] - other)
        farther = max(farther, float(excess[same].max(initial=0.0)))
    holds = (different <= most).all() and not off and farther <= 1 + 2 * bound
    worst = float(np.abs(weight - exact).max(initial=0.0))
    return Check(
        f"each neuron has up to {most} weights, means of what they stand for",
        bool(holds),
        f"up to {different.max(initial=0)}; {off} of {len(pairs)} are no means; "
        f"largest error {worst:.3f} steps",
    )


def _zeroed(tables: Tables) -> Check:
    """Synapses that are left out had weights that round to 0."""
    bound = ROUNDINGS[tables.rule.rounding][1]
    parts = zip(tables.net.connections, tables.losses, strict=True)
    ratio = np.concatenate(
        [np.zeros(0), *(np.abs(part.weight) / (loss.step or 1.0) for part, loss in parts)]
    )
    left_out = np.ones(len(ratio), bool)
    left_out[tables.origin] = False
    worst = float(ratio[left_out].max(initial=0.0))
    return Check(
        "only weights that round to 0 are left out",
        worst <= bound * (1 + 1e-9),
        f"{int(left_out.sum())} of {len(ratio)}, the greatest has {worst:.3f} steps",
    )


# --- runs ------------------------------------------------------------------------------------


def _range_check(tables: Tables, trace: golden.Trace) -> Check:
    limit = tables.target.greatest_input(tables.fixed, tables.rule.weight_bits)
    within = not trace.overflows and trace.largest_input <= limit
    remedy = "" if within else f"; {tables.target.remedy}"
    return Check(
        "currents, voltages and inputs stay in range",
        within,
        f"{trace.overflows} left it; largest input {trace.largest_input}, limit {limit}{remedy}",
    )


def _merged_check(tables: Tables, trace: golden.Trace) -> Check:
    remedy = '; shorten the time step, or accept="merged"' if trace.merged else ""
    return Check(
        "sources have one spike in a step, or merging was accepted",
        not trace.merged or "merged" in tables.accept,
        f"{trace.merged} more{remedy}",
    )


def _compared(
    tables: Tables, trace: golden.Trace, recorded: dict[str, tuple[NDArray[np.int64], Floats]]
) -> Iterator[Comparison]:
    for population in tables.frame.axons:
        if population.is_source or population.label not in recorded:
            continue
        cell = trace.spikes[:, 1] - population.first
        mine = (cell >= 0) & (cell < population.size)
        found = cell[mine], trace.spikes[mine, 0] * tables.dt
        yield compare(population.label, population.size, recorded[population.label], found)


def _spike_checks(comparisons: tuple[Comparison, ...], tolerance: float) -> Iterator[Check]:
    for each in comparisons:
        allowed = max(tolerance * each.expected, 3 * np.sqrt(each.expected))
        yield Check(
            f"{each.label} has about as many spikes as in the simulation",
            abs(each.found - each.expected) <= allowed,
            f"{each.found} instead of {each.expected} ({allowed:.0f} may differ), "
            f"{each.coincident:.1%} coincident, van Rossum distance {each.distance:.3f}",
        )
