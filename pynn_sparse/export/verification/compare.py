"""How alike two sets of spikes are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Cells = NDArray[np.int64]
Times = NDArray[np.float64]
WINDOW = 2.0  # ms within which two spikes count as the same
TAU = 20.0  # ms, of van Rossum's distance


@dataclass(frozen=True)
class Comparison:
    """Spikes of a population in a simulation (`expected`) and in the integer model (`found`).

    Attributes:
        label: of the population.
        cells: its size.
        expected, found: numbers of spikes.
        coincident: share of all spikes with a partner within `WINDOW`, 1 where there are none.
        distance: van Rossum's (2001, doi:10.1162/089976601300014321) with `TAU`, over all cells,
            relative to the norm of the expected spikes; 0 for equal ones.
    """

    label: str
    cells: int
    expected: int
    found: int
    coincident: float
    distance: float


def compare(
    label: str, size: int, expected: tuple[Cells, Times], found: tuple[Cells, Times]
) -> Comparison:
    """Compare spikes, given as cell and time (ms)."""
    n, m = len(expected[0]), len(found[0])
    partners = _with_partner(expected, found) + _with_partner(found, expected)
    return Comparison(
        label,
        size,
        n,
        m,
        partners / (n + m) if n + m else 1.0,
        van_rossum(expected, found),
    )


def _with_partner(one: tuple[Cells, Times], other: tuple[Cells, Times]) -> int:
    """Spikes of `one` that have one of `other` within `WINDOW`."""
    if not len(one[0]) or not len(other[0]):
        return 0
    # Cells far apart in time, so that one sorted array holds all.
    apart = max(one[1].max(), other[1].max()) + 2 * WINDOW + 1
    mine, theirs = (np.sort(cell * apart + time) for cell, time in (one, other))
    slack = WINDOW * (1 + 1e-9)
    low = np.searchsorted(theirs, mine - slack)
    return int((np.searchsorted(theirs, mine + slack, "right") > low).sum())


def van_rossum(expected: tuple[Cells, Times], found: tuple[Cells, Times]) -> float:
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
