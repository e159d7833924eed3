"""How alike two sets of spikes are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Cells = NDArray[np.int64]
Times = NDArray[np.float64]
Spikes = tuple[Cells, Times]  # cell and time (ms) of each spike
WINDOW = 2.0  # ms within which two spikes may count as the same
OF_INTERVAL = 0.2  # of a cell's mean interval: chance alone then makes 2 of 5 spikes partners
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
