"""Connections made in bulk by the engine, where no other backend's random numbers are asked for.

That is so for connectors that draw nothing, or from a `NativeRNG`, if weights and delays are
numbers or drawn from a `NativeRNG`, too. All else goes column by column, see `connectors`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pynn_sparse.engine.building import laws
from pynn_sparse.engine.building.builder import Builder, HostBuilder
from pynn_sparse.engine.building.connect import Onto, Rows
from pynn_sparse.engine.devices.gpu_builder import GpuBuilder
from pynn_sparse.engine.exchange.processes import digest
from pynn_sparse.errors import ParameterError
from pynn_sparse.network.rows import index_type

from ... import errors
from ...random import RandomDistribution
from .. import simulator
from ..native_rng import NativeRNG

if TYPE_CHECKING:
    from pynn_sparse.engine.building.drawn_rows import DrawnRows

MakeRows = partial[Rows]
ONE = Rows(np.array([0, 1]), np.zeros(1, np.uint16))  # so that there is a value without synapses


def connect_in_bulk(connector: Any, projection: Any) -> bool:
    """Make the connections of a projection at once; False if that cannot be done.

    Where several processes simulate together, each makes those onto its own cells, if these do not
    depend on the others. Raises ConnectionError for parameters that are not valid, and
    NetworkTooLargeError for more synapses than there is memory for, whoever is going to make them.
    """
    make = connector.rows(projection)
    if make is None:
        return False
    parameters = dict(connector._parameters_from_synapse_type(projection).items())
    if not all(map(_in_bulk, parameters.values())):
        return False
    values = {name: Values.of(lazy) for name, lazy in parameters.items()}
    onto = projection._own_targets if all(each.apart for each in values.values()) else None
    if onto is not None:
        _compare(projection, make, values)
    builder = _builder(connector, projection, onto)
    try:
        rows = make(builder, onto=onto)
        drawn = _drawn_rows(rows, values, builder, projection) if onto is None else None
        if drawn is None:
            weight = values["weight"].weights(rows, builder, simulator.state.scalar)
            steps = values["delay"].steps(rows, builder, projection)
        some = rows if len(rows) else ONE
        more = {name: values[name].weights(some, builder, float) for name in projection._of_rule}
    except ParameterError as error:
        raise errors.ConnectionError(f"{projection.label}: {error}") from error
    if drawn is not None:
        projection._connect_held(rows, drawn)
    elif onto is not None:
        projection._connect_own(rows, weight, steps, more)
    elif len(rows) and isinstance(builder, GpuBuilder):
        projection._connect_on_gpu(builder, rows, weight, steps)
    else:
        projection._connect_rows(rows, weight, steps, more)
    if connector.callback:  # as often as PyNN calls it
        for column in range(projection.shape[1]):
            connector.callback(column / projection.shape[1])
    return True


def _drawn_rows(
    rows: Rows, values: Mapping[str, Values], builder: Builder, projection: Any
) -> DrawnRows | None:
    """Rows whose weights follow from a law; None where weights or delays have to be kept."""
    from pynn_sparse.engine.building.drawn_rows import DrawnRows, Laws
    from pynn_sparse.engine.synapses.units import most_spikes

    weight, delay = values["weight"], values["delay"]
    if weight.seed is None or delay.seed is None or not len(rows) or simulator.state.gpu:
        return None
    if not isinstance(builder, HostBuilder) or not projection._stays_as_made:
        return None
    (pre, begin), (post, first) = projection._stretches
    if first or rows.target.dtype != index_type(post.size):
        return None
    most = most_spikes(pre, begin, len(rows.row_start) - 1)
    given = Laws(
        *(weight.law, delay.law),
        (weight.seed, delay.seed),
        simulator.state.scalar,
        Values.limits(),
    )
    drawn = DrawnRows.drawn(rows, given, builder, most, post.size)
    return drawn if drawn.differ else None


def _compare(projection: Any, make: MakeRows, values: Mapping[str, Values]) -> None:
    """Raise `ProcessesError` if other processes make other connections, or draw other values."""
    parts = {
        "the connections": [make.func.__name__, *make.args, *make.keywords.values()],
        **{f"the {name}": each.description for name, each in values.items()},
    }
    numbers = {f"{name} of {projection.label}": digest(part) for name, part in parts.items()}
    simulator.state.processes.meet_alike("Projection", numbers)


def _builder(connector: Any, projection: Any, onto: Onto) -> Builder:
    """The GPU, where that is the device and can have the connections as they are made there.

    Those from cell i to cell i are few, and looked at on the host: `engine/synapses/drawn.py`. So
    are those that processes have a part of each, whose numbers they compare.
    """
    gpu = simulator.state.gpu
    apart = simulator.state.processes.size > 1
    if gpu is None or apart or connector.on_host or not projection._stays_as_made:
        share = 1.0 if onto is None else (onto[1] - onto[0]) / projection.shape[1]
        projection._require_memory(share)
        return HostBuilder(simulator.state.threads)
    projection._require_memory(gpu=gpu)
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


@dataclass(frozen=True)
class Values:
    """What gives the values of a parameter: a number, or a distribution.

    Attributes:
        given: the number, or the distribution.
        seed: for one that the engine draws, by synapse; None for one whose generator gives numbers
            one after the other.
    """

    given: Any
    seed: int | None = None

    @classmethod
    def of(cls, lazy: Any) -> Values:
        """Those of a parameter, which `_in_bulk` has found to be of this kind."""
        drawn = lazy.base_value
        if not isinstance(drawn, RandomDistribution):
            return cls(float(lazy.evaluate(simplify=True)))
        return cls(drawn, drawn.rng.seed_of_bulk() if drawn.name in laws.DRAWN else None)

    @property
    def drawn(self) -> bool:
        """Whether they differ between synapses."""
        return isinstance(self.given, RandomDistribution)

    @property
    def apart(self) -> bool:
        """Whether a synapse's value does not depend on which others are made."""
        return self.seed is not None or not self.drawn

    @property
    def description(self) -> list[Any]:
        """For processes to compare."""
        law = [self.given.name, *self.given.parameters.items()] if self.drawn else [self.given]
        return [self.seed, *law]

    @property
    def law(self) -> tuple[str, dict[str, float]]:
        """Name and parameters of the distribution."""
        return self.given.name, dict(self.given.parameters)

    @staticmethod
    def limits() -> tuple[float, float, float]:
        """Steps per ms, and those that a delay has at least and at most."""
        state = simulator.state
        per_ms = state.network.grid.steps_per_ms
        return per_ms, state.least_delay_allowed * per_ms, state.max_delay * per_ms

    def weights(self, rows: Rows, builder: Builder, dtype: Any) -> Any:
        """One for each connection where the builder works, or one for all on the host."""
        if not self.drawn:
            return np.array([self.given], dtype)
        if self.seed is None:
            return _placed(self._numbers(rows).astype(dtype), builder)
        return laws.draw_weights(*self.law, rows, self.seed, builder, dtype)

    def steps(self, rows: Rows, builder: Builder, projection: Any) -> Any:
        """The same of delays, in time steps."""
        if self.seed is not None:
            return laws.draw_steps(*self.law, rows, self.seed, builder, *self.limits())
        delay = self._numbers(rows) if self.drawn else np.array([self.given])
        return _placed(projection._delay_steps(delay).astype(np.uint16), builder)

    def _numbers(self, rows: Rows) -> NDArray[np.float64]:
        return np.asarray(self.given.next(len(rows)), float).reshape(len(rows))


def _placed(values: NDArray[Any], builder: Builder) -> Any:
    return values if len(values) <= 1 else builder.put(values)
