"""Connections made column by column, as PyNN's own code makes them, and handed over as arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pynn_sparse.engine.sharing import each_of

from ...parameters import LazyArray, ParameterSpace
from .. import progress, simulator
from ..synapses.columns import all_at_once, of_columns
from ..synapses.values import at_pairs
from .arguments import Checked

Columns = Callable[..., Iterable[Any]]
NONE = np.zeros(0, np.uint32)


def source_indices(mask: Any, n_pre: int) -> NDArray[np.int64]:
    """Presynaptic indices from what a connection map gives for a column.

    That is a Boolean array, an array of indices, or one Boolean for the whole column; for a
    population of one cell NumPy makes scalars of the first.
    """
    array = np.asarray(mask)
    if array.dtype == np.int64 and array.ndim:
        return array
    if array.dtype == bool:
        return np.flatnonzero(np.broadcast_to(array, (n_pre,)))
    return np.atleast_1d(array).astype(np.int64)


class ByColumn(Checked):
    """Makes connections column by column, as upstream does, but hands them over as arrays."""

    location_selector: Any
    callback: Any

    def _parameters_from_synapse_type(
        self, projection: Any, distance_map: Any = None
    ) -> ParameterSpace:
        """Parameters of the connections as upstream has them, with distances only where needed."""
        space = projection.synapse_type.native_parameters
        if distance_map is None and not any(callable(each.base_value) for _, each in space.items()):
            space.shape = projection.shape
            return space
        made: ParameterSpace = super()._parameters_from_synapse_type(projection, distance_map)  # type: ignore[misc]
        return made

    def _standard_connect(
        self, projection: Any, connection_map_generator: Columns, distance_map: Any = None
    ) -> None:
        parameters = self._parameters_from_synapse_type(projection, distance_map)
        n_pre, n_post = projection.shape
        masks = connection_map_generator()
        if simulator.state.options.progress:
            masks = progress.columns(masks, n_post, projection.label)
        sources = [NONE]
        for column, mask in enumerate(masks):
            sources.append(source_indices(mask, n_pre).astype(np.uint32))
            if self.callback:
                self.callback(column / n_post)
        counts = np.array([len(each) for each in sources[1:]], np.int64)
        self._connect_columns(projection, np.concatenate(sources), counts, parameters)

    def _connect_columns(
        self,
        projection: Any,
        source: NDArray[Any],
        counts: NDArray[np.int64],
        parameters: Any,
        values: Any = MappingProxyType({}),
    ) -> None:
        """Make connections that are ordered by target, of which each has `counts`.

        `parameters` are evaluated, for all columns at once where that can be done; `values` are
        those that there are already, [n].
        """
        if not len(source):
            return
        label, lazies = projection.label, dict(parameters.items())

        def value(name: str) -> NDArray[Any]:
            if lazies[name].is_homogeneous:
                return np.atleast_1d(at_pairs(label, name, lazies[name], source[:0], 0))
            return of_columns(label, name, lazies[name], source, counts)

        # Each law has a generator of its own.
        together = [name for name, lazy in lazies.items() if all_at_once(lazy)]
        n = len(source) * len(together)
        drawn = each_of(value, together, n, simulator.state.threads)
        every = {**values, **dict(zip(together, drawn, strict=True))}
        every |= {name: value(name) for name in lazies if name not in together}
        if not every.keys() >= {"weight", "delay", *projection._of_rule}:
            every = projection._defaults | every
        projection._connect_pairs(source, np.repeat(np.arange(len(counts)), counts), every)

    def _get_connection_map_no_self_connections(self, projection: Any) -> LazyArray:
        pre, post = projection._pre_ids, projection._post_ids
        return LazyArray(lambda i, j: pre[i] != post[j], shape=projection.shape)

    def _get_connection_map_no_mutual_connections(self, projection: Any) -> LazyArray:
        """Of the two connections between two cells that are in both groups, that to the lower ID.

        In a projection within a population that is the lower index, as in upstream's code, which
        has no other projections.
        """
        pre, post = projection._pre_ids, projection._post_ids
        both_pre, both_post = np.isin(pre, post), np.isin(post, pre)
        return LazyArray(
            lambda i, j: (pre[i] > post[j]) | ~(both_pre[i] & both_post[j]), shape=projection.shape
        )
