"""Ways of delivering spikes that are chosen for speed must not change a bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from support.networks import (
    Driven,
    assert_identical,
    change,
    everything,
    random_table,
    result,
    slow,
)

from pynn_sparse.engine import Engine
from pynn_sparse.engine.devices.cpu import EVENT_TIMES, SEGMENT_TIME, CpuDevice
from pynn_sparse.engine.synapses import layout
from pynn_sparse.network import Network, SynapseTable

STOPS = (100, 101, 260, 400)


def run(network: Network, threads: int, step: Callable[[Network, int], None]) -> dict[str, Any]:
    engine = Engine(network, CpuDevice(threads), "double")
    for stop in STOPS:
        engine.run_until(stop)
        step(network, stop)
    return result(engine)


class TestGroupsOfDelays:
    @pytest.mark.parametrize("threads", [1, 2, 3])
    @pytest.mark.parametrize("group", [1, 3, 7, 13])
    def test_same_bits(self, monkeypatch: pytest.MonkeyPatch, group: int, threads: int) -> None:
        expected = run(everything(plastic=False), 1, change)
        monkeypatch.setattr(layout, "best_group", lambda *_: group)
        assert_identical(run(everything(plastic=False), threads, change), expected)

    def test_rows_keep_their_synapses(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Rows are sorted in place; what users see does not change."""
        network = everything(plastic=False)
        before = [seen(table) for table in network.tables]
        monkeypatch.setattr(layout, "best_group", lambda *_: 3)
        run(network, 2, lambda network, stop: None)
        for old, table in zip(before, network.tables, strict=True):
            assert all(map(np.array_equal, old, seen(table)))

    def test_large_networks_are_grouped_and_small_ones_not(self) -> None:
        times = EVENT_TIMES, SEGMENT_TIME
        assert layout.best_group(64, 500.0, 1200.0, *times) < 8
        assert layout.best_group(64, 40.0, 2.0, *times) == 64
        assert layout.best_group(1, 40.0, 1e6, *times) == 1


def seen(table: SynapseTable) -> tuple[NDArray[Any], ...]:
    order = table.order()
    return table.source()[order], table.target[order], table.weight[order], table.delay[order]


@pytest.mark.parametrize("threads", [2, 3])
def test_plastic_networks_may_change(threads: int) -> None:
    """What is remembered of spikes survives changes of the network, for any number of threads."""
    assert_identical(run(everything(), threads, change), run(everything(), 1, change))


class TestBackground:
    """Sources that feed one neuron each are drawn where their spikes arrive."""

    def spikes(self, driven: Driven, threads: int = 1, step: Any = None) -> dict[str, Any]:
        engine = Engine(driven.network, CpuDevice(threads), "double")
        for stop in STOPS:
            engine.run_until(stop)
            if step:
                step(driven, stop)
        found = driven.spikes(engine)
        assert len(found["stamp"]) > 500
        return found

    @pytest.mark.parametrize("threads", [1, 2, 3])
    @pytest.mark.parametrize("spread", [False, True])
    @pytest.mark.parametrize("rate", [8000.0, np.linspace(2000.0, 12000.0, 300)])
    def test_same_bits_as_spikes(self, rate: Any, spread: bool, threads: int) -> None:
        expected = self.spikes(Driven(recorded=True, rate=rate, spread=spread))
        fused = Driven(recorded=False, rate=rate, spread=spread)
        assert_identical(self.spikes(fused, threads), expected)

    def test_changes_act_on_spikes_that_are_emitted_later(self) -> None:
        def change(driven: Driven, stop: int) -> None:
            match stop:
                case 100:
                    driven.poisson.set_parameters(slice(None), {"rate": 15000.0})
                    driven.background.update(weight=[0.2])
                case 101:
                    driven.poisson.set_parameters(slice(20, 30), {"rate": 0.0})
                case 260:
                    random_table(driven.network, driven.poisson, driven.others, "inhibitory", -1, 3)

        expected = self.spikes(Driven(recorded=True), 1, change)
        assert_identical(self.spikes(Driven(recorded=False), 2, change), expected)

    def test_recording_may_begin_and_end(self) -> None:
        expected = self.spikes(Driven(recorded=True))
        switched = self.spikes(Driven(recorded=False), 2, lambda d, stop: d.record(stop == 101))
        assert_identical(switched, expected)

    def test_it_is_used(self) -> None:
        for recorded in (False, True):
            engine = Engine(Driven(recorded=recorded).network, CpuDevice(1), "double")
            engine.run_until(10)
            assert len(engine.backgrounds.open()) == (0 if recorded else 1)


def test_batches_of_steps_change_nothing() -> None:
    """Neurons do as many steps at a time as the least delay allows."""

    engine = Engine(slow(), CpuDevice(2), "double")
    engine.run_until(400)
    assert engine._plan is not None
    assert engine._plan.batch == 10
    stepwise = Engine(slow(), CpuDevice(1), "double")
    for stop in range(1, 401):
        stepwise.run_until(stop)
    assert len(result(engine)["stamp"]) > 1000
    assert_identical(result(engine), result(stepwise))
