"""The simulation of a network as it was captured: with static weights, and spikes that are given.

What learns while it is recorded has no recording of what it becomes. So the network that is
exported is built anew, and simulated on the same input.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .errors import ExportError
from .nets.floatnet import MODELS, Cells, Connections, FloatNet


def can_replay(net: FloatNet) -> bool:
    """Whether all that the neurons do is in the network: no other models, no injected currents."""
    neurons = [cells for cells in net.cells if not cells.is_source]
    return all(cells.model in MODELS and not cells.injected for cells in neurons)


def replay(net: FloatNet, spikes: Mapping[str, Any], duration: float) -> dict[str, list[Any]]:
    """Spike times (ms) of each cell of all populations, by label, in a simulation of its own.

    It begins with `setup`: what `pyNN.sparse` simulated before is discarded.

    Args:
        net: the network, of leaky integrate-and-fire neurons; synapses keep their weights.
        spikes: label of each source -> spike times (ms) of each cell.
        duration: ms.

    Raises `ExportError` for a network that has other neurons, or injected currents.
    """
    if not can_replay(net):
        raise ExportError(
            f"the network cannot be simulated anew: neurons must be {' or '.join(MODELS)}, "
            "without injected currents"
        )
    import pyNN.sparse as sim

    longest = max((int(part.delay.max(initial=1)) for part in net.connections), default=1)
    sim.setup(timestep=net.dt, min_delay=net.dt, max_delay=longest * net.dt)
    populations = [_population(sim, cells, spikes) for cells in net.cells]
    for part in net.connections:
        _connect(sim, part, populations[part.pre], populations[part.post], net.dt)
    for population in populations:
        population.record("spikes")
    sim.run(duration)
    found = {}
    for population in populations:
        trains = population.get_data("spikes").segments[0].spiketrains
        found[population.label] = [train.magnitude for train in trains]
    sim.end()
    return found


def _population(sim: Any, cells: Cells, spikes: Mapping[str, Any]) -> Any:
    if cells.is_source:
        times = [sim.Sequence(np.asarray(each, float)) for each in spikes[cells.label]]
        return sim.Population(
            cells.size, sim.SpikeSourceArray(spike_times=times), label=cells.label
        )
    kind = getattr(sim, cells.model)
    population = sim.Population(cells.size, kind(**cells.parameters), label=cells.label)
    known = kind.default_initial_values  # the engine has a state beside PyNN's: steps to wait
    population.initialize(**{name: cells.initial[name] for name in known})
    return population


def _connect(sim: Any, part: Connections, pre: Any, post: Any, dt: float) -> None:
    if not len(part):
        return
    columns = np.column_stack([part.source, part.target, part.weight, part.delay * dt])
    connector = sim.FromListConnector(columns, column_names=["weight", "delay"])
    sim.Projection(
        pre, post, connector, sim.StaticSynapse(), receptor_type=part.receptor, label=part.label
    )
