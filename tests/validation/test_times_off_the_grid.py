"""Times between time steps: spikes of sources are sent when NEST sends them, on the grid.

NEST compares spike times with the grid as floating-point numbers, after PyNN has taken `min_delay`
from them; so times that fall on a step by more than chance are compared on one side of it only.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyNN.sparse
import pytest
from numpy.typing import NDArray
from pyNN.parameters import Sequence
from support.comparison import pynn_nest

from pynn_sparse.network import TimeGrid

N = 150


def setup(sim: Any, dt: float) -> None:
    options = {} if sim is pyNN.sparse else {"spike_precision": "on_grid"}
    sim.setup(timestep=dt, min_delay=dt, **options)


def potentials(sim: Any, dt: float, times: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Potentials [samples, cells], each moved by one source alone."""
    setup(sim, dt)
    sequences = [Sequence(each) for each in times]
    source = sim.Population(len(times), sim.SpikeSourceArray(spike_times=sequences))
    cells = sim.Population(len(times), sim.IF_curr_exp(v_thresh=1e3))
    synapse = sim.StaticSynapse(weight=1.0, delay=2 * dt)
    sim.Projection(source, cells, sim.FromListConnector([(i, i) for i in range(N)]), synapse)
    cells.record("v")
    sim.run(400 * dt)
    return np.asarray(cells.get_data().segments[0].analogsignals[0])


def random_times(rng: np.random.RandomState, dt: float) -> list[NDArray[np.float64]]:
    return [np.sort(rng.uniform(1.5 * dt, 390 * dt, 12)) for _ in range(N)]


@pytest.mark.parametrize("dt", [0.1, 0.05, 0.2, 1.0])
def test_spikes_between_steps_arrive_when_they_do_on_nest(dt: float) -> None:
    times = random_times(np.random.RandomState(3), dt)
    ours, nests = (potentials(sim, dt, times) for sim in (pyNN.sparse, pynn_nest()))
    assert np.abs(nests - nests[0]).max() > 1.0
    assert np.abs(ours - nests).max() < 1e-9


def test_spikes_close_to_a_step_arrive_when_they_do_on_nest() -> None:
    """Up to a nanosecond after a step is a rounding error here; NEST knows no such tolerance."""
    steps = np.arange(3, 390, 30)
    offsets = np.resize([-1e-12, -1e-7, -1e-4, 2e-6, 1e-5, 1e-4, 4e-4, 6e-4], N)
    times = [steps * 0.1 + offset - 1e-13 for offset in offsets]
    ours, nests = (potentials(sim, 0.1, times) for sim in (pyNN.sparse, pynn_nest()))
    assert np.abs(ours - nests).max() < 1e-9


def test_a_network_driven_between_steps_fires_the_same_spikes_as_on_nest() -> None:
    def spikes(sim: Any) -> list[list[int]]:
        setup(sim, 0.1)
        rng = np.random.RandomState(8)
        trains = [Sequence(np.sort(rng.uniform(0.2, 300.0, 60))) for _ in range(N)]
        source = sim.Population(N, sim.SpikeSourceArray(spike_times=trains))
        cells = sim.Population(N, sim.IF_curr_alpha(tau_refrac=0.14, v_reset=-70.0))
        pairs = [(int(i), int(j)) for i, j in rng.randint(0, N, (4000, 2))]
        for pre, weight, delay in ((source, 1.5, 0.3), (cells, 0.4, 1.2)):
            synapse = sim.StaticSynapse(weight=weight, delay=delay)
            sim.Projection(pre, cells, sim.FromListConnector(pairs), synapse)
        cells.record("spikes")
        sim.run(300.0)
        found = cells.get_data().segments[0].spiketrains
        return [np.rint(np.sort(train.magnitude) * 10).astype(int).tolist() for train in found]

    ours, nests = spikes(pyNN.sparse), spikes(pynn_nest())
    assert sum(map(len, nests)) > 1000
    assert ours == nests


def test_times_that_were_summed_up_stay_on_their_steps() -> None:
    """0.1 * 3 is not 0.3, nor is 0.1 added up 10,000 times 1000."""
    grid = TimeGrid(0.1)
    multiples, summed = np.arange(10_000) * 0.1, np.cumsum(np.full(10_000, 0.1))
    assert np.abs(summed - np.arange(1, 10_001) * 0.1).max() > 1e-10
    assert grid.next(multiples).tolist() == list(range(10_000))
    assert grid.next(summed).tolist() == list(range(1, 10_001))


@pytest.mark.parametrize("start", [3.0, 3.01, 3.04, 3.05, 3.06, 3.15, 3.25])
def test_step_currents_begin_where_they_do_on_nest(start: float) -> None:
    """At the nearest step, and between two at the earlier one."""

    def potential(sim: Any) -> NDArray[np.float64]:
        setup(sim, 0.1)
        cell = sim.Population(1, sim.IF_curr_exp())
        sim.StepCurrentSource(times=[start], amplitudes=[0.5]).inject_into(cell)
        cell.record("v")
        sim.run(10.0)
        return np.asarray(cell.get_data().segments[0].analogsignals[0])

    assert np.abs(potential(pyNN.sparse) - potential(pynn_nest())).max() < 1e-9


def test_other_currents_begin_and_end_as_step_currents_do() -> None:
    def potential(make: Any) -> NDArray[np.float64]:
        setup(pyNN.sparse, 0.1)
        cell = pyNN.sparse.Population(1, pyNN.sparse.IF_curr_exp())
        make(pyNN.sparse).inject_into(cell)
        cell.record("v")
        pyNN.sparse.run(10.0)
        return np.asarray(cell.get_data().segments[0].analogsignals[0])

    span = {"start": 3.05, "stop": 5.15}
    stepped = potential(lambda sim: sim.StepCurrentSource(times=[3.0, 5.1], amplitudes=[0.5, 0.0]))
    for make in (
        lambda sim: sim.StepCurrentSource(times=[3.05, 5.15], amplitudes=[0.5, 0.0]),
        lambda sim: sim.DCSource(amplitude=0.5, **span),
        lambda sim: sim.ACSource(amplitude=0.0, offset=0.5, **span),
        lambda sim: sim.NoisyCurrentSource(mean=0.5, stdev=0.0, **span),
    ):
        np.testing.assert_array_equal(potential(make), stepped)
