"""A network with one of everything that has a life of its own, and a digest of what it has done."""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

import numpy as np
import pyNN.sparse as sim
from pyNN.random import NumpyRNG


class Net(NamedTuple):
    """What `build` made."""

    noise: Any
    cells: Any
    plastic: Any
    parts: list[Any]  # all objects that a user may hold


def build(n: int = 60, *, seed: int = 1, **options: Any) -> Net:
    """Poisson sources, conductance-based and Hodgkin-Huxley neurons, every way to connect them."""
    sim.setup(timestep=0.1, **{"threads": 1, **options})
    rng = NumpyRNG(seed=seed)
    noise = sim.Population(20, sim.SpikeSourcePoisson(rate=300.0), label="noise")
    given = sim.Population(3, sim.SpikeSourceArray(spike_times=[1.0, 2.0, 7.5]), label="given")
    cells = sim.Population(n, sim.IF_cond_exp(i_offset=0.5), label="cells")
    others = sim.Population(5, sim.HH_cond_exp(), label="others")
    stdp = sim.STDPMechanism(
        timing_dependence=sim.SpikePairRule(A_plus=0.1, A_minus=0.1),
        weight_dependence=sim.AdditiveWeightDependence(w_max=0.1),
        weight=0.03,
        delay=1.0,
    )
    static = sim.StaticSynapse(weight=0.002, delay=1.5)
    short = sim.TsodyksMarkramSynapse(weight=0.01, delay=1.0)
    random = sim.FixedProbabilityConnector(0.3, rng=rng)
    plastic = sim.Projection(noise, cells, random, stdp)
    projections = [
        plastic,
        sim.Projection(cells[:10], cells[10:], sim.AllToAllConnector(), static),
        sim.Projection(
            cells, cells, sim.FixedProbabilityConnector(0.1, rng=sim.NativeRNG(1)), static
        ),
        sim.Projection(
            given + noise, cells + others, sim.FixedNumberPreConnector(3, rng=rng), short
        ),
        sim.Projection(
            others, others, sim.AllToAllConnector(), sim.ElectricalSynapse(weight=0.0001)
        ),
    ]
    current = sim.NoisyCurrentSource(mean=0.1, stdev=0.1, start=0.0, dt=0.1)
    current.inject_into(cells[:5])
    current.record()
    cells[0].inject(sim.DCSource(amplitude=0.1))
    both, view = cells + others, cells[3:8]
    both.record(["spikes", "v"])
    noise.record("spikes")
    parts = [noise, given, cells, others, *projections, current, both, view]
    return Net(noise, cells, plastic, parts)


def digest(net: Net) -> str:
    """All that was recorded, weights, and the time."""
    found = hashlib.sha256(str(sim.get_current_time()).encode())
    for population in (net.noise, net.cells):
        segment = population.get_data().segments[-1]
        for train in segment.spiketrains:
            found.update(train.magnitude.tobytes() + b"|")
        for signal in segment.analogsignals:
            found.update(np.ascontiguousarray(signal.magnitude).tobytes())
    found.update(net.plastic.get("weight", format="columns")["weight"].tobytes())
    return found.hexdigest()
