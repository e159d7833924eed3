"""Copies of a network that share nothing, so that many samples are run at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..nets.fixednet import FixedNet

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Copies:
    """A network several times over: the neurons of all copies, then the sources of all.

    Attributes:
        net: of which there are copies.
        n: how many.
    """

    net: FixedNet
    n: int

    def network(self) -> FixedNet:
        """All copies as one network, but for `axons`, which are those of one."""
        net, n = self.net, self.n
        middle = int(net.start[net.n_neurons])  # where rows of sources begin

        def parts(each: Integers) -> list[Integers]:
            return np.split(each, [middle])

        def tiled(each: Integers) -> Integers:
            return np.concatenate([np.tile(part, n) for part in parts(each)])

        copy = np.concatenate([np.arange(n).repeat(len(part)) for part in parts(net.target)])
        lengths = [np.tile(part, n) for part in np.split(np.diff(net.start), [net.n_neurons])]
        return replace(
            net,
            profile=np.tile(net.profile, n),
            initial=np.tile(net.initial, n),
            start=np.concatenate([[0], np.cumsum(np.concatenate(lengths))]),
            target=tiled(net.target) + copy * net.n_neurons,
            weight=tiled(net.weight),
            hop=tiled(net.hop),
            format=tiled(net.format),
        )

    def events(self, samples: Sequence[Integers]) -> Integers:
        """Events of each sample, at the sources of its copy."""
        return np.concatenate(
            [np.zeros((0, 2), np.int64), *map(self._moved, range(self.n), samples)]
        )

    def _moved(self, copy: int, events: Integers) -> Integers:
        """Axon n_neurons + k of one network is n n_neurons + copy n_sources + k of all."""
        net = self.net
        first = self.n * net.n_neurons + copy * (net.n_axons - net.n_neurons)
        return np.asarray(events + np.array([0, first - net.n_neurons]))

    def spikes(self, together: Integers) -> list[Integers]:
        """The spikes of each copy, in their order."""
        copy, neuron = np.divmod(together[:, 1], self.net.n_neurons)
        spikes = np.stack([together[:, 0], neuron], axis=1)
        order = np.argsort(copy, kind="stable")
        ends = np.cumsum(np.bincount(copy, minlength=self.n))
        return np.split(spikes[order], ends[:-1])


def events_through(net: FixedNet, steps: int, events: Integers, spikes: Integers) -> int:
    """Synapses that a run's spikes went through, of sources and of neurons."""
    all_of_them = np.concatenate([events[events[:, 0] <= steps], spikes])
    if net.semantics.merges_spikes:
        all_of_them = np.unique(all_of_them, axis=0)
    return int(np.diff(net.start)[all_of_them[:, 1]].sum())
