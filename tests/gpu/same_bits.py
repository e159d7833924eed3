"""Runs networks on two devices, and compares spikes, traces and weights bit for bit.

python tests/gpu/same_bits.py [--devices cuda cpu] [--duration MS]
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyNN.sparse as sim
from pyNN.random import NumpyRNG, RandomDistribution


def balanced(cell: Any, scale: float, rng: Any) -> Iterator[Any]:
    """Neurons that excite and inhibit each other, and noise; gives what weights are read of."""
    neurons = sim.Population(1000, cell)
    neurons.initialize(v=RandomDistribution("uniform", (-65.0, -52.0), rng=NumpyRNG(3)))
    noise = sim.Population(200, sim.SpikeSourcePoisson(rate=200.0))
    neurons.record("spikes")
    neurons[:20].record("v")
    connector = sim.FixedProbabilityConnector(0.1, rng=rng)
    delay = RandomDistribution("uniform", (0.5, 4.0), rng=rng)
    for source, weight, receptor in (
        (neurons[:800], scale, "excitatory"),
        (neurons[800:], -8 * scale, "inhibitory"),
        (noise, 3 * scale, "excitatory"),
    ):
        signed = abs(weight) if "cond" in cell.__class__.__name__ else weight
        synapse = sim.StaticSynapse(weight=signed, delay=delay)
        yield sim.Projection(source, neurons, connector, synapse, receptor_type=receptor)


def plastic() -> Iterator[Any]:
    """Additive STDP and short-term plasticity from Poisson sources."""
    source = sim.Population(100, sim.SpikeSourcePoisson(rate=40.0))
    neurons = sim.Population(50, sim.IF_curr_alpha(tau_refrac=2.0))
    neurons.record(["spikes", "v"])
    stdp = sim.STDPMechanism(
        timing_dependence=sim.SpikePairRule(A_plus=0.02, A_minus=0.02),
        weight_dependence=sim.AdditiveWeightDependence(w_max=1.0),
        weight=0.4,
        delay=1.0,
    )
    yield sim.Projection(source, neurons, sim.AllToAllConnector(), stdp)
    yield sim.Projection(
        source,
        neurons,
        sim.FixedProbabilityConnector(0.3, rng=NumpyRNG(5)),
        sim.TsodyksMarkramSynapse(weight=0.5, delay=1.0),
    )


NETWORKS: dict[str, Any] = {
    "currents, built on the device": lambda: balanced(sim.IF_curr_exp(), 0.2, sim.NativeRNG(1)),
    "conductances": lambda: balanced(sim.IF_cond_exp(), 0.004, NumpyRNG(2)),
    "adaptive, built on the device": lambda: balanced(
        sim.EIF_cond_exp_isfa_ista(), 0.004, sim.NativeRNG(4)
    ),
    "plastic": plastic,
}


def digest(name: str, device: str, precision: str, duration: float) -> tuple[str, int]:
    """A hash of all that was recorded and of the weights at the end; the number of spikes."""
    sim.setup(timestep=0.1, min_delay=0.1, max_delay=5.0, device=device, precision=precision)
    projections = list(NETWORKS[name]())
    sim.run(duration)
    found, spikes = hashlib.sha256(), 0
    for population in {id(each.post): each.post for each in projections}.values():
        segment = population.get_data().segments[0]
        spikes += sum(map(len, segment.spiketrains))
        for train in segment.spiketrains:
            found.update(np.asarray(train.magnitude).tobytes())
        for signal in segment.analogsignals:
            found.update(np.ascontiguousarray(signal.magnitude).tobytes())
    for projection in projections:
        found.update(np.array(projection.get("weight", format="list")).tobytes())
    sim.end()
    return found.hexdigest()[:16], spikes


def main() -> int:
    """Exit status 0 if the devices agree on all networks, and each network fired."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--devices", nargs=2, default=["cuda", "cpu"])
    parser.add_argument("--duration", type=float, default=200.0)
    options = parser.parse_args()
    same = True
    for name in NETWORKS:
        for precision in ("double", "single"):
            found = [
                digest(name, device, precision, options.duration) for device in options.devices
            ]
            equal = found[0] == found[1] and found[0][1] > 0
            same &= equal
            word = "same bits" if equal else "DIFFERENT"
            print(f"{name}, {precision}: {word}, {found[0]} {found[1]}", flush=True)
    return int(not same)


if __name__ == "__main__":
    sys.exit(main())
