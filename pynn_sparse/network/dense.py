"""Synapses between most pairs of cells, stored as a matrix in the narrowest type that holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .rows import Rows, Three

if TYPE_CHECKING:
    from .synapses import SynapseTable

LEAST_DENSITY = 0.5  # of pairs between the cells that a table connects
# A synapse of a list takes as long as some eight pairs of a matrix that a processor's cache holds.
LEAST_OF_SMALL, SMALL = 0.12, 1 << 22  # density; pairs
LEAST_SYNAPSES = 2048  # with fewer, looking at a matrix in each step takes longer than it saves
CHUNK = 1 << 22  # pairs that are looked at together
SAMPLE = 1 << 12  # weights of which a grid is looked for first
INTEGERS = (np.int8, np.int16)


class DenseRows(Rows):
    """Rows as a matrix of items; a weight is an item times `grid`, exactly.

    Args:
        item: int8, int16, float32 or float64 [n_source, n_target], 0 where there is no synapse.
        grid: what an item of 1 weighs.
        present: which synapses there are, the bits of [n_source, n_target] in order; None for all.
        n: number of synapses.
        first_target: index in its population of the target of column 0.
        index_type: of targets.
        weight_type: float64 or float32.
        delay: uint8 or uint16 [1].
    """

    def __init__(
        self,
        item: NDArray[Any],
        grid: float,
        present: NDArray[np.uint8] | None,
        n: int,
        first_target: int,
        index_type: type[np.unsignedinteger[Any]],
        weight_type: np.dtype[Any],
        delay: NDArray[Any],
    ) -> None:
        self.item, self.grid, self.present = item, grid, present
        self.first_target = first_target
        self.delay = delay
        self._n, self._index_type, self._weight_type = n, index_type, weight_type

    @classmethod
    def of(cls, table: SynapseTable) -> DenseRows | None:
        """The rows of a table as a matrix; None if it is not dense, or connects a pair twice."""
        target, weight, delay = table.rows.read_all()
        first = int(target.min())
        shape = table.n_source, int(target.max()) - first + 1
        n, pairs = len(target), shape[0] * shape[1]
        if n < (LEAST_DENSITY if pairs > SMALL else LEAST_OF_SMALL) * pairs:
            return None
        items, grid = narrowed(weight)
        if n == pairs and (target.reshape(shape) == np.arange(first, first + shape[1])).all():
            matrix, present = items.reshape(shape), None
        else:
            matrix = np.zeros(shape, items.dtype)
            there = np.zeros(shape, bool)
            for rows, chunk in _chunks(table.row_start, shape[1]):
                length = np.diff(table.row_start[rows.start : rows.stop + 1])
                place = np.repeat(np.arange(len(length)) * shape[1], length)
                place += target[chunk].astype(np.int64) - first
                matrix[rows].reshape(-1)[place] = items[chunk]
                there[rows].reshape(-1)[place] = True
            if np.count_nonzero(there) < n:
                return None
            present = None if n == pairs else np.packbits(there)
        ends = first, table.index_type, weight.dtype
        return cls(matrix, grid, present, n, *ends, delay)

    def arrays(self) -> Three:
        return self.read("target"), self.read("weight"), self.delay

    def read(self, name: str) -> NDArray[Any]:
        if name == "delay":
            return self.delay
        if name == "weight":
            values = self._of_synapses(self.item)
            if values.dtype == self._weight_type and self.grid == 1.0:
                return values
            return np.asarray(values * self.grid, self._weight_type)
        first, n = self.first_target, self.item.shape[1]
        columns = np.arange(first, first + n, dtype=self._index_type)
        return self._of_synapses(np.broadcast_to(columns, self.item.shape))

    def _of_synapses(self, matrix: NDArray[Any]) -> NDArray[Any]:
        """The elements of a matrix where synapses are, row by row."""
        flat: NDArray[Any] = matrix.ravel()
        if self.present is not None:
            flat = flat[np.unpackbits(self.present, count=flat.size).view(bool)]
        return flat

    def write(self, name: str, values: NDArray[Any]) -> Rows:
        """With other weights, or another delay for all, a matrix of the same pairs."""
        if name == "target" or len(values) != (1 if name == "delay" else self._n):
            return self.own().write(name, values)
        item, grid, delay = self.item, self.grid, self.delay
        if name == "delay":
            delay = values
        else:
            items, grid = narrowed(values)
            if self.present is None:
                item = items.reshape(self.item.shape)
            else:
                item = np.zeros(self.item.shape, items.dtype)
                there = np.unpackbits(self.present, count=item.size).view(bool)
                item.reshape(-1)[there] = items
        ends = self.first_target, self._index_type, self._weight_type
        return DenseRows(item, grid, self.present, self._n, *ends, delay)

    def for_changes(self) -> Rows:
        return self

    def is_common(self, name: str) -> bool:
        return name == "delay"

    @property
    def weight_type(self) -> np.dtype[Any]:
        return self._weight_type

    @property
    def nbytes(self) -> int:
        present = 0 if self.present is None else self.present.nbytes
        return int(self.item.nbytes + present + self.delay.nbytes)


def may_be_dense(table: SynapseTable) -> bool:
    """Whether it is worth looking: many weights that differ and add up, and nothing else does.

    Where all weights are equal, there is no array of them.
    """
    if len(table) < LEAST_SYNAPSES:
        return False
    plain = table.rule is None and not len(table.identity) and table.rows.place is None
    if not plain or table.rows.share_weights or table.is_common("weight"):
        return False
    return table.is_common("delay")


def narrowed(weight: NDArray[Any]) -> tuple[NDArray[Any], float]:
    """Items of the narrowest type, and a number, whose products are the weights, exactly.

    A zero that is negative becomes positive.
    """
    grid = _grid(weight[:: max(len(weight) // SAMPLE, 1)])
    if grid and np.abs(weight).max() <= grid * np.iinfo(INTEGERS[-1]).max:
        grid = _grid(weight)
        greatest = np.abs(weight).max() / grid
        for dtype in INTEGERS:
            if greatest <= np.iinfo(dtype).max:
                items = (weight / grid).astype(dtype)
                if (np.asarray(items * grid, weight.dtype) == weight).all():
                    return items, grid
    with np.errstate(over="ignore"):
        single = weight.astype(np.float32)
    if (single.astype(weight.dtype) == weight).all():
        return single, 1.0
    return weight, 1.0


def _grid(weight: NDArray[Any]) -> float:
    """The greatest number of which all weights are multiples; 0.0 if one is 2^62 times a digit.

    Weights are multiples of the last binary digit of any, and so have a greatest common divisor.
    """
    values = weight[weight != 0].astype(np.float64)
    if not len(values):
        return 1.0
    mantissa, exponent = np.frexp(values)
    whole = (np.abs(mantissa) * 2.0**53).astype(np.int64)
    low = np.frexp((whole & -whole).astype(np.float64))[1] - 1  # zeros at the end
    last = int((exponent + low).min()) - 53  # exponent of the last digit that is not 0
    if int(exponent.max()) - last > 62:
        return 0.0
    multiples = np.abs(np.ldexp(values, -last)).astype(np.int64)
    return float(np.ldexp(float(np.gcd.reduce(multiples)), last))


def _chunks(row_start: NDArray[np.int64], n_column: int) -> Any:
    """Some rows at a time, as a slice of rows and one of synapses."""
    n = len(row_start) - 1
    step = max(CHUNK // n_column, 1)
    for first in range(0, n, step):
        end = min(first + step, n)
        yield slice(first, end), slice(int(row_start[first]), int(row_start[end]))
