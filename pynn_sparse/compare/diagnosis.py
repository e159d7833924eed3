"""What kind of error would make two backends differ as they do.

Traces of v can prove that a refractory period, weights or delays differ, whatever the backends say
that these are; from spikes alone come hints.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from .activity import Activity, Floats, Signal
from .capture import Captured
from .exact import SLACK, apart
from .results import driven_trains

EARLIEST = 20  # neurons that diverge first
MOST, NEARLY_ALL = 0.8, 0.95  # shares of them
FIT = 0.02  # of a difference: what an explanation of it may leave
LARGEST_SHIFT = 10  # steps


def refractory_periods(
    names: tuple[str, str], a: Captured, b: Captured, tolerance: int
) -> list[str]:
    """Populations whose v stays at reset for times that differ by more than `tolerance` steps."""
    found = []
    for name, segment in _first_segments(a):
        other = b.activities.get(name)
        if not other:
            continue
        steps = [_time_at_reset(each, a.timestep) for each in (segment, other[0])]
        if steps[0] is None or steps[1] is None:
            continue
        if abs(steps[0] - steps[1]) > tolerance:
            one, two = (f"{time} steps on {on}" for time, on in zip(steps, names, strict=True))
            found.append(
                f"{name}: after a spike, v stays at its reset value for {one} and {two}: "
                "the refractory period differs"
            )
    return found


def _time_at_reset(segment: Activity, timestep: float) -> int | None:
    """Time steps for which v most often does not move after a spike; None if it cannot be seen."""
    signal = segment.signals.get("v")
    if signal is None or len(signal.times) < 2:
        return None
    interval = signal.times[1] - signal.times[0]
    if abs(interval - timestep) > SLACK * timestep:
        return None
    counts: Counter[int] = Counter()
    for column, neuron in enumerate(signal.neurons):
        v = signal.values[:, column]
        for time in segment.trains.get(int(neuron), ()):
            # A spike between two steps shows at the later one.
            # Some backends take the sample before the reset.
            row = int(np.ceil((time - signal.times[0]) / interval - SLACK))
            flat = [steps for begin in (row, row + 1) if (steps := _flat(v, begin)) is not None]
            if flat:
                counts[max(flat)] += 1
    return counts.most_common(1)[0][0] if counts else None


def _flat(v: Floats, begin: int) -> int | None:
    """Steps for which v keeps the value of row `begin`; None if that does not end."""
    moved = np.flatnonzero(v[begin:] != v[begin]) if begin < len(v) else np.zeros(0, int)
    return int(moved[0]) - 1 if len(moved) else None


@dataclass
class Fit:
    """How one trace follows from another: later by `shift` steps, greater by `factor`."""

    shift: int
    factor: float


def input_to_cells(names: tuple[str, str], a: Captured, b: Captured) -> list[str]:
    """Populations whose v differs, before its first spike, as with other weights or delays."""
    found = []
    for name, segment in _first_segments(a):
        other = b.activities.get(name)
        if not other or "v" not in segment.signals or "v" not in other[0].signals:
            continue
        fits = _fits(segment, other[0])
        if not fits:
            continue
        shift = Counter(fit.shift for fit in fits).most_common(1)[0][0]
        factor = float(np.median([fit.factor for fit in fits]))
        if shift:
            late = "later" if shift > 0 else "earlier"
            found.append(
                f"{name}: before its first spike, v on {names[1]} is that on {names[0]}, "
                f"{abs(shift)} time step{'s' * (abs(shift) > 1)} {late}: delays differ"
            )
        if abs(factor - 1) > 1e-3:
            found.append(
                f"{name}: before its first spike, v on {names[1]} moves {factor:.4g} times as far "
                f"from rest as on {names[0]}: weights differ"
            )
    return found


def _fits(a: Activity, b: Activity) -> list[Fit]:
    one, two = a.signals["v"], b.signals["v"]
    rows = min(len(one.times), len(two.times))
    fits = []
    for column, neuron in enumerate(one.neurons):
        places = np.flatnonzero(two.neurons == neuron)
        if not len(places):
            continue
        spikes = [*a.trains.get(int(neuron), ())[:1], *b.trains.get(int(neuron), ())[:1]]
        until = _row(one, min(spikes), rows) if spikes else rows
        traces = one.values[:until, column], two.values[:until, places[0]]
        if (fit := _explain(*traces)) is not None:
            fits.append(fit)
    return fits


def _row(signal: Signal, time: float, rows: int) -> int:
    return min(int(np.searchsorted(signal.times, time - 1e-6)), rows)


def _explain(one: Floats, two: Floats) -> Fit | None:
    """The shift and factor that explain a difference, if they do; None if there is none."""
    if len(one) <= 4 * LARGEST_SHIFT:
        return None
    one, two = one - one[0], two - two[0]
    middle = slice(LARGEST_SHIFT, -LARGEST_SHIFT)
    size = np.linalg.norm((two - one)[middle])
    if size <= 1e-3 * np.linalg.norm(one[middle]):
        return None
    best: tuple[float, Fit] = (np.inf, Fit(0, 1.0))
    # The least shift of those that fit equally well.
    for shift in sorted(range(-LARGEST_SHIFT, LARGEST_SHIFT + 1), key=abs):
        moved = np.roll(one, shift)[middle]
        square = float(moved @ moved)
        if not square:
            continue
        for factor in (1.0, float(moved @ two[middle]) / square):
            left = float(np.linalg.norm(two[middle] - factor * moved))
            if left < 0.5 * best[0]:
                best = left, Fit(shift, factor)
    return best[1] if best[0] <= FIT * size else None


def first_divergences(names: tuple[str, str], a: Captured, b: Captured) -> list[str]:
    """Hints from spikes alone: what the neurons that diverge first have in common."""
    diverging = []
    for one, two in driven_trains(a, b):
        time = apart(one, two, 0.5 * a.timestep)
        if time is None:
            continue
        n = min(len(one), len(two))
        different = np.flatnonzero(np.abs(one[:n] - two[:n]) > 0.5 * a.timestep)
        index = int(different[0]) if len(different) else n
        steps = round((two[index] - one[index]) / a.timestep) if len(different) else None
        diverging.append((time, index, steps))
    earliest = sorted(diverging, key=lambda each: each[0])[:EARLIEST]
    if len(earliest) < 3:
        return []
    return _in_common(names, [(index, steps) for _, index, steps in earliest], a.timestep)


def _in_common(
    names: tuple[str, str], earliest: list[tuple[int, int | None]], timestep: float
) -> list[str]:
    """Hints from index and lag (steps) of the first different spike of the earliest neurons."""
    total = len(earliest)
    steps, times = Counter(steps for _, steps in earliest).most_common(1)[0]
    later = sum(steps is not None and steps > 0 for _, steps in earliest)
    after = sum(index > 0 for index, _ in earliest)
    word, strength, length = (
        ("later", "weaker", "longer") if later > total / 2 else ("earlier", "stronger", "shorter")
    )
    alike = max(later, total - later)
    if alike < MOST * total:
        return []
    where = f"of the {total} neurons that diverge first"
    what = f"the first different spike comes {word} on {names[1]} than on {names[0]}"
    if after >= MOST * total:
        text = f"in {after} {where}, spikes agree up to one after which {what}"
        return [f"{text}: as with a {length} refractory period, another reset or {strength} input"]
    if steps is not None and times >= NEARLY_ALL * total:
        by = f"by {abs(steps) * timestep:g} ms"
        return [f"in {times} {where}, {what}, {by}: as with other delays"]
    return [f"in {alike} {where}, {what}: as with {strength} input"]


def _first_segments(captured: Captured) -> list[tuple[str, Activity]]:
    return [(name, segments[0]) for name, segments in captured.activities.items() if segments]
