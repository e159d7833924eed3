"""What happened before a change is not lost, and counts once; however long ago it was."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
from numpy.typing import NDArray
from pyNN.parameters import Sequence


def stdp(**options: Any) -> Any:
    timing = {"tau_plus": 20.0, "tau_minus": 20.0, "A_plus": 0.01, "A_minus": 0.012}
    given = {name: options.pop(name, value) for name, value in timing.items()}
    rule, limits = sim.SpikePairRule(**given), sim.AdditiveWeightDependence(w_min=0, w_max=1)
    return sim.STDPMechanism(rule, limits, weight=0.5, delay=options.pop("delay", 1.0), **options)


def pair(times: list[float], threads: int = 1, **options: Any) -> tuple[Any, Any]:
    """A plastic synapse onto a neuron that fires regularly."""
    sim.setup(timestep=0.1, threads=threads)
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=times))
    target = sim.Population(1, sim.IF_curr_exp(i_offset=2.0, tau_refrac=2.0))
    target.record(["spikes", "v"])
    return target, sim.Projection(source, target, sim.AllToAllConnector(), stdp(**options))


def weight(projection: Any) -> float:
    (value,) = projection.get("weight", format="list", with_address=False)
    return float(value)


def trace(population: Any) -> NDArray[np.float64]:
    return np.asarray(population.get_data().segments[-1].analogsignals[0].magnitude)


class TestPlasticity:
    @pytest.mark.parametrize("tau", [5.0, 20.0])
    @pytest.mark.parametrize("pieces", [1, 7])
    def test_a_source_that_is_silent_for_long(self, tau: float, pieces: int) -> None:
        """Against the sum over all pairs: what the target did just after the spike counts."""
        target, projection = pair([10.0, 15000.0], tau_plus=tau, tau_minus=tau)
        for stop in np.linspace(0, 15000, pieces + 1)[1:]:
            sim.run_until(float(np.round(stop, 1)))
        found = weight(projection)
        fired = target.get_data("spikes").segments[0].spiketrains[0].magnitude + 1.0
        before, after = fired[fired < 10.0], fired[(fired > 10.0) & (fired < 15000.0)]
        expected = 0.5 - 0.012 * np.exp((before - 10.0) / tau).sum()
        expected += 0.01 * np.exp((10.0 - after) / tau).sum()
        expected -= 0.012 * np.exp((fired[fired < 15000.0] - 15000.0) / tau).sum()
        assert found == pytest.approx(expected, abs=1e-12)

    @pytest.mark.parametrize("threads", [1, 7])
    def test_a_source_that_fires_at_time_0(self, threads: int) -> None:
        _, projection = pair([0.0, 200.0], threads)
        sim.run(100.0)
        sim.Population(1000, sim.IF_curr_exp())
        sim.run(150.0)
        found = weight(projection)
        _, projection = pair([0.0, 200.0])
        sim.run(250.0)
        assert found == weight(projection)

    def test_time_constants(self) -> None:
        """What was remembered goes on with the new one."""
        weights = []
        for tau in (20.0, 20.0000001):
            _, projection = pair([10.0, 150.0])
            sim.run(100.0)
            projection.set(tau_minus=tau)
            weight(projection)
            sim.run(100.0)
            weights.append(weight(projection))
        assert weights[0] == pytest.approx(weights[1], abs=1e-9)
        two = sim.Population(2, sim.IF_curr_exp())
        several = sim.Projection(two, two, sim.AllToAllConnector(), stdp())
        own = np.array([[10.0, 20.0], [30.0, 40.0]])
        with pytest.raises(NotImplementedError, match="must be set before the first run"):
            several.set(tau_plus=own)

    def test_many_changes_take_no_memory(self) -> None:
        from pyNN.sparse import simulator

        _, projection = pair([10.0])
        for k in range(20):
            projection.set(tau_minus=20.0 + k)
            sim.run(1.0)
        assert len(simulator.state.require_engine().plasticity._histories) == 1


@pytest.mark.parametrize("factor", [1e-2, 1e-4, 1e-6])
def test_input_on_its_way_when_weights_become_tiny(factor: float) -> None:
    """Poisson input that is drawn where it arrives, and such that is emitted."""
    found = []
    for recorded in (False, True):
        sim.setup(timestep=0.1, threads=1)
        sources = sim.Population(5, sim.SpikeSourcePoisson(rate=5000.0))
        neurons = sim.Population(5, sim.IF_curr_exp())
        if recorded:
            sources.record("spikes")
        strong = sim.StaticSynapse(weight=0.06, delay=10.0)
        projection = sim.Projection(sources, neurons, sim.OneToOneConnector(), strong)
        neurons.record("v")
        sim.run(50.0)
        projection.set(weight=0.06 * factor)
        sim.run(20.0)
        found.append(trace(neurons))
    assert np.abs(found[0] - found[1]).max() < 1e-9


def test_bins_of_a_source_are_looked_for_anew() -> None:
    def source(*bins: float) -> dict[str, Sequence]:
        n = len(bins)
        return {
            "tbins": Sequence(bins),
            "a": Sequence([3.0] * n),
            "b": Sequence([0.01, 0.001][:n]),
        }

    sim.setup(timestep=0.1)
    sources = sim.Population(50, sim.SpikeSourceInhGamma(**source(0.0, 50.0)))
    sources.record("spikes")
    sim.run(100.0)
    for bins in ((0.0,), (0.0, 5000.0)):
        sources.set(**source(*bins))
        before = sum(sources.get_spike_counts().values())
        sim.run(1000.0)
        count = sum(sources.get_spike_counts().values()) - before
        assert count == pytest.approx(50 * 1000.0 / 30.0, rel=0.1)  # a b = 30 ms


@pytest.mark.parametrize("reset", [False, True])
def test_spike_times_that_are_replaced_at_time_0(reset: bool) -> None:
    sim.setup(timestep=0.1)
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[0.02]))
    source.record("spikes")
    if reset:
        sim.run(1.0)
        sim.reset()
    source.set(spike_times=[0.0, 5.0])
    sim.run(10.0)
    (train,) = source.get_data().segments[-1].spiketrains
    assert train.magnitude.tolist() == [0.0, 5.0]


class TestCheckpoints:
    """Of changes that no run has taken over yet, and into a simulation that has run."""

    def go_on(self, build: Callable[[], Any], change: Callable[[Any], Any], path: Path) -> None:
        neurons = build()
        sim.run(10.0)
        change(neurons)
        sim.save_state(path)
        sim.run(20.0)
        expected = trace(neurons)
        neurons = build()
        sim.run(3.0)
        if change is populate:
            populate(neurons)
        sim.load_state(path)
        sim.run(20.0)
        assert np.array_equal(trace(neurons), expected)

    def test_all(self, tmp_path: Path) -> None:
        for change in (lambda _: None, lambda each: each.initialize(v=-52.0), populate):
            self.go_on(driven, change, tmp_path / "state.npz")

    def test_after_a_reset(self, tmp_path: Path) -> None:
        neurons = driven()
        sim.run(10.0)
        sim.reset()
        sim.save_state(tmp_path / "state.npz")
        sim.run(5.0)
        expected = trace(neurons)
        neurons = driven()
        sim.load_state(tmp_path / "state.npz")
        sim.run(5.0)
        assert np.array_equal(trace(neurons), expected)

    def test_spikes_older_than_a_projection_stay_outside(self, tmp_path: Path) -> None:
        def build(second: bool) -> Any:
            target, first = pair([9.5, 9.8], delay=5.0, dendritic_delay_fraction=0.2)
            if second:
                add(first)
            return target, first

        def add(first: Any) -> None:
            rule = stdp(delay=5.0, dendritic_delay_fraction=0.2)
            sim.Projection(first.pre, first.post, sim.AllToAllConnector(), rule)

        target, first = build(second=False)
        sim.run(10.0)
        add(first)
        sim.run(1.0)
        sim.save_state(tmp_path / "state.npz")
        sim.run(10.0)
        expected = trace(target)
        target, _ = build(second=True)
        sim.load_state(tmp_path / "state.npz")
        sim.run(10.0)
        assert np.array_equal(trace(target), expected)


def driven() -> Any:
    """Neurons with a current source."""
    sim.setup(timestep=0.1)
    neurons = sim.Population(2, sim.IF_curr_exp())
    neurons.record("v")
    sim.DCSource(amplitude=0.5).inject_into(neurons)
    return neurons


def populate(neurons: Any) -> None:
    """More of them."""
    sim.Population(4, type(neurons.celltype)())
