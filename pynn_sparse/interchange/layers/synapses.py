"""Linear maps between flat layers, as lists of synapses."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Synapses:
    """A sparse matrix with a delay for each entry.

    Attributes:
        n_pre, n_post: sizes of the two layers.
        source, target: index in each, [n].
        weight: [n].
        delay: seconds, or whatever unit the graph's times have, [n].
    """

    n_pre: int
    n_post: int
    source: NDArray[np.int64]
    target: NDArray[np.int64]
    weight: NDArray[np.float64]
    delay: NDArray[np.float64]

    @classmethod
    def identity(cls, n: int) -> Synapses:
        """Each element to itself."""
        return cls.each(np.ones(n), np.zeros(n))

    @classmethod
    def each(cls, weight: NDArray[np.float64], delay: NDArray[np.float64]) -> Synapses:
        """Each element to itself, with its own weight and delay."""
        n, same = len(weight), np.arange(len(weight))
        return cls(n, n, same, same, weight, delay)

    def then(self, other: Synapses) -> Synapses:
        """The map of this one and then `other`; synapses of the same two cells are added up."""
        mine, theirs = meeting(self.target, other.source, other.n_pre)
        joined = Synapses(
            self.n_pre,
            other.n_post,
            self.source[mine],
            other.target[theirs],
            self.weight[mine] * other.weight[theirs],
            self.delay[mine] + other.delay[theirs],
        )
        return joined.merged()

    def merged(self) -> Synapses:
        """The same, with one synapse for each pair and delay, and none of weight 0."""
        n = len(self.source)
        pair = self.source * self.n_post + self.target
        order = np.lexsort((self.delay, pair))
        pair, delay = pair[order], self.delay[order]
        new = np.ones(n, bool)
        new[1:] = (np.diff(pair) != 0) | (np.diff(delay) != 0)
        begin = np.flatnonzero(new)
        weight = np.add.reduceat(self.weight[order], begin) if n else self.weight
        kept = np.flatnonzero(weight)
        chosen = order[begin][kept]
        return replace(
            self,
            source=self.source[chosen],
            target=self.target[chosen],
            weight=weight[kept],
            delay=self.delay[chosen],
        )

    def chosen(self, which: NDArray[np.bool_]) -> Synapses:
        """Some of them."""
        names = ("source", "target", "weight", "delay")
        return replace(self, **{name: getattr(self, name)[which] for name in names})

    def greatest_sum(self) -> float:
        """The greatest sum of the sizes of the weights that a target has."""
        return float(np.bincount(self.target, np.abs(self.weight)).max(initial=0.0))

    def product(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """What the target layer gets of constant values, [n_post]."""
        return np.bincount(self.target, self.weight * values[self.source], self.n_post).astype(
            float
        )


def meeting(
    target: NDArray[np.int64], source: NDArray[np.int64], n: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Places in both arrays, of all pairs of a target and a source that are the same, below n."""
    order = np.argsort(source, kind="stable")
    first = np.searchsorted(source[order], np.arange(n + 1))
    count = np.diff(first)[target]
    mine = np.repeat(np.arange(len(target)), count)
    start = np.repeat(first[target] - (np.cumsum(count) - count), count)
    return mine, order[start + np.arange(len(mine))]
