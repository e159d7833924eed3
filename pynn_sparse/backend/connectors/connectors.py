"""Connectors: PyNN's own, with bulk transfer of what they make to the projection.

Random numbers are drawn in PyNN's order, so that a seed of `NumpyRNG` gives the network that it
gives with PyNN's other backends.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from functools import partial
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from pynn_sparse.engine.building.draws import possible_pairs, uniform_pairs
from pynn_sparse.errors import ParameterError
from pynn_sparse.network import memory
from pynn_sparse.notices import warn

from ... import connectors as upstream
from ... import errors
from ...core import IndexBasedExpression
from ...parameters import LazyArray
from ...random import NumpyRNG, RandomDistribution
from ..doors.distances import distance_function, probabilities
from ..doors.parameters import shown
from ..synapses.values import NUMBERS_AT_ONCE
from . import arguments as arguments
from .arguments import Checked
from .bulk import connect_in_bulk, same_cells
from .by_column import ByColumn
from .lists import (
    ArrayConnector,
    CloneConnector,
    CSAConnector,
    FromFileConnector,
    FromListConnector,
)


class _InEngine(ByColumn):
    """Lets the engine make connections whose random numbers need not be another backend's."""

    def connect(self, projection: Any) -> None:
        """Connect the cells of a projection."""
        if not connect_in_bulk(self, projection):
            super().connect(projection)  # type: ignore[misc]


class AllToAllConnector(_InEngine, upstream.AllToAllConnector):
    __doc__ = f"""{upstream.AllToAllConnector.__doc__}
    With allow_self_connections='NoMutual' a cell is connected neither to itself nor to a cell that
    is connected to it.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        given = self._checked(args, kwargs)
        allowed = given.pop("allow_self_connections", True)
        # Upstream's constructor takes Booleans only, but its `connect` knows the word.
        upstream.AllToAllConnector.__init__(self, **given)
        self.allow_self_connections = allowed


class FixedProbabilityConnector(_InEngine, upstream.FixedProbabilityConnector):
    __doc__ = upstream.FixedProbabilityConnector.__doc__
    arguments: ClassVar = {"p_connect": arguments.probability}

    def connect(self, projection: Any) -> None:
        """Connect the cells of a projection, many columns at a time if nothing else is drawn."""
        parameters = self._parameters_from_synapse_type(projection)
        alone = all(lazy.is_homogeneous for _, lazy in parameters.items())
        plain = type(self.rng) is NumpyRNG and self.allow_self_connections in (True, False)
        if not (alone and plain) or self.callback:
            super().connect(projection)
            return
        projection._require_memory()
        values = {
            name: np.array([parameters[name].evaluate(simplify=True)], float)
            for name in ("weight", "delay", *projection._of_rule)
        }
        source, target = self._draw_pairs(*projection.shape)
        if not self.allow_self_connections:
            other = projection._pre_ids[source] != projection._post_ids[target]
            source, target = source[other], target[other]
        projection._connect_pairs(source, target, values)

    def _draw_pairs(self, n_pre: int, n_post: int) -> tuple[NDArray[Any], NDArray[Any]]:
        """Indices of connected cells, from the numbers that PyNN draws column by column."""
        generator = self.rng.rng
        before = generator.get_state(legacy=False)
        at_once = max(1, NUMBERS_AT_ONCE // n_pre)
        sources, targets = [np.zeros(0, np.uint32)], [np.zeros(0, np.uint32)]
        for first in range(0, n_post, at_once):
            columns = min(at_once, n_post - first)
            drawn = generator.uniform(0, 1, columns * n_pre)
            pair = np.flatnonzero(drawn < self.p_connect).astype(np.uint32)
            target, source = np.divmod(pair, np.uint32(n_pre))
            sources.append(source)
            targets.append(target + np.uint32(first))
        generator.set_state(before)  # as PyNN's, which draws from a copy of the connector's own
        return np.concatenate(sources), np.concatenate(targets)


class _ByProbability(ByColumn):
    """Connects each pair of cells with a probability of its own."""

    rng: Any
    allow_self_connections: Any

    def _connect_by(self, projection: Any, what: str, given: Any, compute: Any, d: Any) -> None:
        """`compute(i, j)` gives the probabilities of pairs; `d` are distances, if they are used."""
        name, greatest = f"{type(self).__name__}: {what}", 1.0

        def probability(i: Any, j: Any) -> NDArray[np.float64]:
            nonlocal greatest
            n = np.broadcast(i, j).size
            found = probabilities(name, given, lambda: compute(i, j), n)
            greatest = max(greatest, float(found.max(initial=0.0)))
            return found

        law = RandomDistribution("uniform", (0, 1), rng=self.rng)
        chosen = LazyArray(law, projection.shape) < LazyArray(probability, projection.shape)
        if not self.allow_self_connections:
            chosen *= self._get_connection_map_no_self_connections(projection)
        elif self.allow_self_connections == "NoMutual":
            chosen *= self._get_connection_map_no_mutual_connections(projection)
        self._standard_connect(projection, chosen.by_column, d)
        if greatest > 1:
            warn(
                f"{name} = {shown(given)} gives values up to {greatest:g} in {projection.label}; "
                "a probability greater than 1 is taken as 1",
            )


class DistanceDependentProbabilityConnector(
    _ByProbability, upstream.DistanceDependentProbabilityConnector
):
    """Connects each pair of cells with a probability that depends on their distance.

    `d_expression` is an expression of the distance `d`, such as "exp(-d/100)" or "d < 3", or a
    function of an array of distances; it gives a probability, or True or False. It may use NumPy's
    functions by their names. The other arguments are those of all connectors of this kind.
    Raises InvalidParameterValueError for what gives no probabilities; greater ones than 1 are taken
    as 1, with a warning.
    """

    arguments: ClassVar = {"d_expression": arguments.expression_of_distance}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        given = self._checked(args, kwargs)
        expression = given["d_expression"]
        # Upstream's constructor evaluates the text; its connect(), which is not called, needs it.
        upstream.DistanceDependentProbabilityConnector.__init__(
            self, **given | {"d_expression": "1"}
        )
        self.d_expression = expression
        name = f"{type(self).__name__}: d_expression"
        if isinstance(expression, str):
            self.distance_function = distance_function(name, expression)
            for d in (0.0, 1e12):  # as upstream
                probabilities(name, expression, partial(self.distance_function, d), 1)
        else:
            self.distance_function = expression

    def connect(self, projection: Any) -> None:
        """Connect the cells of a projection."""
        distances = self._generate_distance_map(projection)

        def compute(i: Any, j: Any) -> Any:
            return self.distance_function(distances.base_value(i, j))

        self._connect_by(projection, "d_expression", self.d_expression, compute, distances)


class IndexBasedProbabilityConnector(_ByProbability, upstream.IndexBasedProbabilityConnector):
    __doc__ = upstream.IndexBasedProbabilityConnector.__doc__
    arguments: ClassVar = {"index_expression": arguments.expression_of_indices}

    def connect(self, projection: Any) -> None:
        """Connect the cells of a projection."""
        expression = copy(self.index_expression)  # so that the connector does not change
        expression.projection = projection
        self._connect_by(projection, *self._named, expression, None)

    @property
    def _named(self) -> tuple[str, Any]:
        return "index_expression", self.index_expression


class DisplacementDependentProbabilityConnector(
    IndexBasedProbabilityConnector, upstream.DisplacementDependentProbabilityConnector
):
    """Connects each pair of cells with a probability that depends on their displacement.

    `disp_function` is an expression of the displacement `d`, an array [3, n] or [3] in which d[0]
    is that along x, such as "exp(-abs(d[0]))", or a function of it. The other arguments are those
    of all connectors of this kind.
    """

    arguments: ClassVar = {"disp_function": arguments.expression_of_distance}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        given = self._checked(args, kwargs)
        self.disp_function = function = given.pop("disp_function")
        if isinstance(function, str):
            function = distance_function(f"{type(self).__name__}: disp_function", function)
        # Upstream's own constructor drops some of the arguments.
        upstream.IndexBasedProbabilityConnector.__init__(
            self, self.DisplacementExpression(function), **given
        )

    @property
    def _named(self) -> tuple[str, Any]:
        return "disp_function", self.disp_function


class _ByNumber(_InEngine):
    """Connects each cell of one side to `n` cells of the other."""

    arguments: ClassVar = {
        "n": arguments.count,
        "allow_self_connections": arguments.self_connections_by_number,
    }
    n: Any
    rng: Any
    allow_self_connections: bool
    with_replacement: bool

    def _number(self, drawn: Any) -> int:
        """A number of connections, which may have been drawn."""
        return drawn if isinstance(drawn, int) else self._drawn(drawn)

    def _drawn(self, number: Any) -> int:
        return arguments.as_count(f"{type(self).__name__}: n", self.n, number)

    def _same(self, cells: Any, others: Any) -> NDArray[np.int64]:
        """For each of the cells the index of the other that it is not connected to, or -1."""
        allowed = self.allow_self_connections
        return np.full(len(cells), -1) if allowed else same_cells(cells, others)

    def _chosen(self, n: int, size: int, left_out: int) -> NDArray[np.int64]:
        """n cells of `size`, without one, by the random numbers that upstream draws."""
        if n == 0:
            return np.zeros(0, np.int64)
        if size - (left_out >= 0) == 0:
            raise errors.ConnectionError(
                f"{type(self).__name__}: n = {n}: must be 0 for a cell that could be connected to "
                "itself only, since allow_self_connections is False"
            )
        if self.with_replacement:
            return self._repeated(n, size, left_out)
        cells = np.arange(size)
        cells = cells[cells != left_out]
        # Where there are fewer than n, all are taken as often as possible, and then some more.
        often, more = divmod(n, len(cells))
        memory.require(8.0 * n, f"{n} connections of a cell")
        rest: NDArray[np.int64] = self.rng.permutation(cells)[:more] if more else cells[:0]
        return np.concatenate([*[cells] * often, rest]) if often else rest

    def _repeated(self, n: int, size: int, left_out: int) -> NDArray[np.int64]:
        memory.require(8.0 * n, f"{n} connections of a cell")
        limits = {"low": 0, "high": size}
        found = np.asarray(self.rng.next(n, "uniform_int", limits, mask=None), np.int64)
        again = np.flatnonzero(found == left_out)
        while len(again):
            found[again] = self.rng.next(len(again), "uniform_int", limits, mask=None)
            again = again[found[again] == left_out]
        return found


class FixedNumberPreConnector(_ByNumber, upstream.FixedNumberPreConnector):
    __doc__ = upstream.FixedNumberPreConnector.__doc__

    def connect(self, projection: Any) -> None:
        """Connect each postsynaptic cell to `n` presynaptic ones."""
        if not connect_in_bulk(self, projection):
            self._standard_connect(projection, lambda: self._columns(projection))

    def _columns(self, projection: Any) -> Iterator[NDArray[np.int64]]:
        n_pre, n_post = projection.shape
        same = self._same(projection._post_ids, projection._pre_ids)
        numbers = [self.n] * n_post if isinstance(self.n, int) else self.n.next(n_post)
        for number, left_out in zip(numbers, same.tolist(), strict=True):
            yield self._chosen(self._number(number), n_pre, left_out)


class FixedNumberPostConnector(_ByNumber, upstream.FixedNumberPostConnector):
    __doc__ = upstream.FixedNumberPostConnector.__doc__

    def connect(self, projection: Any) -> None:
        """Connect each presynaptic cell to `n` postsynaptic ones."""
        if connect_in_bulk(self, projection):
            return
        n_pre, n_post = projection.shape
        targets = []
        for left_out in self._same(projection._pre_ids, projection._post_ids).tolist():
            number = self.n if isinstance(self.n, int) else self.n.next()
            targets.append(self._chosen(self._number(number), n_post, left_out))
        counts = [len(each) for each in targets]
        source = np.repeat(np.arange(n_pre), counts)
        self._standard_connect(
            projection, lambda: iter(columns_of(source, np.concatenate(targets), n_post))
        )


class OneToOneConnector(ByColumn, upstream.OneToOneConnector):
    __doc__ = upstream.OneToOneConnector.__doc__

    def connect(self, projection: Any) -> None:
        """Connect cell i to cell i; without looking at the pairs that are not connected."""
        if connect_in_bulk(self, projection):
            return
        n_pre, n_post = projection.shape
        same = ([i] if i < n_pre else [] for i in range(n_post))
        self._standard_connect(projection, lambda: same)


class FixedTotalNumberConnector(_ByNumber, upstream.FixedTotalNumberConnector):
    """Makes `n` connections in all, between pairs of cells chosen at random.

    With replacement, which is the default, each is drawn from all pairs, so that several may
    connect the same two cells; without, all connect different pairs. `allow_self_connections=False`
    leaves out pairs of a cell with itself. `n` is a whole number, or a RandomDistribution that it
    is drawn from. Raises ConnectionError if there are fewer than `n` pairs, and with_replacement is
    False.
    """

    def connect(self, projection: Any) -> None:
        """Draw all connections at once."""
        if connect_in_bulk(self, projection):
            return
        n_pre, n_post = projection.shape
        n = self._number(self.n if isinstance(self.n, int) else self.n.next())
        same = self._same(projection._pre_ids, projection._post_ids)
        if self.with_replacement and (same < 0).all() and type(self.rng) is NumpyRNG:
            # Upstream draws here how many synapses each process gets: all of them, but the draw
            # counts.
            share = RandomDistribution("binomial", (n, 1.0), rng=self.rng)
            pairs = uniform_pairs(self.rng.rng, int(share.next()), n_pre, n_post)
        else:
            try:
                pairs = possible_pairs(
                    self.rng, n, n_pre, n_post, same, with_replacement=self.with_replacement
                )
            except ParameterError as error:
                raise errors.ConnectionError(f"{projection.label}: {error}") from error
        self._standard_connect(projection, lambda: iter(columns_of(*pairs, n_post)))


class SmallWorldConnector(Checked, upstream.SmallWorldConnector):
    """A connector that PyNN declares and no backend has."""

    arguments: ClassVar = {"rewiring": arguments.probability}

    def connect(self, projection: Any) -> None:
        """Raise NotImplementedError."""
        raise NotImplementedError(
            "SmallWorldConnector is not implemented by PyNN; FromListConnector or ArrayConnector "
            "take connections that are made otherwise"
        )


def columns_of(
    source: NDArray[np.int64], target: NDArray[np.int64], n_target: int
) -> list[NDArray[np.int64]]:
    """The sources of each target, in the order in which they are given."""
    order = np.argsort(target, kind="stable")
    ends = np.cumsum(np.bincount(target, minlength=n_target))[:-1]
    return np.split(source[order], ends)


def expected_synapses(connector: Any, n_pre: int, n_post: int) -> float:
    """How many synapses a connector is going to make; 0 where that is not known beforehand."""
    n = getattr(connector, "n", 0)
    n = n if isinstance(n, int) else 0
    match connector:
        case upstream.AllToAllConnector():
            return float(n_pre) * n_post
        case upstream.FixedProbabilityConnector():
            return min(connector.p_connect, 1.0) * n_pre * n_post
        case upstream.FixedNumberPreConnector():
            return float(n) * n_post
        case upstream.FixedNumberPostConnector():
            return float(n) * n_pre
        case upstream.FixedTotalNumberConnector():
            return float(n)
    return 0.0


__all__ = [
    "AllToAllConnector",
    "ArrayConnector",
    "CSAConnector",
    "CloneConnector",
    "DisplacementDependentProbabilityConnector",
    "DistanceDependentProbabilityConnector",
    "FixedNumberPostConnector",
    "FixedNumberPreConnector",
    "FixedProbabilityConnector",
    "FixedTotalNumberConnector",
    "FromFileConnector",
    "FromListConnector",
    "IndexBasedExpression",
    "IndexBasedProbabilityConnector",
    "OneToOneConnector",
    "SmallWorldConnector",
]
