"""The network described before it is run, and progress while it runs."""

from __future__ import annotations

import io
import sys
from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest


def build(**options: Any) -> Any:
    sim.setup(timestep=0.1, **options)
    sources = sim.Population(100, sim.SpikeSourcePoisson(rate=20.0))
    given = sim.Population(2, sim.SpikeSourceArray(spike_times=[500.0, 1000.0]))
    neurons = sim.Population(50, sim.IF_curr_exp(tau_m=np.linspace(10, 20, 50)))
    synapse = sim.StaticSynapse(weight=0.1, delay=1.5)
    sim.Projection(sources, neurons, sim.AllToAllConnector(), synapse)
    sim.Projection(given, neurons, sim.AllToAllConnector(), sim.SimpleStochasticSynapse(delay=2.0))
    sim.Projection(neurons, neurons, sim.FixedProbabilityConnector(0.5), synapse)
    return neurons


def test_numbers() -> None:
    build()
    described = sim.describe_network()
    assert described.neurons == 152
    assert [each.model for each in described.populations] == [
        "SpikeSourcePoisson",
        "SpikeSourceArray",
        "IF_curr_exp",
    ]
    assert [each.rate for each in described.populations] == [20.0, 2.0, None]
    first, second, third = described.projections
    assert (first.synapses, first.events, first.delays) == (5000, 100_000.0, (1.5, 1.5))
    assert (second.events, second.dynamics) == (200.0, "SimpleStochasticSynapse")
    assert third.events is None
    assert third.events_per_hz == third.synapses == described.synapses - 5100
    assert described.known_events == 100_200.0
    assert described.events_per_hz == third.synapses
    assert described.bytes > 2 * described.synapses
    assert sim.get_current_time() == 0


def test_expected_events_are_those_that_come() -> None:
    neurons = build()
    described = sim.describe_network()
    neurons.record("spikes")
    sim.run(1000.0)
    assert sim.describe_network() == described


def test_text() -> None:
    build()
    text = str(sim.describe_network())
    for words in ("SpikeSourcePoisson", "0 → 2", "152 cells", "per Hz", "KiB", "1.5 to 1.5"):
        assert words in text
    sim.setup()
    assert "0 cells" in str(sim.describe_network())


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_of_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    import pyNN.sparse.progress as progress

    monkeypatch.setattr(progress, "DELAY", 0.0)
    monkeypatch.setattr(progress, "BETWEEN_REPORTS", 0.001)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    neurons = build(progress=True)
    neurons.record("spikes")
    sim.run(500.0)
    assert "biological second" in terminal.getvalue()
    assert "/500 ms" in terminal.getvalue()
    with_bar = neurons.get_data().segments[0].spiketrains
    other = build()
    other.record("spikes")
    sim.run(500.0)
    without = other.get_data().segments[0].spiketrains
    assert all(map(np.array_equal, with_bar, without))


def test_quiet_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    build(progress=True)
    sim.run(100.0)
    assert capsys.readouterr().err == ""


def test_progress_is_a_flag() -> None:
    with pytest.raises(ValueError, match="progress = 'yes': must be True or False"):
        sim.setup(progress="yes")


def test_the_network_knows_the_labels() -> None:
    sim.setup()
    pre, post = (sim.Population(2, sim.IF_curr_exp(), label=each) for each in ("a", "b"))
    projection = sim.Projection(pre, post, sim.AllToAllConnector(), sim.StaticSynapse())
    network = sim.simulator.state.network
    assert [(each.index, each.label) for each in network.blocks] == [(0, "a"), (1, "b")]
    assert [(each.index, each.label) for each in network.tables] == [(0, "a→b")]
    post.label, projection.label = "c", "there"
    assert (network.blocks[1].label, network.tables[0].label) == ("c", "there")
