"""Which thread advances which neurons, and adds up their input."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..network import Block

GRAIN = 64  # neurons; shares begin at multiples of it, on cache lines of their own


def owner_starts(blocks: list[Block], n_shards: int) -> list[NDArray[np.int32]]:
    """For each block, int32 [n_shards + 1]: thread t owns neurons start[t] .. start[t + 1] - 1.

    The neurons of a model, over all its blocks, are shared out evenly in their order. So most
    blocks have one owner, and rows of synapses onto them need not be divided.
    """
    total: dict[str, int] = {}
    for block in blocks:
        total[block.model.name] = total.get(block.model.name, 0) + block.size
    before = dict.fromkeys(total, 0)
    starts = []
    for block in blocks:
        name = block.model.name
        ideal = np.arange(n_shards + 1) * total[name] / n_shards - before[name]
        rounded = np.round(ideal / GRAIN).astype(np.int64) * GRAIN
        start = np.clip(rounded, 0, block.size)
        start[0], start[-1] = 0, block.size
        starts.append(start.astype(np.int32))
        before[name] += block.size
    return starts


def split(index: NDArray[np.int32], starts: NDArray[np.int32]) -> NDArray[np.int32]:
    """Where each thread's part begins in an ascending list of neurons, and where the last ends."""
    return np.searchsorted(index, starts).astype(np.int32)
