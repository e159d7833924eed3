"""Connectors that make a number of connections, for each cell or in all."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from pynn_sparse.engine.building import connect
from pynn_sparse.engine.building.builder import Builder
from pynn_sparse.engine.building.connect import Onto, Rows
from pynn_sparse.engine.building.draws import possible_pairs, uniform_pairs
from pynn_sparse.errors import ParameterError
from pynn_sparse.network import memory
from pynn_sparse.network.ordering import stable_order

from ... import connectors as upstream
from ... import errors
from ...random import NumpyRNG, RandomDistribution
from ..native_rng import NativeRNG
from . import arguments
from .bulk import MakeRows, not_connected, same_cells
from .rule import Rule


class ByNumber(Rule):
    """Connects each cell of one side to `n` cells of the other."""

    arguments: ClassVar = {
        "n": arguments.count,
        "allow_self_connections": arguments.self_connections_by_number,
    }
    n: Any
    rng: Any
    allow_self_connections: bool
    with_replacement: bool

    def _bulk_number(self) -> int | None:
        """The number of connections where the engine draws them, else None."""
        native = isinstance(self.rng, NativeRNG) and isinstance(self.n, (int, np.integer))
        return int(self.n) if native else None

    def _expected_each(self, cells: int) -> float:
        """That number for each of so many cells; 0.0 if it is drawn."""
        return float(self.n) * cells if isinstance(self.n, int) else 0.0

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
        if size == 1 and left_out == 0:
            raise errors.ConnectionError(
                f"{type(self).__name__}: n = {n}: must be 0 for a cell that could be connected to "
                "itself only, since allow_self_connections is False"
            )
        if self.with_replacement:
            return self._repeated(n, size, left_out)
        cells = np.arange(size) if left_out < 0 else np.delete(np.arange(size), left_out)
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

    def _rows(self, make: Any, projection: Any, others: int) -> MakeRows | None:
        """`make` of the engine, where each cell has `n` of so many others."""
        n, repeat = self._bulk_number(), self.with_replacement
        if n is None:
            return None
        skip = not_connected(self, projection)
        # PyNN takes every cell once more where there are fewer than asked for.
        if not repeat and n > others - (skip is not None):
            return None
        (n_pre, n_post), seed = projection.shape, self.rng.seed_of_bulk()
        return partial(make, n_pre, n_post, n, seed, with_replacement=repeat, skip_self=skip)


class FixedNumberPreConnector(ByNumber, upstream.FixedNumberPreConnector):
    __doc__ = upstream.FixedNumberPreConnector.__doc__
    # Upstream lists the sources of a target in the order in which they were drawn.
    keeps_order = True

    def expected(self, n_pre: int, n_post: int) -> float:
        """`n` for each postsynaptic cell."""
        return self._expected_each(n_post)

    def rows(self, projection: Any) -> MakeRows | None:
        """`n` for each postsynaptic cell, by random numbers of the engine."""
        return self._rows(connect.fixed_number_pre, projection, projection.shape[0])

    def by_column(self, projection: Any) -> None:
        """Connect each postsynaptic cell to `n` presynaptic ones."""
        self._standard_connect(projection, lambda: self._columns(projection))

    def _columns(self, projection: Any) -> Iterator[NDArray[np.int64]]:
        n_pre, n_post = projection.shape
        same = self._same(projection._post_ids, projection._pre_ids)
        numbers = [self.n] * n_post if isinstance(self.n, int) else self.n.next(n_post)
        for number, left_out in zip(numbers, same.tolist(), strict=True):
            yield self._chosen(self._number(number), n_pre, left_out)


class FixedNumberPostConnector(ByNumber, upstream.FixedNumberPostConnector):
    __doc__ = upstream.FixedNumberPostConnector.__doc__

    def expected(self, n_pre: int, n_post: int) -> float:
        """`n` for each presynaptic cell."""
        return self._expected_each(n_pre)

    def rows(self, projection: Any) -> MakeRows | None:
        """`n` for each presynaptic cell, by random numbers of the engine."""
        return self._rows(connect.fixed_number_post, projection, projection.shape[1])

    def by_column(self, projection: Any) -> None:
        """Connect each presynaptic cell to `n` postsynaptic ones."""
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


class FixedTotalNumberConnector(ByNumber, upstream.FixedTotalNumberConnector):
    """Makes `n` connections in all, between pairs of cells chosen at random.

    With replacement, which is the default, each is drawn from all pairs, so that several may
    connect the same two cells; without, all connect different pairs. `allow_self_connections=False`
    leaves out pairs of a cell with itself. `n` is a whole number, or a RandomDistribution that it
    is drawn from. Raises ConnectionError if there are fewer than `n` pairs, and with_replacement is
    False.
    """

    def expected(self, n_pre: int, n_post: int) -> float:
        """`n` in all."""
        return self._expected_each(1)

    def rows(self, projection: Any) -> MakeRows | None:
        """All pairs are alike if cells may repeat; the engine draws them then, else the host."""
        n, repeat = self._bulk_number(), self.with_replacement
        if n is None:
            return None
        n_pre, n_post = projection.shape
        skip = not_connected(self, projection)
        ends = n_pre, n_post, n, self.rng.seed_of_bulk()
        if repeat and (skip is None or (skip < 0).all()):
            return partial(connect.fixed_total_number, *ends)
        return partial(_different_pairs, *ends, with_replacement=repeat, skip_self=skip)

    def by_column(self, projection: Any) -> None:
        """Draw all connections at once."""
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
        source, target = pairs
        order = stable_order(target)
        counts = np.bincount(target, minlength=n_post)
        parameters = self._parameters_from_synapse_type(projection)
        self._connect_columns(projection, source[order], counts, parameters)
        if self.callback:
            for column in range(n_post):
                self.callback(column / n_post)


def _different_pairs(
    n_pre: int,
    n_post: int,
    n: int,
    seed: int,
    builder: Builder,
    *,
    with_replacement: bool,
    skip_self: NDArray[np.int64] | None,
    onto: Onto = None,
) -> Rows:
    """`n` connections of pairs of cells of which some are left out, or none is taken twice."""
    repeat = {"with_replacement": with_replacement}
    pairs = possible_pairs(NativeRNG(seed), n, n_pre, n_post, skip_self, **repeat)
    return connect.from_pairs(n_pre, n_post, *pairs, builder, onto=onto)


def columns_of(
    source: NDArray[np.int64], target: NDArray[np.int64], n_target: int
) -> list[NDArray[np.int64]]:
    """The sources of each target, in the order in which they are given."""
    order = np.argsort(target, kind="stable")
    ends = np.cumsum(np.bincount(target, minlength=n_target))[:-1]
    return np.split(source[order], ends)
