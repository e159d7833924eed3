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
