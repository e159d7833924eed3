"""Connections made in bulk by the engine, where no other backend's random numbers are asked for.

That is so for connectors that draw nothing, or from a `NativeRNG`, if weights and delays are
numbers or drawn from a `NativeRNG`, too. All else goes column by column, see `connectors`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pynn_sparse.engine.building import connect, laws
from pynn_sparse.engine.building.builder import Builder, HostBuilder
from pynn_sparse.engine.building.connect import Rows
from pynn_sparse.engine.building.draws import possible_pairs
from pynn_sparse.engine.devices.gpu_builder import GpuBuilder
from pynn_sparse.errors import ParameterError

from ... import connectors as upstream
from ... import errors
from ...random import RandomDistribution
from .. import simulator
from ..native_rng import NativeRNG

MakeRows = Callable[[Builder], Rows]


def connect_in_bulk(connector: Any, projection: Any) -> bool:
    """Make the connections of a projection at once; False if that cannot be done.

    Raises ConnectionError for parameters that are not valid, and NetworkTooLargeError for more
    synapses than there is memory for, whoever is going to make them.
    """
    parameters = dict(connector._parameters_from_synapse_type(projection).items())
    make = _maker(connector, projection)
    if make is None or not all(map(_in_bulk, parameters.values())):
        projection._require_memory()
        return False
    builder = _builder(connector, projection)
    try:
        rows = make(builder)
        n = len(rows)
        weight = _weights(parameters["weight"], n, builder)
        steps = _steps(parameters["delay"], n, builder, projection)
        more = {name: _drawn(parameters[name], n) for name in projection._of_rule}
    except ParameterError as error:
        raise errors.ConnectionError(f"{projection.label}: {error}") from error
    if n and isinstance(builder, GpuBuilder):
        projection._connect_on_gpu(builder, rows, weight, steps)
    else:
        projection._connect_rows(rows, weight, steps, more)
    if connector.callback:  # as often as PyNN calls it
        for column in range(projection.shape[1]):
            connector.callback(column / projection.shape[1])
    return True


def _builder(connector: Any, projection: Any) -> Builder:
    """The GPU, where that is the device and can have the connections as they are made there.

    Those from cell i to cell i are few, and looked at on the host: `engine/synapses/drawn.py`.
    """
    gpu = simulator.state.gpu
    alone = isinstance(connector, upstream.OneToOneConnector)
    if gpu is None or alone or not projection._fits_gpu:
        projection._require_memory()
        return HostBuilder(simulator.state.threads)
    projection._require_memory(gpu)
    return gpu.builder


def _maker(connector: Any, projection: Any) -> MakeRows | None:
    """What makes the rows of a connector, or None if that is up to PyNN."""
    n_pre, n_post = projection.shape
    if isinstance(connector, upstream.OneToOneConnector):
        return lambda builder: connect.one_to_one(n_pre, n_post, builder)
    allowed = connector.allow_self_connections
    if allowed not in (True, False):  # "NoMutual"
        return None
    skip = None if allowed else same_cells(projection._pre_ids, projection._post_ids)
    if isinstance(connector, upstream.AllToAllConnector):
        return lambda builder: connect.all_to_all(n_pre, n_post, builder, skip_self=skip)
    if not isinstance(connector.rng, NativeRNG):
        return None
    if isinstance(connector, upstream.FixedProbabilityConnector):
        p = min(connector.p_connect, 1.0)
        seed = connector.rng.seed_of_bulk()
        return lambda builder: connect.fixed_probability(
            n_pre, n_post, p, seed, builder, skip_self=skip
        )
    return _maker_by_number(connector, n_pre, n_post, skip)


def _maker_by_number(
    connector: Any, n_pre: int, n_post: int, skip: NDArray[np.int64] | None
) -> MakeRows | None:
    if not isinstance(connector.n, (int, np.integer)):
        return None
    n = int(connector.n)
    if isinstance(connector, upstream.FixedTotalNumberConnector):
        return _maker_of_total(connector, n, n_pre, n_post, skip)
    before = isinstance(connector, upstream.FixedNumberPreConnector)
    repeat = connector.with_replacement
    # PyNN takes every cell once more where there are fewer than asked for.
    if not repeat and n > (n_pre if before else n_post) - (skip is not None):
        return None
    seed = connector.rng.seed_of_bulk()
    make = connect.fixed_number_pre if before else connect.fixed_number_post
    return lambda builder: make(
        n_pre, n_post, n, seed, builder, with_replacement=repeat, skip_self=skip
    )


def _maker_of_total(
    connector: Any, n: int, n_pre: int, n_post: int, skip: NDArray[np.int64] | None
) -> MakeRows:
    """All pairs are alike if cells may repeat; the engine draws them then, else the host."""
    if connector.with_replacement and (skip is None or (skip < 0).all()):
        seed = connector.rng.seed_of_bulk()
        return lambda builder: connect.fixed_total_number(n_pre, n_post, n, seed, builder)

    def make(builder: Builder) -> Rows:
        pairs = possible_pairs(
            connector.rng, n, n_pre, n_post, skip, with_replacement=connector.with_replacement
        )
        return connect.from_pairs(n_pre, n_post, *pairs, builder)

    return make


def same_cells(cells: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each of the cells, the index of the same one among the others, or -1."""
    order = np.argsort(others)
    place = order[np.minimum(np.searchsorted(others, cells, sorter=order), len(others) - 1)]
    return np.where(others[place] == cells, place, -1)


def _in_bulk(lazy: Any) -> bool:
    drawn = lazy.base_value
    if isinstance(drawn, RandomDistribution) and not lazy.operations:
        return isinstance(drawn.rng, NativeRNG)
    return bool(lazy.is_homogeneous)


def _drawn(lazy: Any, n: int) -> NDArray[np.float64]:
    """Values of a parameter, one for all or one for each connection."""
    if isinstance(lazy.base_value, RandomDistribution):
        return np.asarray(lazy.base_value.next(n), float).reshape(n)
    return np.array([lazy.evaluate(simplify=True)], float)


def _weights(lazy: Any, n: int, builder: Builder) -> Any:
    """One for each connection where the builder works, or one for all on the host."""
    drawn, scalar = lazy.base_value, simulator.state.scalar
    if not isinstance(drawn, RandomDistribution):
        return np.array([lazy.evaluate(simplify=True)], scalar)
    if drawn.name in laws.DRAWN:
        seed = drawn.rng.seed_of_bulk()
        return laws.draw(drawn.name, drawn.parameters, n, seed, builder, scalar)
    return _placed(np.asarray(drawn.next(n)).reshape(n).astype(scalar), builder)


def _steps(lazy: Any, n: int, builder: Builder, projection: Any) -> Any:
    """Delays in time steps, where weights are."""
    drawn, state = lazy.base_value, simulator.state
    if isinstance(drawn, RandomDistribution) and drawn.name in laws.DRAWN:
        per_ms = state.network.grid.steps_per_ms
        limits = (state.least_delay_allowed * per_ms, state.max_delay * per_ms)
        seed = drawn.rng.seed_of_bulk()
        law = drawn.name, drawn.parameters
        return laws.draw_steps(*law, n, seed, builder, per_ms, *limits)
    if isinstance(drawn, RandomDistribution):
        delay = np.asarray(drawn.next(n), float).reshape(n)
        return _placed(projection._delay_steps(delay).astype(np.uint16), builder)
    delay = np.array([lazy.evaluate(simplify=True)], float)
    return projection._delay_steps(delay).astype(np.uint16)


def _placed(values: NDArray[Any], builder: Builder) -> Any:
    return values if len(values) <= 1 else builder.put(values)
