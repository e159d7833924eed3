"""Plastic synapses whose spikes wait in axons: a table has any delays, and threads agree."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
from pyNN.random import NumpyRNG, RandomDistribution


def network(fraction: float, threads: int = 1, n: int = 40) -> Any:
    sim.setup(timestep=0.1, threads=threads)
    sources = sim.Population(n, sim.SpikeSourcePoisson(rate=120.0))
    cells = sim.Population(n, sim.IF_curr_exp(i_offset=1.0))
    rule = sim.STDPMechanism(
        sim.SpikePairRule(A_plus=0.01, A_minus=0.012),
        sim.AdditiveWeightDependence(w_max=1.0),
        weight=0.3,
        delay=RandomDistribution("uniform", (0.2, 12.0), rng=NumpyRNG(seed=1)),
        dendritic_delay_fraction=fraction,
    )
    cells.record("spikes")
    return cells, sim.Projection(sources, cells, sim.AllToAllConnector(), rule)


@pytest.mark.parametrize("fraction", [0.0, 0.4, 0.9, 1.0])
def test_delays_do_not_divide_a_projection(fraction: float) -> None:
    _, projection = network(fraction)
    (table,) = projection._tables
    rows = np.repeat(np.arange(table.n_source), np.diff(table.row_start))
    lag = table.rule.lag(table.delay)
    assert (np.lexsort((lag, rows)) == np.arange(len(table))).all()
    assert table.waits.lag == (lag.min(), lag.max())
    sim.run(0.1)
    sources = sim.simulator.state.engine.plasticity._sources[table.index]
    assert sources.capacity <= 2 * (table.waits.lag[1] + 2)


@pytest.mark.parametrize("fraction", [0.0, 0.4, 0.9])
def test_threads_and_interruptions_change_no_spike_and_no_weight(fraction: float) -> None:
    found = []
    for threads, parts in ((1, [150.0]), (3, [150.0]), (2, [0.1, 33.3, 20.0, 96.6])):
        cells, projection = network(fraction, threads)
        for part in parts:
            sim.run(part)
        trains = [each.tolist() for each in cells.get_data().segments[0].spiketrains]
        found.append((trains, projection.get("weight", format="array").tolist()))
    assert sum(map(len, found[0][0])) > 100
    assert found[0] == found[1] == found[2]
