"""Calls that are refused, and change nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyNN.sparse as sim
import pytest
from pyNN.sparse.simulator import state


def snapshot() -> Any:
    """What a failed call must leave as it was."""
    network = state.network
    return (
        [
            (block.model.name, block.size, block.version, str(block.parameters))
            for block in network.blocks
        ],
        [{k: v.tolist() for k, v in block.initial.items()} for block in network.blocks],
        [(len(t), t.version, t.weight.tolist(), t.delay.tolist()) for t in network.tables],
        len(network.injections),
        [(probe.variable, probe.index.tolist()) for probe in network.probes],
        network.spikes_wanted.tolist(),
        len(state.recorders),
        (state.t, state.dt, state.min_delay, state.max_delay, state.network),
    )


def refused(call: Callable[[], Any], error: type[BaseException], *words: str) -> None:
    """`call` raises exactly that, mentions all words, and changes nothing."""
    before = snapshot()
    with pytest.raises(error) as caught:
        call()
    for word in words:
        assert word in str(caught.value), f"{word!r} is not in: {caught.value}"
    assert snapshot() == before


def cells(n: int = 4, **parameters: Any) -> Any:
    return sim.Population(n, sim.IF_curr_exp(**parameters), label="cells")
