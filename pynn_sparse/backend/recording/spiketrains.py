"""Spike trains as Neo's lists of them, made many times as fast."""

from __future__ import annotations

from typing import Any

import numpy as np
from neo import SpikeTrain
from neo.core.spiketrainlist import SpikeTrainList
from numpy.typing import NDArray


class GroupedSpikeTrainList(SpikeTrainList):
    """Spike trains made, when they are asked for, from spikes that are grouped by neuron.

    Neo looks through all spikes for each neuron, which takes a minute for ten million spikes of
    ten thousand neurons. Copies and pickles are Neo's own class, so that no file needs this one.
    """

    @classmethod
    def of(cls, trains: SpikeTrainList) -> GroupedSpikeTrainList:
        """The same list, which takes the place of `trains`."""
        made = cls()
        made.__dict__.update(trains.__dict__)
        return made

    def __reduce__(self) -> Any:
        return SpikeTrainList, (), self.__dict__

    def _spiketrains_from_array(self) -> None:
        channels = self._channel_id_array
        if channels is None or (channels[1:] < channels[:-1]).any():  # others have been added
            super()._spiketrains_from_array()
            return
        self._items = [
            self._train(i, self._spike_time_array[part]) for i, part in enumerate(self._parts())
        ]

    def with_values(self, values: NDArray[np.float64]) -> SpikeTrainList:
        """Neo's list of the same trains, each with the values of its events.

        They are the array annotation `value` of a train. Args: `values`, of all spikes, in the
        order of the arrays that the trains are made from.
        """
        trains = [
            self._train(i, self._spike_time_array[part], value=values[part])
            for i, part in enumerate(self._parts())
        ]
        for train in trains:  # Neo's list looks for an int
            train.annotate(channel_id=int(train.annotations["channel_id"]))
        return SpikeTrainList(trains, parent=self.segment)

    def _parts(self) -> list[slice]:
        """Where the spikes of each train are."""
        channels, wanted = self._channel_id_array, np.asarray(self._all_channel_ids)
        begins, ends = (np.searchsorted(channels, wanted, side) for side in ("left", "right"))
        return list(map(slice, begins.tolist(), ends.tolist()))

    def _train(self, i: int, times: Any, **each_spike: Any) -> SpikeTrain:
        train = SpikeTrain(times.copy(), array_annotations=each_spike, **self._spiketrain_metadata)
        n = len(self._all_channel_ids)
        for name, value in self._annotations.items():
            each = not isinstance(value, str) and hasattr(value, "__len__") and len(value) == n
            train.annotate(**{name: value[i] if each else value})
        train.annotate(channel_id=self._all_channel_ids[i])
        train.segment = self.segment
        return train
