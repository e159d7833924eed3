"""Where the arrays of a synapse table are, and how they are read and written."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from .ordering import order_of_values

if TYPE_CHECKING:
    from .dynamics import Rule

ARRAYS = ("target", "weight", "delay")
Three = tuple[Any, Any, Any]


class Rows(ABC):
    """The arrays `target`, `weight` and `delay` of a table, in the order of storage.

    An array of length 1, which is on the host, stands for a value that all synapses share.

    Attributes:
        place: None where the arrays are, or can be made, on the host; else what makes networks on
            the device that has them.
        are_own: whether they belong to the table alone, so that writing leaves them where they are.
        share_weights: whether they are those of `shared.SharedRows`, of which a kernel is stored.
    """

    place: Any = None
    are_own: ClassVar[bool] = False
    share_weights: ClassVar[bool] = False

    @abstractmethod
    def arrays(self) -> Three:
        """All three where they are, or made for the caller."""

    @abstractmethod
    def read(self, name: str) -> NDArray[Any]:
        """One of them on the host, to be looked at."""

    @abstractmethod
    def is_common(self, name: str) -> bool:
        """Whether all synapses share one "weight" or "delay"."""

    def read_all(self) -> Three:
        """All three on the host, to be looked at."""
        target, weight, delay = (self.read(name) for name in ARRAYS)
        return target, weight, delay

    def write(self, name: str, values: NDArray[Any]) -> Rows:
        """Rows of the table's own with other values in one array; these stay as they are."""
        return self.own().write(name, values)

    def own(self) -> OwnRows:
        """The same on the host, for a table alone to write to."""
        return OwnRows(*self.read_all())

    def for_changes(self) -> Rows:
        """Rows to call `write` on for several arrays, which makes them no more than once."""
        return self.own()

    @property
    def weight_type(self) -> np.dtype[Any]:
        """Type of the weights."""
        return self.read("weight").dtype

    def weight_range(self, weight: Any) -> tuple[float, float]:
        """The least and the greatest of the weights, which `arrays` gave."""
        return float(weight.min()), float(weight.max())

    @property
    def nbytes(self) -> int:
        """Bytes of all three."""
        return sum(int(each.nbytes) for each in self.arrays())


class OwnRows(Rows):
    """Arrays on the host that belong to the table alone.

    Args:
        target: uint16 or uint32 [n].
        weight: float64 or float32 [n], or [1].
        delay: uint8 or uint16 [n], or [1].
    """

    are_own = True

    def __init__(self, target: NDArray[Any], weight: NDArray[Any], delay: NDArray[Any]) -> None:
        self._arrays = {"target": target, "weight": weight, "delay": delay}

    def arrays(self) -> Three:
        target, weight, delay = self._arrays.values()
        return target, weight, delay

    def read(self, name: str) -> NDArray[Any]:
        return self._arrays[name]

    def is_common(self, name: str) -> bool:
        return len(self._arrays[name]) == 1

    def write(self, name: str, values: NDArray[Any]) -> Rows:
        return OwnRows(**{**self._arrays, name: values})

    def own(self) -> OwnRows:
        return self


class Waits(NamedTuple):
    """Steps that the spikes of a table wait, least and greatest.

    Attributes:
        delay: until they arrive.
        lag: until delivery, where weights learn.
        slack: from delivery until they arrive, at least.
    """

    delay: tuple[int, int]
    lag: tuple[int, int]
    slack: int


class Starts(Protocol):
    """What says where rows begin, without storing it."""

    def row_start(self) -> NDArray[np.int64]:
        """Where rows begin and end, int64 [rows + 1]."""


class InRows:
    """What a table has in rows by source neuron: where they begin, and access to their arrays.

    The arrays may come to be elsewhere; `moves` counts that. `_note_rows` has to follow each change
    of weights or delays.
    """

    first_source: int
    n_source: int
    rule: Rule | None
    moves: int
    _rows: Rows
    _n: int
    _starts: NDArray[np.int64] | Starts
    _mixed: bool
    _waits: Waits | None = None

    def _begin_rows(self, starts: NDArray[np.int64] | Starts, n: int, n_source: int) -> None:
        self._starts = starts
        self._n, self.n_source = n, n_source

    def _note_rows(self, waits: Waits | None = None) -> None:
        self._mixed = not (self.is_common("weight") or self.is_common("delay"))
        self._waits = waits

    def __len__(self) -> int:
        return self._n

    @property
    def row_start(self) -> NDArray[np.int64]:
        """Where rows begin and end, int64 [n_source + 1]; made anew where it is not stored."""
        starts = self._starts
        return starts if isinstance(starts, np.ndarray) else starts.row_start()

    def source(self) -> NDArray[np.int64]:
        """Index in `pre` of each synapse's source, in the order of storage."""
        rows = np.arange(self.first_source, self.first_source + self.n_source)
        return np.repeat(rows, np.diff(self.row_start))

    def _order_of_values(self) -> NDArray[np.int64]:
        return order_of_values(self.row_start, self.target, self.delay, self.weight)

    @property
    def mixed(self) -> bool:
        """Whether synapses have different weights and delays."""
        return self._mixed

    @property
    def waits(self) -> Waits:
        """Steps that spikes wait. Where lags differ, rows are sorted by them."""
        if self._waits is None:
            delay, lags = self.delay, (0, 0)
            delays = int(delay.min()), int(delay.max())
            slack = delays[0]
            if self.rule is not None and self.rule.learns:
                lag = self.rule.lag(delay)
                lags, slack = (int(lag.min()), int(lag.max())), int((delay - lag).min())
            self._waits = Waits(delays, lags, slack)
        return self._waits

    def is_common(self, name: str) -> bool:
        """Whether all synapses share one "weight" or "delay"."""
        return self._rows.is_common(name)

    @property
    def rows(self) -> Rows:
        """Where the arrays are."""
        return self._rows

    @rows.setter
    def rows(self, rows: Rows) -> None:
        """Have the arrays elsewhere, as in a form that an engine needs and stores only once."""
        self._rows = rows
        self.moves += 1

    def take_back(self) -> None:
        """Have arrays of its own again."""
        self._have(self._rows.own())

    def _have(self, rows: Rows) -> None:
        if rows is not self._rows:
            self.rows = rows

    def arrays(self) -> Three:
        """`target`, `weight` and `delay` on the host, its own or made for the caller."""
        return self._rows.read_all()

    @property
    def target(self) -> NDArray[Any]:
        """Index in `post` of each synapse's target."""
        return self._rows.read("target")

    @property
    def weight(self) -> NDArray[Any]:
        """Weights, one for each synapse or one for all."""
        return self._rows.read("weight")

    @weight.setter
    def weight(self, values: NDArray[Any]) -> None:
        self._write("weight", values)

    @property
    def delay(self) -> NDArray[Any]:
        """Delays in steps, one for each synapse or one for all."""
        return self._rows.read("delay")

    @delay.setter
    def delay(self, values: NDArray[Any]) -> None:
        self._write("delay", values)

    def _write(self, name: str, values: NDArray[Any]) -> None:
        before = self._rows
        self._rows = before.write(name, values)
        self.moves += not before.are_own


def index_type(n: int) -> type[np.unsignedinteger[Any]]:
    """The smallest type that holds indices of n neurons."""
    return np.uint16 if n <= 1 << 16 else np.uint32


def common(values: NDArray[Any]) -> NDArray[Any]:
    """One value if all are equal. The array belongs to the caller from now on."""
    equal = len(values) > 1 and bool(np.all(values == values[0]))
    kept: NDArray[Any] = values[:1].copy() if equal else np.ascontiguousarray(values)
    return kept


def each_of(values: NDArray[Any], n: int) -> NDArray[Any]:
    """A value for each of n synapses, since each is going to change."""
    each: NDArray[Any] = np.array(np.broadcast_to(values, (n,)))
    return each


def compact(delay: NDArray[Any]) -> NDArray[Any]:
    """Delays in the smallest type that holds them."""
    return delay.astype(np.uint8 if delay.max(initial=0) < 1 << 8 else np.uint16, copy=False)
