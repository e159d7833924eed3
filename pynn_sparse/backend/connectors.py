"""Connectors: PyNN's own, with bulk transfer of what they make to the projection.

Random numbers are drawn in PyNN's order, so that a seed of `NumpyRNG` gives the network that it
gives with PyNN's other backends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pynn_sparse.engine.draws import uniform_pairs

from .. import connectors as upstream
from .. import errors
from ..core import IndexBasedExpression
from ..random import NumpyRNG, RandomDistribution
from . import progress, simulator
from .bulk import connect_in_bulk
from .checks import check_count, check_probability
from .values import NUMBERS_AT_ONCE

Columns = Callable[..., Iterable[Any]]


def source_indices(mask: Any, n_pre: int) -> NDArray[np.int64]:
    """Presynaptic indices from what a connection map gives for a column.

    That is a Boolean array, an array of indices, or one Boolean for the whole column; for a
    population of one cell NumPy makes scalars of the first.
    """
    array = np.asarray(mask)
    if array.dtype == bool:
        return np.flatnonzero(np.broadcast_to(array, (n_pre,)))
    return np.atleast_1d(array).astype(np.int64)


class _BulkConnect:
    """Makes connections column by column, as upstream does, but hands them over as arrays."""

    location_selector: Any
    callback: Any

    def _standard_connect(
        self, projection: Any, connection_map_generator: Columns, distance_map: Any = None
    ) -> None:
        parameters = self._parameters_from_synapse_type(projection, distance_map)  # type: ignore[attr-defined]
        n_pre, n_post = projection.shape
        masks = connection_map_generator()
        if simulator.state.options.progress:
            masks = progress.columns(masks, n_post, projection.label)
        for column, mask in enumerate(masks):
            sources = source_indices(mask, n_pre)
            if len(sources):
                values = {
                    name: lazy.evaluate(simplify=True)
                    if lazy.is_homogeneous
                    else np.atleast_1d(lazy[sources, column])
                    for name, lazy in parameters.items()
                }
                projection._convergent_connect(
                    sources, column, location_selector=self.location_selector, **values
                )
            if self.callback:
                self.callback(column / n_post)


class _InEngine(_BulkConnect):
    """Lets the engine make connections whose random numbers need not be another backend's."""

    def connect(self, projection: Any) -> None:
        """Connect the cells of a projection."""
        if not connect_in_bulk(self, projection):
            super().connect(projection)  # type: ignore[misc]


class AllToAllConnector(_InEngine, upstream.AllToAllConnector):
    __doc__ = upstream.AllToAllConnector.__doc__


class FixedProbabilityConnector(_InEngine, upstream.FixedProbabilityConnector):
    __doc__ = upstream.FixedProbabilityConnector.__doc__

    def __init__(self, p_connect: float, *args: Any, **kwargs: Any) -> None:
        check_probability("p_connect", p_connect)
        super().__init__(p_connect, *args, **kwargs)

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


class DistanceDependentProbabilityConnector(
    _BulkConnect, upstream.DistanceDependentProbabilityConnector
):
    __doc__ = upstream.DistanceDependentProbabilityConnector.__doc__


class IndexBasedProbabilityConnector(_BulkConnect, upstream.IndexBasedProbabilityConnector):
    __doc__ = upstream.IndexBasedProbabilityConnector.__doc__


class DisplacementDependentProbabilityConnector(
    _BulkConnect, upstream.DisplacementDependentProbabilityConnector
):
    __doc__ = upstream.DisplacementDependentProbabilityConnector.__doc__


class FromListConnector(upstream.FromListConnector):
    __doc__ = upstream.FromListConnector.__doc__

    def connect(self, projection: Any) -> None:
        """Make the connections of the list, if all its indices are those of cells."""
        _check_indices(self.conn_list, projection)
        super().connect(projection)


class FromFileConnector(FromListConnector, upstream.FromFileConnector):
    __doc__ = upstream.FromFileConnector.__doc__

    def connect(self, projection: Any) -> None:
        """Read the file and make its connections."""
        upstream.FromFileConnector.connect(self, projection)


def _check_indices(rows: NDArray[np.float64], projection: Any) -> None:
    """Raise ConnectionError for an index that no cell has; upstream drops some of these."""
    for column, (ends, size) in enumerate(zip(("pre", "post"), projection.shape, strict=True)):
        index = rows[:, column] if rows.size else np.zeros(0)
        bad = index[~((index >= 0) & (index < size) & (index == np.floor(index)))]
        if len(bad):
            raise errors.ConnectionError(
                f"{ends}synaptic index {bad[0]:g} in the list of connections of "
                f"{projection.label}: must be an integer from 0 to {size - 1}"
            )


class _OfNumber:
    """Takes a number of connections, `n`."""

    def __init__(self, n: Any, *args: Any, **kwargs: Any) -> None:
        check_count("n", n)
        super().__init__(n, *args, **kwargs)  # type: ignore[call-arg]


class FixedNumberPreConnector(_OfNumber, _InEngine, upstream.FixedNumberPreConnector):
    __doc__ = upstream.FixedNumberPreConnector.__doc__


class FixedNumberPostConnector(_OfNumber, _InEngine, upstream.FixedNumberPostConnector):
    __doc__ = upstream.FixedNumberPostConnector.__doc__


class OneToOneConnector(_BulkConnect, upstream.OneToOneConnector):
    __doc__ = upstream.OneToOneConnector.__doc__

    def connect(self, projection: Any) -> None:
        """Connect cell i to cell i; without looking at the pairs that are not connected."""
        if connect_in_bulk(self, projection):
            return
        n_pre, n_post = projection.shape
        same = ([i] if i < n_pre else [] for i in range(n_post))
        self._standard_connect(projection, lambda: same)


class FixedTotalNumberConnector(_OfNumber, _BulkConnect, upstream.FixedTotalNumberConnector):
    __doc__ = upstream.FixedTotalNumberConnector.__doc__

    def connect(self, projection: Any) -> None:
        """Draw all connections at once, if the generator's numbers can be had in bulk."""
        if connect_in_bulk(self, projection):
            return
        if type(self.rng) is not NumpyRNG:
            super().connect(projection)
            return
        n_pre, n_post = projection.shape
        # Upstream draws here how many synapses each process gets: all of them, but the draw counts.
        share = RandomDistribution("binomial", (self.n, 1.0), rng=self.rng)
        source, target = uniform_pairs(self.rng.rng, int(share.next()), n_pre, n_post)
        order = np.argsort(target, kind="stable")
        ends = np.cumsum(np.bincount(target, minlength=n_post))[:-1]
        columns = np.split(source[order], ends)
        self._standard_connect(projection, lambda: iter(columns))


class CSAConnector(_BulkConnect, upstream.CSAConnector):
    __doc__ = upstream.CSAConnector.__doc__

    def connect(self, projection: Any) -> None:
        """Make the connections of a connection set, with the values that it has, if it has any."""
        csa = upstream.csa
        n_pre, n_post = projection.shape
        finite = csa.cross((0, n_pre - 1), (0, n_post - 1)) * self.cset
        if csa.arity(self.cset) == 0:
            pairs = np.array(list(finite), np.int64).reshape(-1, 2)
            columns = (pairs[pairs[:, 1] == j, 0] for j in range(n_post))
            self._standard_connect(projection, lambda: columns)
            return
        for i, j, weight, delay in finite:
            projection._convergent_connect(np.array([i]), j, weight=weight, delay=delay)


class CloneConnector(_BulkConnect, upstream.CloneConnector):
    __doc__ = upstream.CloneConnector.__doc__


class ArrayConnector(_BulkConnect, upstream.ArrayConnector):
    __doc__ = upstream.ArrayConnector.__doc__

    def connect(self, projection: Any) -> None:
        """Connect where the matrix is True, or 1; upstream takes numbers for indices."""
        array = np.asarray(self.array)
        if array.shape != projection.shape or not np.isin(array, (0, 1)).all():
            raise errors.ConnectionError(
                f"array of ArrayConnector with shape {array.shape}: must be a Boolean matrix of "
                f"shape {projection.shape} for {projection.label}"
            )
        rows = array.astype(bool)
        self._standard_connect(projection, lambda: iter(rows.T))


SmallWorldConnector = upstream.SmallWorldConnector  # upstream's raises NotImplementedError


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
