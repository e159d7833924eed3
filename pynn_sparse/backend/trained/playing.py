"""One sample as hardware plays it."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import simulator
from ..control import reset, run
from .sources import spike_times


def play(net: Any, sample: Any) -> list[Any]:
    """What all populations fire; see `TrainedNetwork.play`."""
    if len(net.inputs) != 1:
        raise ValueError(f"has the inputs {list(net.inputs)}: must be one")
    (source,) = net.inputs.values()
    spikes = np.asarray(sample)
    if spikes.ndim < 2 or spikes[0].size != source.size or not np.isin(spikes, (0, 1)).all():
        raise ValueError(
            f"sample: must be spikes, 0 or 1, [steps, *shape] for {source.size} inputs, but has "
            f"shape {spikes.shape} and values from {spikes.min():g} to {spikes.max():g}"
        )
    flat, dt = spikes.reshape(len(spikes), -1), simulator.state.dt
    layers = net.populations.values()
    for currents in net._injected.values():
        currents.silence()
    try:
        for population in layers:
            population.initialize(clock=-1.0)
        reset()
        for population in (source, *layers):
            population.record("spikes")
        source.set(spike_times=spike_times(flat.T.astype(np.uint8), np.arange(len(flat))))
        run((len(flat) + max(net.skews.values()) + 1) * dt)
        return [_last_run(population) for population in (source, *layers)]
    finally:
        for each, population in net.populations.items():
            population.initialize(clock=-1.0 - net.skews[each])


def _last_run(population: Any) -> Any:
    """Spikes since the last reset."""
    block = population.get_data("spikes")
    block.segments = block.segments[-1:]
    return block
