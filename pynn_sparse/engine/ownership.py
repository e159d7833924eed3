"""Who advances which neurons, and adds up their input.

Owners are shares of the work; which thread does the work of an owner is decided while it runs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..network import Block

GRAIN = 64  # neurons; shares begin at multiples of it, on cache lines of their own


class Ownership:
    """Who owns which neurons.

    The neurons of a model, over all its blocks, are shared out evenly in their order. So most
    blocks have one owner, and rows of synapses onto them need not be divided.

    Attributes:
        starts: for each block, int32 [n_owner + 1]: owner k has neurons start[k] .. start[k+1] - 1.
    """

    def __init__(self, blocks: list[Block], n_owner: int) -> None:
        total: dict[str, int] = {}
        for block in blocks:
            total[block.model.name] = total.get(block.model.name, 0) + block.size
        before = dict.fromkeys(total, 0)
        self.starts: list[NDArray[np.int32]] = []
        for block in blocks:
            name = block.model.name
            ideal = np.arange(n_owner + 1) * total[name] / n_owner - before[name]
            rounded = np.round(ideal / GRAIN).astype(np.int64) * GRAIN
            start = np.clip(rounded, 0, block.size)
            start[0], start[-1] = 0, block.size
            self.starts.append(start.astype(np.int32))
            before[name] += block.size


def split(index: NDArray[np.int32], starts: NDArray[np.int32]) -> NDArray[np.int32]:
    """Where each owner's part begins in an ascending list of neurons, and where the last ends."""
    return np.searchsorted(index, starts).astype(np.int32)
