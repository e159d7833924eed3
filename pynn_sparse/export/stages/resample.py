"""Another time step: the same network in fewer, longer ones, as temporal pruning has it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...network import TimeGrid
from ...network.time import TIMESTEPS
from ..arguments import door
from ..nets.floatnet import FloatNet, check_net


def resample(net: FloatNet, timestep: float) -> FloatNet:
    """The network with another time step.

    Delays go to the nearest step, halves up, but are at least one; decays, gains and refractory
    periods follow from the parameters, which are in ms, and so do given spikes.

    Args:
        net: the network.
        timestep: ms, 0.0001 to 10000.

    Raises `ExportError` for a step that no simulation can have.
    """
    check_net(net)
    least, most = TIMESTEPS
    must = f"a number of ms, {least:g} to {most:g}"
    timestep = door.number("timestep", timestep, must, lambda dt: least <= dt <= most)
    old, new = TimeGrid(net.dt), TimeGrid(timestep)
    connections = [
        replace(part, delay=np.maximum(new.nearest(old.time(part.delay)), 1))
        for part in net.connections
    ]
    cells = tuple(
        each
        if each.spikes is None
        else replace(
            each,
            spikes=np.stack([each.spikes[:, 0], new.nearest(old.time(each.spikes[:, 1]))], axis=1),
        )
        for each in net.cells
    )
    return FloatNet(timestep, cells, tuple(connections))
