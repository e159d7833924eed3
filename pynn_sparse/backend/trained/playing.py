"""One sample as hardware plays it."""

from __future__ import annotations

from typing import Any

import numpy as np

from pynn_sparse.door import as_numbers, shown

from .. import simulator
from ..control import reset, run
from .sources import spike_times


def play(net: Any, sample: Any) -> list[Any]:
    """What all populations fire; see `TrainedNetwork.play`."""
    if len(net.inputs) != 1:
        raise ValueError(f"has the inputs {list(net.inputs)}: must be one")
    (source,) = net.inputs.values()
    spikes = as_numbers(sample, "iufb")
    fits = spikes is not None and spikes.ndim > 1 and spikes[:1].size == source.size
    if spikes is None or not fits or not np.isin(spikes, (0, 1)).all():
        raise ValueError(
            f"sample = {shown(sample)}: must be spikes, 0 or 1, [steps, *shape] for {source.size} "
            f"inputs; its shape is {np.shape(spikes if spikes is not None else ())}"
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
