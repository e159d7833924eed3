"""A network that goes on from a checkpoint: `checkpoint.py save|load FILE FOUND`."""

from __future__ import annotations

import pickle
import sys
from typing import Any

import pyNN.sparse as sim
from network import build, look, recorded_synapses

SAVED, END = 37.3, 80.0  # ms


def lagging(cells: dict[str, Any]) -> Any:
    """Synapses that learn, and wait for their spikes in the axon for different times."""
    rng = sim.NativeRNG(11)
    delay = sim.RandomDistribution("uniform", (1.0, 4.0), rng=rng)
    rule = sim.STDPMechanism(
        sim.SpikePairRule(tau_plus=15.0, tau_minus=25.0, A_plus=0.02, A_minus=0.02),
        sim.AdditiveWeightDependence(w_min=0.0, w_max=1.0),
        dendritic_delay_fraction=0.5,
        weight=0.1,
        delay=delay,
    )
    connector = sim.FixedProbabilityConnector(0.1, rng=rng)
    return sim.Projection(cells["poisson"], cells["exc"], connector, rule)


def main(how: str, file: str, found: str) -> None:
    rank = sim.setup(timestep=0.1, min_delay=0.1, max_delay=20.0)
    cells, projections = build()
    projections.append(lagging(cells))
    for name in ("poisson", "one", "exc", "few", "cond"):
        cells[name].record("spikes")
    cells["exc"][10:150].record("v")
    for projection, some in recorded_synapses(projections):
        projection.record("weight", sampling_interval=0.1, connections=some)
    cells["exc"].inject(sim.NoisyCurrentSource(mean=0.1, stdev=0.05, stop=70.0, dt=0.5))
    if how == "save":
        sim.run(SAVED)
        projections[1].set(weight=0.03)
        sim.save_state(file)
        sim.run(END - SAVED)
    else:
        sim.load_state(file)
        assert sim.get_current_time() == SAVED
        sim.run(END - SAVED)
    seen = look(how, cells, projections)
    if rank == 0:
        with open(found, "wb") as out:
            pickle.dump({key: value for (_, key), value in seen.items()}, out)
    sim.end()


main(*sys.argv[1:])
