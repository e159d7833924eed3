"""Spike sources with independent intervals: rates, regularity, distributions in closed form."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
from numpy.typing import NDArray
from pyNN import errors
from pyNN.parameters import Sequence


def trains(cell: Any, n: int = 100, duration: float = 4000.0, threads: int = 1) -> list[Any]:
    sim.setup(timestep=0.1, threads=threads)
    sources = sim.Population(n, cell)
    sources.record("spikes")
    sim.run(duration)
    return [each.magnitude for each in sources.get_data().segments[0].spiketrains]


def intervals(found: list[Any]) -> NDArray[np.float64]:
    return np.concatenate([np.diff(each) for each in found])


def distance(values: NDArray[np.float64], cumulative: Any) -> float:
    """Kolmogorov and Smirnov's statistic, times the root of the number of values."""
    x = np.sort(values) + np.random.RandomState(0).uniform(-0.05, 0.05, len(values))  # off the grid
    x.sort()
    expected = cumulative(x)
    empirical = np.arange(1, len(x) + 1) / len(x)
    return float(np.abs(expected - empirical).max() * np.sqrt(len(x)))


def test_poisson_with_dead_time() -> None:
    found = trains(sim.SpikeSourcePoissonRefractory(rate=50.0, tau_refrac=5.0))
    each = intervals(found)
    assert each.min() >= 5.0 - 0.1  # both ends are on the grid
    assert each.mean() == pytest.approx(20.0, rel=0.03)
    assert distance(each, lambda t: np.where(t > 5, 1 - np.exp(-(t - 5) / 15.0), 0.0)) < 2.0


@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0, 4.0])
def test_gamma(alpha: float) -> None:
    found = trains(sim.SpikeSourceGamma(alpha=alpha, beta=40.0 * alpha))
    each = intervals(found)
    assert each.mean() == pytest.approx(25.0, rel=0.04)
    assert each.std() / each.mean() == pytest.approx(1 / np.sqrt(alpha), rel=0.05)
    if alpha in (1.0, 2.0):  # whose distributions are elementary
        rate = 0.04 * alpha
        erlang = {
            1.0: lambda t: 1 - np.exp(-rate * t),
            2.0: lambda t: 1 - np.exp(-rate * t) * (1 + rate * t),
        }
        assert distance(each, erlang[alpha]) < 2.0


@pytest.mark.parametrize("a", [0.7, 1.0, 3.0])
def test_inhomogeneous_gamma_with_constant_parameters(a: float) -> None:
    b = 0.02 / a
    cell = sim.SpikeSourceInhGamma(a=Sequence([a]), b=Sequence([b]), tbins=Sequence([0.0]))
    each = intervals(trains(cell))
    assert each.mean() == pytest.approx(20.0, rel=0.04)
    assert each.std() / each.mean() == pytest.approx(1 / np.sqrt(a), rel=0.06)
    if a == 3.0:
        t_over_b = lambda t: t / (1000 * b)  # noqa: E731
        cumulative = lambda t: (  # noqa: E731
            1 - np.exp(-t_over_b(t)) * sum(t_over_b(t) ** k / math.factorial(k) for k in range(3))
        )
        assert distance(each, cumulative) < 2.0


def test_inhomogeneous_gamma_follows_its_bins() -> None:
    cell = sim.SpikeSourceInhGamma(
        a=Sequence([2.0, 2.0, 4.0]),
        b=Sequence([0.01, 0.0025, 0.01]),
        tbins=Sequence([0.0, 1000.0, 2000.0]),
        start=100.0,
        duration=2900.0,
    )
    times = np.concatenate(trains(cell, 200, 3500.0))
    assert times.min() >= 100.0
    assert times.max() <= 3000.1
    for begin, end, rate in ((200, 1000, 50.0), (1050, 2000, 200.0), (2100, 3000, 25.0)):
        count = ((times >= begin) & (times < end)).sum()
        assert count / 200 / (end - begin) * 1000 == pytest.approx(rate, rel=0.05)


@pytest.mark.parametrize(
    "cell",
    [
        lambda: sim.SpikeSourcePoissonRefractory(rate=80.0, tau_refrac=2.0, start=50, duration=100),
        lambda: sim.SpikeSourceGamma(alpha=2.0, beta=200.0, start=50.0, duration=100.0),
    ],
)
def test_active_between_start_and_stop_and_the_same_for_all_threads(cell: Any) -> None:
    first, second = (trains(cell(), 50, 300.0, threads) for threads in (1, 2))
    times = np.concatenate(first)
    assert times.min() >= 50.0
    assert times.max() <= 150.1
    assert all(map(np.array_equal, first, second))
    counts = [len(each) for each in first]
    assert len(set(counts)) > 3  # the neurons differ


def test_rates_may_change_between_runs() -> None:
    sim.setup(timestep=0.1)
    sources = [
        sim.Population(200, cell)
        for cell in (
            sim.SpikeSourcePoissonRefractory(rate=0.0, tau_refrac=1.0),
            sim.SpikeSourceGamma(alpha=2.0, beta=0.0),
        )
    ]
    for each in sources:
        each.record("spikes")
    sim.run(500.0)
    assert [each.mean_spike_count() for each in sources] == [0, 0]
    sources[0].set(rate=100.0)
    sources[1].set(beta=200.0)
    sim.run(500.0)
    for each in sources:
        assert each.mean_spike_count() == pytest.approx(50.0, rel=0.06)


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (
            lambda: sim.SpikeSourcePoissonRefractory(rate=200.0, tau_refrac=5.0),
            "rate = 200 Hz with tau_refrac = 5 ms",
        ),
        (lambda: sim.SpikeSourceGamma(alpha=0.0), "alpha = 0"),
        (lambda: sim.SpikeSourceGamma(beta=-1.0), "beta = -1"),
        (lambda: sim.SpikeSourceInhGamma(b=Sequence([0.0])), "b of the neuron with index 0"),
        (
            lambda: sim.SpikeSourceInhGamma(a=Sequence([1.0, 1.0]), b=Sequence([1.0])),
            "have 2, 1 and 1 values",
        ),
        (
            lambda: sim.SpikeSourceInhGamma(
                a=Sequence([1.0, 1.0]), b=Sequence([1.0, 1.0]), tbins=Sequence([5.0, 1.0])
            ),
            "tbins of the neuron with index 0: must be in ascending order",
        ),
    ],
)
def test_bad_values(cell: Any, words: str) -> None:
    sim.setup()
    with pytest.raises(errors.InvalidParameterValueError, match=words):
        sim.Population(2, cell())
