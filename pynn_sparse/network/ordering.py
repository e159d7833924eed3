"""Orders of synapses: what sorts them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def stable_order(key: NDArray[Any]) -> NDArray[np.int64]:
    """What sorts non-negative integers below 2^32, equal ones in the order in which they come."""
    # NumPy's stable sort of 16-bit integers is a radix sort, many times as fast as of longer ones.
    order = np.argsort(key.astype(np.uint16), kind="stable")
    if len(key) and int(key.max()) >= 1 << 16:
        high = (key >> 16).astype(np.uint16)
        order = order[np.argsort(high[order], kind="stable")]
    return np.asarray(order, np.int64)


def sort_repeated(
    order: NDArray[np.int64], same: NDArray[np.bool_], delay: NDArray[Any], weight: NDArray[Any]
) -> None:
    """Sort synapses between the same two neurons by delay, then weight, in place.

    `order` says where the synapses are stored, and `same` [n - 1] which of them connect the
    neurons that the one before connects.
    """
    run = np.concatenate([[0], np.cumsum(~same)])
    several = np.flatnonzero(np.append(same, False) | np.insert(same, 0, False))
    where = order[several]
    order[several] = where[np.lexsort((weight[where], delay[where], run[several]))]


def order_of_values(
    row_start: NDArray[np.int64], target: NDArray[Any], delay: NDArray[Any], weight: NDArray[Any]
) -> NDArray[np.int64]:
    """What sorts synapses in rows by target, source, delay and weight, all ascending.

    `target` has length n, `delay` and `weight` have length n or 1.
    """
    order = stable_order(target)
    if _ascend(row_start, target):
        return order
    rows = np.arange(len(row_start) - 1, dtype=np.uint32)
    source, ordered = np.repeat(rows, np.diff(row_start))[order], target[order]
    same = (source[1:] == source[:-1]) & (ordered[1:] == ordered[:-1])
    if same.any():
        delay, weight = (np.broadcast_to(x, target.shape) for x in (delay, weight))
        sort_repeated(order, same, delay, weight)
    return order


def _ascend(row_start: NDArray[np.int64], target: NDArray[Any]) -> bool:
    """Whether targets ascend in each row, as most connectors make them: then none is repeated."""
    ascends = np.append(target[1:] > target[:-1], True)
    ends = row_start[1:] - 1
    ascends[ends[ends >= 0]] = True
    return bool(ascends.all())
