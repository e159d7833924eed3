"""Connections made column by column, as PyNN's own code makes them, and handed over as arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...parameters import LazyArray, ParameterSpace
from .. import progress, simulator
from ..synapses.values import at_pairs
from .arguments import Checked

Columns = Callable[..., Iterable[Any]]
NONE = np.zeros(0, np.int64)


def source_indices(mask: Any, n_pre: int) -> NDArray[np.int64]:
    """Presynaptic indices from what a connection map gives for a column.

    That is a Boolean array, an array of indices, or one Boolean for the whole column; for a
    population of one cell NumPy makes scalars of the first.
    """
    array = np.asarray(mask)
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
        label, (n_pre, n_post) = projection.label, projection.shape
        shared = {name: lazy for name, lazy in parameters.items() if lazy.is_homogeneous}
        values = {name: at_pairs(label, name, lazy, NONE, 0) for name, lazy in shared.items()}
        own = {name: lazy for name, lazy in parameters.items() if name not in shared}
        masks = connection_map_generator()
        if simulator.state.options.progress:
            masks = progress.columns(masks, n_post, label)
        for column, mask in enumerate(masks):
            sources = source_indices(mask, n_pre)
            if len(sources):
                values |= {
                    name: at_pairs(label, name, lazy, sources, column) for name, lazy in own.items()
                }
                projection._convergent_connect(sources, column, **values)
            if self.callback:
                self.callback(column / n_post)

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
