"""Rows whose weights are drawn anew whenever they are wanted, instead of being kept."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ...network.rows import Rows, Three, compact
from .. import structures
from . import laws
from .builder import HostBuilder, Work
from .connect import Rows as Connections

SUM_BITS = 62  # of what all synapses of a table may bring, in counts of its own
KEPT = 1 << 20  # weights of so many synapses are kept: they take less time and little memory


def bound_exponent(count: int, greatest: float) -> int:
    """Of counts of 2^-exponent, so that `count` synapses of at most that size stay below 2^62."""
    return min(SUM_BITS - count.bit_length() - int(np.frexp(greatest)[1]), 900)


class Bound(NamedTuple):
    """What one step can bring to each target at most.

    Attributes:
        most: float64 [n_source], spikes that a source emits in a step at most.
        exponent: counts are of 2^-exponent.
        counts: int64 [n_target].
    """

    most: NDArray[np.float64]
    exponent: int
    counts: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Laws:
    """What gives the weights and delays of synapses, as functions of their ends.

    Attributes:
        weight, delay: names and parameters of distributions.
        seeds: of weights and of delays.
        dtype: float64 or float32, of weights.
        steps: per ms, the least and the most, as `laws.draw_steps` takes them.
    """

    weight: tuple[str, Mapping[str, float]]
    delay: tuple[str, Mapping[str, float]]
    seeds: tuple[int, int]
    dtype: DTypeLike
    steps: tuple[float, float, float]

    def weights(self, rows: Connections, builder: HostBuilder) -> NDArray[Any]:
        """A weight for each connection."""
        drawn: NDArray[Any] = laws.draw_weights(
            *self.weight, rows, self.seeds[0], builder, self.dtype
        )
        return drawn

    def drawing(self, rows: Connections, builder: HostBuilder) -> Work:
        """How functions of the library draw the weights."""
        return laws.drawing(*self.weight, rows, self.seeds[0], builder, self.dtype)

    def delays(self, rows: Connections, builder: HostBuilder) -> NDArray[Any]:
        """A delay for each connection, in steps, in the smallest type.

        Raises `ParameterError` for one outside the limits.
        """
        return compact(laws.draw_steps(*self.delay, rows, self.seeds[1], builder, *self.steps))


@dataclass(frozen=True, eq=False)
class Known:
    """What stays known of rows, wherever they are.

    Attributes:
        laws: of weights and delays.
        builder: makes arrays of them.
        extremes: the least and the greatest weight.
        delay_range: the least and the greatest delay, in steps.
        bound: what a step brings, found with the extremes where weights are not kept.
    """

    laws: Laws
    builder: HostBuilder
    extremes: tuple[float, float]
    delay_range: tuple[int, int]
    bound: Bound | None


class DrawnRows(Rows):
    """Connections with their delays, and weights that follow from a law.

    Args:
        known: what is known of them.
        connections: where rows begin and their targets, ascending in each.
        delay: uint8 or uint16 [n].
        weight: [n] where weights are kept as well.
    """

    def __init__(
        self,
        known: Known,
        connections: Connections,
        delay: NDArray[Any],
        weight: NDArray[Any] | None = None,
    ) -> None:
        self.known = known
        self._connections, self._delay, self._weight = connections, delay, weight

    @classmethod
    def drawn(
        cls,
        connections: Connections,
        given: Laws,
        builder: HostBuilder,
        most: NDArray[np.float64],
        n_target: int,
    ) -> DrawnRows:
        """The rows of connections onto `n_target` neurons, whose values are drawn by laws.

        `most` is the number of spikes that each source emits in a step at most. Raises
        `ParameterError` for laws that are not valid, and for delays outside the limits.
        """
        delay, n = given.delays(connections, builder), len(connections)
        weight = bound = None
        if n <= KEPT:
            weight = given.weights(connections, builder)
            extremes = float(weight.min()), float(weight.max())
        else:
            # That is what will be asked for if the greatest weight is about as expected.
            size = laws.greatest(*given.weight, n) * float(most.max(initial=0))
            exponent = bound_exponent(n, size)
            drawing = given.drawing(connections, builder)
            extremes, counts = _surveyed(drawing, builder, most, n_target, exponent, 0.0, 1.0)
            bound = Bound(most, exponent, counts)
        delay_range = int(delay.min()), int(delay.max())
        return cls(Known(given, builder, extremes, delay_range, bound), connections, delay, weight)

    @property
    def extremes(self) -> tuple[float, float]:
        """The least and the greatest weight."""
        return self.known.extremes

    @property
    def delay_range(self) -> tuple[int, int]:
        """The least and the greatest delay, in steps."""
        return self.known.delay_range

    @property
    def differ(self) -> bool:
        """Whether there are different weights, and different delays."""
        return self.extremes[0] < self.extremes[1] and self.delay_range[0] < self.delay_range[1]

    @property
    def keeps_weights(self) -> bool:
        """Whether weights are kept as well."""
        return self._weight is not None

    def connections(self) -> Connections:
        """Where rows begin and their targets, ascending in each."""
        return self._connections

    def delays(self) -> NDArray[Any]:
        """In steps, in the order of targets."""
        return self._delay

    def weights(self) -> NDArray[Any]:
        """In the same order."""
        if self._weight is not None:
            return self._weight
        return self.known.laws.weights(self.connections(), self.known.builder)

    def drawing(self) -> Work:
        """How functions of the library draw the weights."""
        return self.known.laws.drawing(self.connections(), self.known.builder)

    def input_counts(
        self,
        most: NDArray[np.float64],
        n_target: int,
        exponent: int,
        least: float,
        factor: float,
    ) -> NDArray[np.int64]:
        """What a step can bring to each target, as `Survey.input_counts` in `synapses` gives it."""
        bound = self.known.bound
        same = bound is not None and (bound.exponent, 0.0, 1.0) == (exponent, least, factor)
        if bound is not None and same and np.array_equal(most, bound.most):
            return bound.counts
        sizes = n_target, exponent, least, factor
        return _surveyed(self.drawing(), self.known.builder, most, *sizes)[1]

    def arrays(self) -> Three:
        return self.connections().target, self.weights(), self.delays()

    def read(self, name: str) -> NDArray[Any]:
        if name == "weight":
            return self.weights()
        target: NDArray[Any] = self.connections().target
        return target if name == "target" else self.delays()

    def is_common(self, name: str) -> bool:
        return False

    @property
    def weight_type(self) -> np.dtype[Any]:
        return np.dtype(self.known.laws.dtype)

    def weight_range(self, weight: object = None) -> tuple[float, float]:
        return self.extremes

    @property
    def nbytes(self) -> int:
        kept = 0 if self._weight is None else self._weight.nbytes
        return int(self._connections.target.nbytes + self._delay.nbytes + kept)


def _surveyed(
    drawing: Work,
    builder: HostBuilder,
    most: NDArray[np.float64],
    n_target: int,
    exponent: int,
    least: float,
    factor: float,
) -> tuple[tuple[float, float], NDArray[np.int64]]:
    """The extremes of the weights, and what a step can bring to each target."""
    bound = np.zeros(n_target, np.int64)
    scale = float(np.ldexp(1.0, exponent))
    sizes = {"n_target": n_target, "least": least, "factor": factor, "scale": scale}
    work = Work(builder, structures.SURVEY, **sizes).point(most=most, bound=bound)
    low, high = ctypes.c_double(), ctypes.c_double()
    ends = ctypes.byref(low), ctypes.byref(high)
    builder.call("survey_drawn", work.pointer, drawing.pointer, *ends)
    return (low.value, high.value), bound
