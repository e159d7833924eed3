"""How alike two sets of spikes are, and what is alike enough."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..arguments import door
from ..models.golden import Trace
from ..proof import Check
from ..tables import Tables

Cells = NDArray[np.int64]
Times = NDArray[np.float64]
Spikes = tuple[Cells, Times]  # cell and time (ms) of each spike
WINDOW = 2.0  # ms within which two spikes may count as the same
OF_INTERVAL = 0.2  # of a cell's mean interval: chance alone then makes 2 of 5 spikes partners
STEPS = 2  # by which a spike may move at any rate: rounding moves it by one, at each hop
TAU = 20.0  # ms, of van Rossum's distance


@dataclass(frozen=True)
class Comparison:
    """Spikes of a population in a simulation (`expected`) and in the integer model (`found`).

    Attributes:
        label: of the population.
        cells: its size.
        expected, found: numbers of spikes.
        differing: differences of each cell's number of spikes, added up without their signs.
        silent: cells that have spikes in the simulation, and none in the integer model.
        window: ms within which two spikes may count as the same: `WINDOW`, or two time steps, or
            the window in which the target counts, if that is longer. It is `OF_INTERVAL` of a
            cell's mean interval where `WINDOW` is longer than that.
        coincident: share of all spikes that have a partner of their own in the same cell, within
            the window; 1 where there are no spikes.
        distance: van Rossum's (2001, doi:10.1162/089976601300014321) with `TAU`, over all cells,
            relative to the norm of the expected spikes; 0 for equal ones.
    """

    label: str
    cells: int
    expected: int
    found: int
    differing: int
    silent: int
    window: float
    coincident: float
    distance: float

    @property
    def is_dead(self) -> bool:
        """Whether it has spikes in the simulation, and none in the integer model."""
        return self.expected > 0 and self.found == 0


@dataclass(frozen=True)
class Tolerance:
    """How much spikes of a population may differ from those of the simulation.

    Attributes:
        spikes: most that the cells' numbers of spikes may differ, added up over cells, relative to
            the number of spikes; the square root of that number is allowed anyway.
        coincidence: least `Comparison.coincident`, 0 to 1.
        distance: greatest `Comparison.distance`.
    """

    spikes: float = 0.2
    coincidence: float = 0.5
    distance: float = 0.75

    def __post_init__(self) -> None:
        for name, valid, most in (
            ("spikes", "0 or greater", np.inf),
            ("coincidence", "0 to 1", 1.0),
            ("distance", "0 or greater", np.inf),
        ):
            value, must = getattr(self, name), f"a number, {valid}"
            if door.number(f"tolerance.{name}", value, must, lambda x: x >= 0) > most:
                raise door.refused(f"tolerance.{name}", value, must)

    def checks(self, each: Comparison) -> Iterator[Check]:
        """All that is asked of a population. One that is dead never passes."""
        yield Check(
            f"{each.label} fires if it does in the simulation",
            not each.is_dead,
            f"{each.found} spikes instead of {each.expected}, {each.silent} cells fell silent",
        )
        allowed = max(self.spikes * each.expected, np.sqrt(each.expected))
        yield Check(
            f"cells of {each.label} have about as many spikes as in the simulation",
            each.differing <= allowed,
            f"{each.found} instead of {each.expected}, differences of cells add up to "
            f"{each.differing} ({allowed:.0f} may)",
        )
        yield Check(
            f"spikes of {each.label} coincide with those of the simulation",
            each.coincident >= self.coincidence,
            f"{each.coincident:.1%} have a partner within {each.window:g} ms, or a fifth of the "
            f"cell's mean interval ({self.coincidence:.0%} must)",
        )
        yield Check(
            f"spike trains of {each.label} are near those of the simulation",
            each.distance <= self.distance,
            f"van Rossum distance {each.distance:.3f} ({self.distance:g} at most)",
        )


def compare_runs(
    tables: Tables, trace: Trace, recorded: Mapping[str, Spikes], duration: float
) -> tuple[Comparison, ...]:
    """Compare all populations of neurons that were recorded, as far as the run goes.

    Args:
        tables: what was run.
        trace: of the integer model.
        recorded: label -> spikes in the simulation; those after `duration` are left out.
        duration: ms.
    """
    # Where spikes are counted in windows, only the window of a spike means something.
    step = tables.target.model.steps_of_a_spike(tables.fixed.semantics)
    resolution = step * tables.dt
    least = resolution if step > 1 else STEPS * tables.dt

    def told(time: Times) -> Times:
        return time if step == 1 else np.ceil(np.rint(time / tables.dt) / step) * resolution

    comparisons = []
    for population in tables.frame.axons:
        if population.is_source or population.label not in recorded:
            continue
        cell, time = recorded[population.label]
        kept = time <= duration * (1 + 1e-9)
        expected = cell[kept], told(time[kept])
        cell = trace.spikes[:, 1] - population.first
        mine = (cell >= 0) & (cell < population.size)
        found = cell[mine], told(trace.spikes[mine, 0] * tables.dt)
        ends = population.label, population.size
        comparisons.append(compare(*ends, expected, found, duration, least))
    return tuple(comparisons)


def compare(
    label: str,
    size: int,
    expected: Spikes,
    found: Spikes,
    duration: float,
    least: float = 0.0,
) -> Comparison:
    """Compare the spikes of a population.

    Args:
        label: of the population.
        size: number of cells.
        expected: spikes in the simulation.
        found: spikes in the integer model.
        duration: ms.
        least: ms within which spikes count as the same at any rate.
    """
    n, m = (np.bincount(cell, minlength=size) for cell, _ in (expected, found))
    window = np.minimum(WINDOW, OF_INTERVAL * duration / np.maximum(n, 1))
    pairs = _pairs(expected, found, np.maximum(window, least) * (1 + 1e-9))
    total = int(n.sum() + m.sum())
    return Comparison(
        label,
        size,
        int(n.sum()),
        int(m.sum()),
        int(np.abs(n - m).sum()),
        int(((n > 0) & (m == 0)).sum()),
        max(WINDOW, least),
        2 * pairs / total if total else 1.0,
        van_rossum(expected, found),
    )


def _pairs(one: Spikes, other: Spikes, window: Times) -> int:
    """Most pairs of spikes of a cell, no spike in two of them, within the cell's window.

    Of two rows in order of time, the earlier one of the first two spikes has no better partner than
    the other one: both go if they are near enough, else it does. All cells do that side by side.
    """
    mine, theirs = (_rows(spikes, len(window)) for spikes in (one, other))
    at, end = mine.first[:-1].copy(), mine.first[1:]
    of, stop = theirs.first[:-1].copy(), theirs.first[1:]
    live, pairs = np.flatnonzero((at < end) & (of < stop)), 0
    while len(live):
        ahead = mine.time[at[live]] - theirs.time[of[live]]
        near = np.abs(ahead) <= window[live]
        pairs += int(near.sum())
        at[live] += near | (ahead < 0)
        of[live] += near | (ahead > 0)
        live = live[(at[live] < end[live]) & (of[live] < stop[live])]
    return pairs


@dataclass(frozen=True)
class _Rows:
    """Times in order, and where those of each cell begin, [cells + 1]."""

    time: Times
    first: Cells


def _rows(spikes: Spikes, cells: int) -> _Rows:
    cell, time = spikes
    order = np.lexsort((time, cell))
    return _Rows(time[order], np.searchsorted(cell[order], np.arange(cells + 1)))


def van_rossum(expected: Spikes, found: Spikes) -> float:
    """Distance of spikes filtered by exp(-t/TAU), relative to that of the expected from none."""
    cell = np.concatenate([expected[0], found[0]])
    time = np.concatenate([expected[1], found[1]])
    sign = np.concatenate([np.ones(len(expected[0])), -np.ones(len(found[0]))])
    between = _energy(cell, time, sign)
    norm = _energy(*expected, np.ones(len(expected[0])))
    if norm == 0:
        return 0.0 if between == 0 else np.inf
    return float(np.sqrt(max(between, 0.0) / norm))


def _energy(cell: Cells, time: Times, sign: Times) -> float:
    """Integral of the squared sum of sign * exp(-(t - time)/TAU), over all cells, in ms.

    That is TAU/2 times the sum over pairs of a cell of sign_i sign_j exp(-|t_i - t_j|/TAU), which
    is added up in order of time, cells in parallel.
    """
    order = np.lexsort((time, cell))
    cell, time, sign = cell[order], time[order], sign[order]
    first = np.flatnonzero(np.append(True, np.diff(cell) != 0)) if len(cell) else np.zeros(0, int)
    lengths = np.diff(np.append(first, len(cell)))
    trace, last, total = np.zeros(len(first)), np.zeros(len(first)), 0.0
    for rank in range(int(lengths.max(initial=0))):
        live = np.flatnonzero(lengths > rank)
        position = first[live] + rank
        trace[live] *= np.exp((last[live] - time[position]) / TAU) if rank else 0.0
        total += float((sign[position] * (sign[position] + 2 * trace[live])).sum())
        trace[live] += sign[position]
        last[live] = time[position]
    return total * TAU / 2
