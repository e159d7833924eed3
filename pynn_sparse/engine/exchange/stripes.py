"""Which process has which neurons.

Each population is cut evenly, so that all processes have as much of each, whatever its rate and
in-degree. A process has consecutive neurons of it, so that lists in the order of targets, one of
each process after the other, are the list of all. Who has what depends on the population alone, so
that it is known when synapses are made.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...network import Block

GRAIN = 64  # neurons; stripes begin at multiples of it


def stripes(block: Block, n_process: int, grain: int = GRAIN) -> NDArray[np.int32]:
    """Where the neurons of each process begin in a block, and where the last ones end.

    A population that is too small to be cut belongs to one process; such populations take turns.

    Args:
        block: the population.
        n_process: how many processes there are.
        grain: neurons, of which stripes have multiples.

    Returns:
        int32 [n_process + 1]: process k has neurons start[k] .. start[k + 1] - 1.
    """
    n_grain = -(-block.size // grain)
    if n_grain < n_process:
        turn = block.index % n_process
        return np.where(np.arange(n_process + 1) > turn, block.size, 0).astype(np.int32)
    ideal = np.arange(n_process + 1) * n_grain / n_process
    return np.minimum(np.round(ideal).astype(np.int64) * grain, block.size).astype(np.int32)
