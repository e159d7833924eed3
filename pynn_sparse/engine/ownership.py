"""Who advances which neurons, and adds up their input.

Owners are shares of the work; which thread does the work of an owner is decided while it runs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..network import Block
from .exchange.stripes import GRAIN as GRAIN_OF_STRIPES
from .exchange.stripes import stripes

GRAIN = 64  # neurons; shares begin at multiples of it, on cache lines of their own


class Ownership:
    """Who owns which neurons.

    The neurons of a model that a process has, over all its blocks, are shared out evenly in their
    order. So most blocks have one owner, and rows of synapses onto them need not be divided.

    Args:
        blocks: the network's.
        n_owner: owners of this process.
        rank, n_process: its number, and how many share the network.
        grain: of the processes' stripes, see `stripes`.

    Attributes:
        starts: for each block, int32 [n_owner + 1]: owner k has neurons start[k] .. start[k+1] - 1.
        shards: for each block, int32 [n_shard + 1], the same for the lists of spikes of a step:
            those of processes before this one, of its owners, and of processes after it.
        before: number of processes before this one.
    """

    def __init__(
        self,
        blocks: list[Block],
        n_owner: int,
        rank: int = 0,
        n_process: int = 1,
        grain: int = GRAIN_OF_STRIPES,
    ) -> None:
        parts = [stripes(block, n_process, grain) for block in blocks]
        total: dict[str, int] = {}
        for block, part in zip(blocks, parts, strict=True):
            mine = int(part[rank + 1] - part[rank])
            total[block.model.name] = total.get(block.model.name, 0) + mine
        before = dict.fromkeys(total, 0)
        self.before = rank
        self.starts: list[NDArray[np.int32]] = []
        self.shards: list[NDArray[np.int32]] = []
        for block, part in zip(blocks, parts, strict=True):
            name, first, size = block.model.name, part[rank], part[rank + 1] - part[rank]
            ideal = np.arange(n_owner + 1) * total[name] / n_owner - before[name]
            rounded = np.round(ideal / GRAIN).astype(np.int64) * GRAIN
            start = np.clip(rounded, 0, size)
            start[0], start[-1] = 0, size
            self.starts.append((first + start).astype(np.int32))
            self.shards.append(np.concatenate([part[:rank], self.starts[-1], part[rank + 2 :]]))
            before[name] += int(size)


def split(index: NDArray[np.int32], starts: NDArray[np.int32]) -> NDArray[np.int32]:
    """Where each owner's part begins in an ascending list of neurons, and where the last ends."""
    return np.searchsorted(index, starts).astype(np.int32)
