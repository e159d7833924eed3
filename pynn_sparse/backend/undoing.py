"""Making several populations and projections, or none of them."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .. import common
from . import simulator


@contextmanager
def all_or_nothing() -> Iterator[None]:
    """Leave the simulation as it was if something cannot be made. All that is made is appended."""
    state, network = simulator.state, simulator.state.network
    lists: list[list[Any]] = [
        *(network.tables, network.junctions, network.injections, state.projections),
        *(network.modulations, network.synapse_probes, state.synapse_recorders),
    ]
    lengths = [len(each) for each in lists]
    blocks, recorders = len(network.blocks), set(state.recorders)
    numbers = common.Population._nPop, common.Projection._nProj  # in default labels
    sources = copy.copy(state._sources)
    try:
        yield
    except BaseException:
        for each, length in zip(lists, lengths, strict=True):
            del each[length:]
        for block in reversed(network.blocks[blocks:]):
            network.remove_last_block(block)
        state.recorders, state._sources = recorders, sources
        common.Population._nPop, common.Projection._nProj = numbers
        raise
