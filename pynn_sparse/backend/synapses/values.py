"""Values of the synapses of a projection: new ones for `set`, and matrices of those that it has.

Everything is an array in the order in which the connections are stored; nothing here is of the
size of the connection matrix, except the matrix that a user asks for.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import numpy as np
from lazyarray import larray
from numpy.typing import NDArray

from pynn_sparse.engine.building import laws
from pynn_sparse.engine.sharing import each_of
from pynn_sparse.errors import ParameterError
from pynn_sparse.network.ordering import stable_order

from ... import errors
from ...random import MAX_REDRAWS, NumpyRNG, RandomDistribution
from .. import simulator
from ..doors.plain import PLAIN
from ..native_rng import NativeRNG

NUMBERS_AT_ONCE = 1 << 20  # drawn at a time, so that they stay in the cache
Draw = Callable[[int], NDArray[np.float64]]


class Pairs:
    """Which cells the connections of a projection connect, by indices in its `pre` and `post`.

    Args:
        shape: number of pre- and of postsynaptic cells.
        pre, post: functions that give int64 [n] arrays, in the order of storage.
        label: what errors call the projection.

    Each array is made when it is first asked for.
    """

    def __init__(
        self,
        shape: tuple[int, int],
        pre: Callable[[], NDArray[np.int64]],
        post: Callable[[], NDArray[np.int64]],
        label: str,
    ) -> None:
        self.shape = shape
        self.label = label
        self._pre, self._post = pre, post

    @cached_property
    def pre(self) -> NDArray[np.int64]:
        """Index of each connection's presynaptic cell, [n]."""
        return self._pre()

    @cached_property
    def post(self) -> NDArray[np.int64]:
        """Index of each connection's postsynaptic cell, [n]."""
        return self._post()

    @cached_property
    def key(self) -> NDArray[np.int64]:
        """Place of each connection in the matrix pre x post, row by row, [n]."""
        return self.pre * self.shape[1] + self.post

    @cached_property
    def order(self) -> Any:
        """What sorts connections by `key`: an array of positions, or a slice if they are sorted."""
        key = self.key
        return slice(None) if (key[1:] >= key[:-1]).all() else np.argsort(key)

    @cached_property
    def _first(self) -> NDArray[np.bool_] | None:
        """Of the sorted connections, which are the first of their cells; None if all are."""
        key = self.key[self.order]
        first = np.append(True, key[1:] != key[:-1]) if len(key) else np.zeros(0, bool)
        return None if first.all() else first

    @property
    def repeated(self) -> bool:
        """Whether some cells are connected by several synapses."""
        return self._first is not None

    @cached_property
    def unique(self) -> NDArray[np.int64]:
        """The places in the matrix at which there are connections, ascending, each once."""
        key = self.key[self.order]
        return key if self._first is None else key[self._first]

    def spread(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values of all connections, [n], from those of connected pairs of cells in row order."""
        if self._first is not None:
            values = values[np.cumsum(self._first) - 1]
        stored = np.empty(len(values))
        stored[self.order] = values
        return stored


def stored_values(pairs: Pairs, name: str, value: Any, lazy: Any) -> NDArray[np.float64]:
    """An attribute's new values, in the order of storage; [1] if all are equal.

    `value` is what the user gave for the attribute `name`. If it is a list or an array of one
    dimension it has one value for each connected pair of cells, ordered by pre- and then by
    postsynaptic index; what else it may be is given by `lazy()`, a LazyArray. Raises
    InvalidDimensionsError for another number of values.
    """
    if isinstance(value, list) or (isinstance(value, np.ndarray) and value.ndim == 1):
        given = np.asarray(value, np.float64)
        if len(given) != len(pairs.unique):
            raise errors.InvalidDimensionsError(
                f"{pairs.label}: {name} has {len(given)} values: must be one number, or one for "
                f"each of {len(pairs.unique)} pairs of cells that are connected"
            )
        return pairs.spread(given)
    return _evaluated(pairs, name, lazy())


def _evaluated(pairs: Pairs, name: str, lazy: Any) -> NDArray[np.float64]:
    base = lazy.base_value
    if lazy.is_homogeneous:
        return np.atleast_1d(np.asarray(lazy.evaluate(simplify=True), np.float64))
    if isinstance(base, RandomDistribution):
        return _operated(pairs, name, lazy, pairs.spread(_drawn(pairs, base)))
    if isinstance(base, np.ndarray) and base.shape == pairs.shape:
        return _operated(
            pairs, name, lazy, base[pairs.pre, pairs.post].astype(np.float64, copy=False)
        )
    return _by_column(pairs, name, lazy)


def _operated(
    pairs: Pairs, name: str, lazy: Any, values: NDArray[np.float64]
) -> NDArray[np.float64]:
    """What the operations of a LazyArray make of its values."""
    for operation, operand in lazy.operations:
        if operand is None:
            values = operation(values)
        else:
            other = _evaluated(pairs, name, operand) if isinstance(operand, larray) else operand
            values = operation(values, other)
    return values


def _by_column(pairs: Pairs, name: str, lazy: Any) -> NDArray[np.float64]:
    """Values of functions of indices or distances, which are evaluated for a column at a time."""
    values = np.empty(len(pairs.pre))
    order = stable_order(pairs.post)
    counts = np.bincount(pairs.post, minlength=pairs.shape[1])
    begins = np.concatenate([[0], np.cumsum(counts)])
    pre = pairs.pre[order]
    for column in np.flatnonzero(counts):
        part = slice(begins[column], begins[column + 1])
        values[order[part]] = at_pairs(pairs.label, name, lazy, pre[part], int(column))
    return values


def at_pairs(
    label: str, name: str, lazy: Any, sources: NDArray[np.int64], target: int
) -> float | NDArray[np.float64]:
    """A parameter's values for connections to one cell: one for each, or one for all.

    Raises InvalidParameterValueError if a function that the user gave raises, or gives anything
    but numbers.
    """
    if type(lazy.base_value) in PLAIN and not lazy.operations:
        return float(lazy.base_value)
    with naming(label, name):
        if lazy.is_homogeneous:
            value = np.asarray(lazy.evaluate(simplify=True))
        else:
            value = np.asarray(lazy[sources, target])
        if value.dtype.kind not in "iuf":
            raise TypeError(f"it gives values of type {value.dtype}")
        if value.shape not in ((), (1,), (len(sources),)):
            raise TypeError(f"it gives an array of shape {value.shape} for {len(sources)} pairs")
    number = value.astype(np.float64)
    return float(number) if number.ndim == 0 and lazy.is_homogeneous else np.atleast_1d(number)


@contextlib.contextmanager
def naming(label: str, name: str) -> Iterator[None]:
    """Have what somebody else's function or distribution raises name projection and parameter."""
    try:
        yield
    except Exception as error:
        raise errors.InvalidParameterValueError(
            f"{label}: {name}: must be a number, or a function that gives one for each connection; "
            f"{type(error).__name__}: {error}"
        ) from error


# --- random values ----------------------------------------------------------------------------


def _drawn(pairs: Pairs, law: RandomDistribution) -> NDArray[np.float64]:
    """Random values for the connected pairs of cells, in row order.

    A `NativeRNG` draws one for each. Others draw for every pair of cells, as PyNN's other backends
    do, for the same numbers; they are drawn in parts and those of no use are dropped at once.
    """
    if isinstance(law.rng, NativeRNG):
        return _drawn_native(pairs, law)
    if law.name == "normal_clipped" and isinstance(law.rng, NumpyRNG):
        return _drawn_clipped(pairs, law)
    return _picked(pairs, law.next)


def _drawn_native(pairs: Pairs, law: RandomDistribution) -> NDArray[np.float64]:
    n = len(pairs.unique)
    if law.name not in laws.DRAWN:
        return np.asarray(law.next(n), np.float64).reshape(n)
    try:
        return laws.draw(
            law.name, law.parameters, n, law.rng.seed_of_bulk(), simulator.state.threads
        )
    except ParameterError as error:
        raise errors.InvalidParameterValueError(f"{pairs.label}: {error}") from error


def _parts(pairs: Pairs) -> Iterator[tuple[int, int, slice]]:
    """First and last place of each part of the matrix, and the connected pairs that lie in it."""
    total = pairs.shape[0] * pairs.shape[1]
    for first in range(0, total, NUMBERS_AT_ONCE):
        last = min(first + NUMBERS_AT_ONCE, total)
        begin, end = np.searchsorted(pairs.unique, [first, last])
        yield first, last, slice(int(begin), int(end))


def _picked(pairs: Pairs, draw: Draw) -> NDArray[np.float64]:
    values = np.empty(len(pairs.unique))
    for first, last, part in _parts(pairs):
        numbers = np.asarray(draw(last - first)).reshape(last - first)
        values[part] = numbers[pairs.unique[part] - first]
    return values


def _drawn_clipped(pairs: Pairs, law: RandomDistribution) -> NDArray[np.float64]:
    """As PyNN's: all numbers are drawn first, then those outside the limits again, and again."""
    mu, sigma, low, high = (law.parameters[name] for name in ("mu", "sigma", "low", "high"))
    outside: list[NDArray[np.int64]] = [np.zeros(0, np.int64)]
    drawn = 0

    def draw(n: int) -> NDArray[np.float64]:
        nonlocal drawn
        numbers = law.rng.rng.normal(mu, sigma, n)
        outside.append(drawn + np.flatnonzero((numbers < low) | (numbers > high)))
        drawn += n
        return np.asarray(numbers)

    values = _picked(pairs, draw)
    places = np.concatenate(outside)
    for _ in range(MAX_REDRAWS):
        if not len(places):
            return values
        numbers = law.rng.rng.normal(mu, sigma, len(places))
        _replace(values, pairs.unique, places, numbers)
        places = places[(numbers < low) | (numbers > high)]
    raise errors.InvalidParameterValueError(
        f"{pairs.label}: normal_clipped(mu={mu:g}, sigma={sigma:g}, low={low:g}, high={high:g}) "
        f"has hardly any values between its limits; {MAX_REDRAWS} draws gave none"
    )


def _replace(
    values: NDArray[np.float64],
    places: NDArray[np.int64],
    changed: NDArray[np.int64],
    numbers: NDArray[np.float64],
) -> None:
    """Take over those of the numbers, at the places `changed`, whose place is one of `places`."""
    if len(places):
        where = np.minimum(np.searchsorted(places, changed), len(places) - 1)
        present = places[where] == changed
        values[where[present]] = numbers[present]


# --- matrices ---------------------------------------------------------------------------------


def matrix(
    pairs: Pairs, stored: NDArray[np.float64], order: Callable[[], Any], multiple_synapses: str
) -> NDArray[np.float64]:
    """Values as a matrix pre x post, NaN where there is no connection.

    `order()` gives the order of connections that users see, which says what comes first and last
    of several synapses between two cells.
    """
    filled = _matrix_of_nan(pairs.shape)
    flat = filled.reshape(-1)
    if not pairs.repeated:
        flat[pairs.key] = stored
        return filled
    users = order()
    users = users[np.argsort(pairs.key[users], kind="stable")]
    key = pairs.key[users]
    begins = np.flatnonzero(np.append(True, key[1:] != key[:-1]))
    flat[key[begins]] = _combined(stored[users], begins, multiple_synapses)
    return filled


def _matrix_of_nan(shape: tuple[int, int]) -> NDArray[np.float64]:
    """Filled by all threads, since most of the time is the system's, for memory that is new."""
    filled = np.empty(shape)
    n = simulator.state.threads
    each_of(lambda part: part.fill(np.nan), np.array_split(filled, n), filled.size, n)
    return filled


def _combined(
    values: NDArray[np.float64], begins: NDArray[np.int64], how: str
) -> NDArray[np.float64]:
    """One value of each group of values; groups begin at `begins`."""
    match how:
        case "first":
            return values[begins]
        case "last":
            return values[np.append(begins[1:], len(values)) - 1]
        case "min":
            return np.minimum.reduceat(values, begins)
        case "max":
            return np.maximum.reduceat(values, begins)
    group = np.repeat(np.arange(len(begins)), np.diff(np.append(begins, len(values))))
    return np.asarray(np.bincount(group, weights=values), np.float64)
