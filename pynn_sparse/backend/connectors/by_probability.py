"""Connectors that connect each pair of cells with a probability, one for all or one for each."""

from __future__ import annotations

from copy import copy
from functools import partial
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from pynn_sparse.engine.building import connect
from pynn_sparse.engine.building.stream_places import looking_ahead
from pynn_sparse.notices import warn

from ... import connectors as upstream
from ...parameters import LazyArray
from ...random import NumpyRNG, RandomDistribution
from ..doors.distances import distance_function, probabilities
from ..doors.parameters import shown
from ..native_rng import NativeRNG
from ..synapses.values import NUMBERS_AT_ONCE
from . import arguments
from .bulk import MakeRows, not_connected
from .rule import Rule


class FixedProbabilityConnector(Rule, upstream.FixedProbabilityConnector):
    __doc__ = upstream.FixedProbabilityConnector.__doc__
    arguments: ClassVar = {"p_connect": arguments.probability}

    def expected(self, n_pre: int, n_post: int) -> float:
        """The mean of the number that is drawn."""
        return min(self.p_connect, 1.0) * n_pre * n_post

    def rows(self, projection: Any) -> MakeRows | None:
        """Each pair with the same probability, by random numbers of the engine."""
        if self.allow_self_connections == "NoMutual" or not isinstance(self.rng, NativeRNG):
            return None
        n_pre, n_post = projection.shape
        p, seed = min(self.p_connect, 1.0), self.rng.seed_of_bulk()
        skip = not_connected(self, projection)
        return partial(connect.fixed_probability, n_pre, n_post, p, seed, skip_self=skip)

    def by_column(self, projection: Any) -> None:
        """Connect the cells, many columns at a time."""
        plain = type(self.rng) is NumpyRNG and self.allow_self_connections in (True, False)
        if not plain or self.callback:
            super().by_column(projection)
            return
        parameters = self._parameters_from_synapse_type(projection)
        source, target = self._draw_pairs(*projection.shape)
        if not self.allow_self_connections:
            other = projection._pre_ids[source] != projection._post_ids[target]
            source, target = source[other], target[other]
        counts = np.bincount(target, minlength=projection.shape[1])
        self._connect_columns(projection, source, counts, parameters)

    def _draw_pairs(self, n_pre: int, n_post: int) -> tuple[NDArray[Any], NDArray[Any]]:
        """Indices of connected cells, from the numbers that PyNN draws column by column."""
        generator = self.rng.rng
        at_once = max(1, NUMBERS_AT_ONCE // n_pre)
        sources, targets = [np.zeros(0, np.uint32)], [np.zeros(0, np.uint32)]
        with looking_ahead(generator):  # as PyNN, which draws from a copy of the connector's own
            for first in range(0, n_post, at_once):
                columns = min(at_once, n_post - first)
                drawn = generator.uniform(0, 1, columns * n_pre)
                pair = np.flatnonzero(drawn < self.p_connect).astype(np.uint32)
                target, source = np.divmod(pair, np.uint32(n_pre))
                sources.append(source)
                targets.append(target + np.uint32(first))
        return np.concatenate(sources), np.concatenate(targets)


class ByProbability(Rule):
    """Connects each pair of cells with a probability of its own."""

    rng: Any
    allow_self_connections: Any

    def expected(self, n_pre: int, n_post: int) -> float:
        """It is not known before all probabilities are."""
        return 0.0

    def rows(self, projection: Any) -> None:
        """These are made column by column."""

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
    ByProbability, upstream.DistanceDependentProbabilityConnector
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

    def by_column(self, projection: Any) -> None:
        """Connect the cells of a projection."""
        distances = self._generate_distance_map(projection)

        def compute(i: Any, j: Any) -> Any:
            return self.distance_function(distances.base_value(i, j))

        self._connect_by(projection, "d_expression", self.d_expression, compute, distances)


class IndexBasedProbabilityConnector(ByProbability, upstream.IndexBasedProbabilityConnector):
    __doc__ = upstream.IndexBasedProbabilityConnector.__doc__
    arguments: ClassVar = {"index_expression": arguments.expression_of_indices}

    def by_column(self, projection: Any) -> None:
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
