"""Values of connections that PyNN draws column by column, drawn for all columns at once.

The generator is NumPy's `RandomState`. Its numbers come one after the other from one stream, so
that those of all columns are those of one long draw, but for a law that draws some of them again:
`normal_clipped` does so at the end of each column, from the stream that the next one goes on with.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pynn_sparse.engine.building.stream_places import way_back

from ...random import MAX_REDRAWS, NumpyRNG, RandomDistribution
from .values import at_pairs, naming

# Laws whose n numbers are what n draws of one number give.
ONE_BY_ONE = frozenset(
    "uniform uniform_int normal normal_clipped_to_boundary exponential lognormal gamma".split()
)
CLIPPED = "normal_clipped"
MOST_AGAIN = 0.5  # of the numbers, that are drawn again; beyond, column by column


def all_at_once(lazy: Any) -> bool:
    """Whether `of_columns` draws a parameter's values from one stream, without calling the user."""
    law = lazy.base_value
    known = type(law) is RandomDistribution and type(law.rng) is NumpyRNG
    return known and not lazy.operations and law.name in (*ONE_BY_ONE, CLIPPED)


def of_columns(
    label: str, name: str, lazy: Any, source: NDArray[Any], counts: NDArray[np.int64]
) -> NDArray[np.float64]:
    """A parameter's values for connections that are ordered by target, [n].

    Args:
        label: of the projection.
        name: of the parameter.
        lazy: a LazyArray of the shape of the projection, whose generators are drawn from.
        source: presynaptic index of each connection, [n].
        counts: number of connections of each target.

    Raises InvalidParameterValueError as `at_pairs` does.
    """
    if all_at_once(lazy):
        law = lazy.base_value
        with naming(label, name):
            if law.name in ONE_BY_ONE:
                return np.asarray(law.next(int(counts.sum())), np.float64)
            drawn = _clipped(law, counts)
        if drawn is not None:
            return drawn
    values, begin = np.empty(len(source)), 0
    for target in np.flatnonzero(counts).tolist():
        part = slice(begin, begin := begin + int(counts[target]))
        values[part] = at_pairs(label, name, lazy, source[part].astype(np.int64), target)
    return values


def _clipped(law: RandomDistribution, counts: NDArray[np.int64]) -> NDArray[np.float64] | None:
    """Numbers between limits; None, with nothing drawn, where too many would be drawn again."""
    mu, sigma, low, high = (law.parameters[name] for name in ("mu", "sigma", "low", "high"))
    n, generator = int(counts.sum()), law.rng.rng
    go_back = way_back(generator)
    stream = generator.normal(mu, sigma, n)
    outside = (stream > high) | (stream < low)
    again = int(np.count_nonzero(outside))
    if not again:
        return np.asarray(stream)
    rounds = None
    if again <= MOST_AGAIN * n:
        # What is drawn again is drawn again in the same proportion, and so on.
        more = int(1.1 * again / (1 - again / n)) + 1000
        stream = np.concatenate([stream, generator.normal(mu, sigma, more)])
        outside = (stream > high) | (stream < low)
        rounds = _rounds(outside, counts[counts > 0])
    if rounds is None:
        go_back()
        return None
    place: Any = np.arange(n)
    values = np.empty(n)
    for begins, lengths in rounds:
        ends = np.cumsum(lengths)
        taken = np.arange(ends[-1]) + np.repeat(begins - (ends - lengths), lengths)
        values[place] = stream[taken]
        place = place[outside[taken]]
    return values


def _rounds(
    outside: NDArray[np.bool_], counts: NDArray[np.int64]
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]] | None:
    """Where in the stream columns begin and how long they are, in each round of drawing.

    The first round is that of all columns, the second of those with numbers outside the limits, and
    so on. None if the stream is too short, or a column takes too many rounds.
    """
    until = np.concatenate([np.zeros(1, np.int64), np.cumsum(outside)]).data
    rounds: list[tuple[list[int], list[int]]] = []
    at, end = 0, len(outside)
    for count in counts.tolist():
        number = 0
        while count:
            if number == len(rounds):
                rounds.append(([], []))
            begins, lengths = rounds[number]
            begins.append(at)
            lengths.append(count)
            last = at + count
            if last > end or number > MAX_REDRAWS:
                return None
            count = until[last] - until[at]
            at = last
            number += 1
    return [(np.array(begins), np.array(lengths)) for begins, lengths in rounds]
