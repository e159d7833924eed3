"""Activity made up for tests."""

from __future__ import annotations

from typing import Any

import neo
import numpy as np
import quantities as pq

from pynn_sparse.compare.activity import Activity

DURATION = 2000.0  # ms


def poisson(rate: float, neurons: int, seed: int, duration: float = DURATION) -> Activity:
    """Independent Poisson trains with a rate in Hz, on a grid of 0.1 ms."""
    rng = np.random.default_rng(seed)
    trains = {
        neuron: np.unique(
            np.ceil(rng.uniform(0, duration, rng.poisson(rate * duration / 1000)) * 10)
        )
        / 10
        for neuron in range(neurons)
    }
    return Activity(0.0, duration, trains)


def block(activity: Activity, **annotations: Any) -> neo.Block:
    """As PyNN would return it."""
    made, segment = neo.Block(name="cells", **annotations), neo.Segment()
    made.segments.append(segment)
    for neuron, times in activity.trains.items():
        train = neo.SpikeTrain(times, units="ms", t_stop=activity.stop, source_index=neuron)
        segment.spiketrains.append(train)
    for name, signal in activity.signals.items():
        segment.analogsignals.append(
            neo.AnalogSignal(
                signal.values,
                units=signal.units,
                t_start=signal.times[0] * pq.ms,
                sampling_period=(signal.times[1] - signal.times[0]) * pq.ms,
                name=name,
                array_annotations={"channel_index": signal.neurons},
            )
        )
    return made
