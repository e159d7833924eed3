"""Connections made in bulk by the engine, where no other backend's random numbers are asked for.

That is so for connectors that draw nothing, or from a `NativeRNG`, if weights and delays are
numbers or drawn from a `NativeRNG`, too. All else goes column by column, see `connectors`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pynn_sparse.engine.building import laws
from pynn_sparse.engine.building.builder import Builder, HostBuilder
from pynn_sparse.engine.devices.gpu_builder import GpuBuilder
from pynn_sparse.errors import ParameterError

from ... import errors
from ...random import RandomDistribution
from .. import simulator
from ..native_rng import NativeRNG


def connect_in_bulk(connector: Any, projection: Any) -> bool:
    """Make the connections of a projection at once; False if that cannot be done.

    Raises ConnectionError for parameters that are not valid, and NetworkTooLargeError for more
    synapses than there is memory for, whoever is going to make them.
    """
    make = connector.rows(projection)
    if make is None:
        return False
    parameters = dict(connector._parameters_from_synapse_type(projection).items())
    if not all(map(_in_bulk, parameters.values())):
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
    if gpu is None or connector.on_host or not projection._fits_gpu:
        projection._require_memory()
        return HostBuilder(simulator.state.threads)
    projection._require_memory(gpu)
    return gpu.builder


def not_connected(connector: Any, projection: Any) -> NDArray[np.int64] | None:
    """The target that is the same cell as each source, or -1; None where it may be connected."""
    allowed = connector.allow_self_connections
    return None if allowed else same_cells(projection._pre_ids, projection._post_ids)


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
