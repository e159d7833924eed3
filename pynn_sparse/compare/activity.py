"""What was recorded, as plain arrays: from Neo's segments, and for functions that compare."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass
class Signal:
    """A recorded variable: `times` in ms, `values` [samples, neurons] in `units`."""

    times: Floats
    neurons: Integers
    values: Floats
    units: str


@dataclass
class Activity:
    """A population in one segment.

    Attributes:
        start, stop: of the recording, in ms.
        trains: index of a neuron whose spikes were recorded -> its spike times in ms, ascending.
        signals: by name of the variable.
        left_out: what the segment has that cannot be compared, in words.
    """

    start: float
    stop: float
    trains: dict[int, Floats] = field(default_factory=dict)
    signals: dict[str, Signal] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    @property
    def duration(self) -> float:
        """Milliseconds that were recorded."""
        return self.stop - self.start

    @property
    def n_spikes(self) -> int:
        """Number of spikes of all neurons."""
        return sum(map(len, self.trains.values()))


def activity_of(segment: Any) -> Activity:
    """The spikes and regularly sampled signals of a `neo.Segment`."""
    trains, stops, starts = {}, [], []
    for order, train in enumerate(segment.spiketrains):
        # Lists of spike trains hand out NumPy integers, or arrays with one of them.
        index = int(np.ravel(train.annotations.get("source_index", order))[0])
        trains[index] = np.sort(_milliseconds(train))
        starts.append(_milliseconds(train.t_start))
        stops.append(_milliseconds(train.t_stop))
    signals = {}
    for signal in segment.analogsignals:
        signals[signal.name] = _signal(signal)
        starts.append(_milliseconds(signal.t_start))
        stops.append(float(signals[signal.name].times[-1]) if len(signal) else starts[-1])
    left_out = [
        f"{signal.name}: its samples are not at regular times"
        for signal in segment.irregularlysampledsignals
    ]
    start, stop = (float(min(starts)), float(max(stops))) if starts else (0.0, 0.0)
    return Activity(start, stop, dict(sorted(trains.items())), signals, left_out)


def _signal(signal: Any) -> Signal:
    found = signal.array_annotations.get("channel_index")
    neurons = np.arange(signal.shape[1]) if found is None else np.asarray(found)
    order = np.argsort(neurons, kind="stable")
    times = _milliseconds(signal.t_start) + np.arange(len(signal)) * _milliseconds(
        signal.sampling_period
    )
    values = np.asarray(signal.magnitude, np.float64)[:, order]
    return Signal(times, neurons[order].astype(np.int64), values, signal.dimensionality.string)


def _milliseconds(quantity: Any) -> Any:
    return np.asarray(quantity.rescale("ms").magnitude, np.float64)
