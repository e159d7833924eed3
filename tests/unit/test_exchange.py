"""What processes that share a network would have to tell each other."""

from __future__ import annotations

import numpy as np
import pytest
from support import networks

from pynn_sparse.engine import Engine
from pynn_sparse.engine.devices.cpu import CpuDevice
from pynn_sparse.engine.exchange import DryRun
from pynn_sparse.network import Network

STEPS = 300


def recorded(engine: Engine) -> list[list[int]]:
    return [each.tolist() for each in engine.spikes.of(0, engine.network.size)]


def run(network: Network, exchange: DryRun | None) -> Engine:
    network.spikes_wanted[:] = True  # so that all spikes are emitted
    engine = Engine(network, CpuDevice(2), "double", exchange=exchange)
    engine.run_until(STEPS)
    return engine


@pytest.mark.parametrize("plastic", [False, True])
def test_a_dry_run_changes_nothing_and_counts_every_spike(plastic: bool) -> None:
    expected = recorded(run(networks.everything(plastic=plastic), None))
    network = networks.everything(plastic=plastic)
    exchange = DryRun(network, 3)
    engine = run(network, exchange)
    assert recorded(engine) == expected
    emitted = np.unique(np.array(expected), axis=1).shape[1]  # several of one step go as one
    assert not exchange.sent.diagonal().any()
    assert exchange.sent.sum() == 2 * emitted  # to both others
    assert exchange.bytes_sent == 32 * emitted
    assert (exchange.sent.sum(axis=1) > 0).all()
    assert engine._plan is not None
    assert exchange.exchanges >= STEPS / engine._plan.batch


def test_one_process_has_nothing_to_send() -> None:
    network = networks.everything(plastic=False)
    exchange = DryRun(network, 1)
    run(network, exchange)
    assert exchange.exchanges
    assert not exchange.bytes_sent


def test_there_is_one_process_at_least() -> None:
    with pytest.raises(ValueError, match="n_process = 0: must be at least 1"):
        DryRun(networks.everything(), 0)
