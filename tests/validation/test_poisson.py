"""SpikeSourcePoisson against what a Poisson process does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
from numpy.typing import NDArray
from scipy import stats

DT = 0.1


def steps(n: int, until: float, **parameters: Any) -> list[NDArray[np.int64]]:
    """Time steps of the spikes of n sources."""
    sim.setup(timestep=DT, rng_seed=12)
    population = sim.Population(n, sim.SpikeSourcePoisson(**parameters))
    population.record("spikes")
    sim.run(until)
    trains = population.get_data().segments[0].spiketrains
    return [np.round(train.magnitude / DT).astype(int) for train in trains]


@pytest.mark.parametrize("rate", [5.0, 800.0, 20_000.0, 200_000.0])
def test_counts_in_time_steps_are_poissonian(rate: float) -> None:
    """Chi-square test of the number of spikes per step, several per step at high rates."""
    trains = steps(20, 1000.0, rate=rate)
    counts = np.concatenate([np.bincount(train, minlength=10001)[1:] for train in trains])
    mean = rate * DT / 1000
    assert counts.mean() == pytest.approx(mean, abs=4 * np.sqrt(mean / counts.size))
    low, high = stats.poisson.ppf([1e-4, 1 - 1e-4], mean).astype(int)
    expected = stats.poisson.pmf(np.arange(low, high + 1), mean)
    expected[0], expected[-1] = stats.poisson.cdf(low, mean), stats.poisson.sf(high - 1, mean)
    if len(expected) > 1:
        found = np.bincount(np.clip(counts, low, high) - low, minlength=len(expected))
        assert stats.chisquare(found, expected * counts.size).pvalue > 1e-3


def test_intervals_are_exponential_and_sources_independent() -> None:
    trains = steps(200, 5000.0, rate=50.0)
    intervals = np.concatenate([np.diff(train) for train in trains]) * DT
    assert intervals.std() / intervals.mean() == pytest.approx(1.0, abs=0.02)
    jittered = intervals + np.random.RandomState(1).uniform(-DT / 2, DT / 2, len(intervals))
    assert stats.kstest(jittered, "expon", (0, 20.0)).pvalue > 1e-3
    counts = np.stack([np.histogram(train, np.arange(0, 50001, 100))[0] for train in trains])
    correlations = np.corrcoef(counts)[np.triu_indices(200, 1)]
    assert abs(correlations.mean()) < 0.002


def test_start_and_duration() -> None:
    trains = np.concatenate(steps(300, 100.0, rate=1000.0, start=20.0, duration=30.0))
    assert trains.min() == 201  # a spike has the time of the end of its step
    assert trains.max() == 500
    assert len(trains) == pytest.approx(9000, abs=4 * np.sqrt(9000))


def test_rates_of_each_source_and_changed_rates() -> None:
    sim.setup(timestep=DT)
    rates = np.array([0.0, 10.0, 100.0, 1000.0])
    population = sim.Population(4, sim.SpikeSourcePoisson(rate=rates))
    population.record("spikes")
    sim.run(20_000.0)
    counts = np.array(list(population.get_spike_counts().values()))
    assert np.all(np.abs(counts - rates * 20) <= 4 * np.sqrt(rates * 20))
    population.set(rate=rates[::-1])
    sim.run(20_000.0)
    more = np.array(list(population.get_spike_counts().values())) - counts
    assert np.all(np.abs(more - rates[::-1] * 20) <= 4 * np.sqrt(rates[::-1] * 20))


def test_one_train_for_all_targets() -> None:
    """Each spike of a source, also one of several in a step, reaches each of its targets."""
    sim.setup(timestep=DT)
    sources = sim.Population(1, sim.SpikeSourcePoisson(rate=30_000.0))
    cell = sim.IF_curr_delta(v_rest=0.0, v_reset=0.0, v_thresh=1e9, tau_m=1e12)
    targets = sim.Population(3, cell, initial_values={"v": 0.0})
    synapse = sim.StaticSynapse(weight=1.0, delay=DT)
    sim.Projection(sources, targets, sim.AllToAllConnector(), synapse)
    targets.record("v")
    sources.record("spikes")
    sim.run(50.0)
    train = sources.get_data().segments[0].spiketrains[0].magnitude
    v = targets.get_data().segments[0].analogsignals[0].magnitude[-1]
    assert np.allclose(v, np.sum(np.round(train / DT) + 1 <= 500), atol=1e-6)
