"""Connections of a projection, and in what those of two backends differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .activity import Floats, Integers

SAME_WEIGHT = 1e-6  # of the weight: what conversions of units and single precision leave
ALIKE = 1e-4  # of a ratio: how alike those of all weights must be to be called one factor


@dataclass
class Connections:
    """A projection, with one value for each connection, ordered by target, source, delay, weight.

    Attributes:
        pre, post: indices of the cells.
        weight: in nA, uS or mV, as in PyNN.
        delay: in ms.
        synapse: name of the synapse type.
        plastic: whether weights change during a run; they are those of its end.
    """

    pre: Integers
    post: Integers
    weight: Floats
    delay: Floats
    n_pre: int
    n_post: int
    synapse: str = "StaticSynapse"
    plastic: bool = False

    def __len__(self) -> int:
        return len(self.pre)

    @classmethod
    def of(cls, columns: Any, n_pre: int, n_post: int, **about: Any) -> Connections:
        """From an array with the columns pre, post, weight, delay."""
        table = np.asarray(columns, np.float64).reshape(-1, 4)
        # Rounded, so that digits that conversions of units lose do not change the order.
        keys = np.round(table[:, 3], 6), table[:, 0], table[:, 1]
        pre, post, weight, delay = table[np.lexsort((table[:, 2], *keys))].T
        return cls(pre.astype(int), post.astype(int), weight, delay, n_pre, n_post, **about)


@dataclass
class ConnectionDifference:
    """One projection on two backends.

    Attributes:
        counts: number of connections on each.
        same_pairs: whether the same cells are connected.
        same_in_degrees, same_out_degrees: whether each cell has as many.
        degree_difference: greatest difference of an in- or out-degree.
        worst_weight: greatest difference of a weight, relative to the greatest; None without the
            same pairs.
        mean_weights: on each.
        weight_factor: by what all weights differ, if all do by one factor.
        worst_delay: greatest difference of a delay, in time steps; None without the same pairs.
        delay_shift: by how many steps all delays differ, if all do by the same number.
        mean_delays: on each, in ms.
    """

    name: str
    synapse: str
    plastic: bool
    counts: tuple[int, int]
    same_pairs: bool
    same_in_degrees: bool
    same_out_degrees: bool
    degree_difference: int
    mean_weights: tuple[float, float]
    mean_delays: tuple[float, float]
    worst_weight: float | None = None
    weight_factor: float | None = None
    worst_delay: float | None = None
    delay_shift: int | None = None

    @property
    def same(self) -> bool:
        """Whether connections and delays are equal, and weights, unless they change in a run."""
        return self.same_pairs and self.same_delays and (self.plastic or self.same_weights)

    @property
    def same_weights(self) -> bool:
        """Whether all weights are equal but for rounding."""
        return self.worst_weight is not None and self.worst_weight <= SAME_WEIGHT

    @property
    def same_delays(self) -> bool:
        """Whether all delays are in the same time step."""
        return self.worst_delay is not None and self.worst_delay < 0.5


def difference(name: str, a: Connections, b: Connections, timestep: float) -> ConnectionDifference:
    """Compare a projection on two backends; `timestep` in ms."""
    degrees = [
        (np.bincount(x.post, minlength=x.n_post), np.bincount(x.pre, minlength=x.n_pre))
        for x in (a, b)
    ]
    shapes = (a.n_pre, a.n_post) == (b.n_pre, b.n_post)
    into, out = (shapes and np.array_equal(*pair) for pair in zip(*degrees, strict=True))
    found = ConnectionDifference(
        name=name,
        synapse=a.synapse,
        plastic=a.plastic,
        counts=(len(a), len(b)),
        same_pairs=shapes and np.array_equal(a.pre, b.pre) and np.array_equal(a.post, b.post),
        same_in_degrees=bool(into),
        same_out_degrees=bool(out),
        degree_difference=int(max(map(_worst, *degrees))) if shapes else max(len(a), len(b)),
        mean_weights=(_mean(a.weight), _mean(b.weight)),
        mean_delays=(_mean(a.delay), _mean(b.delay)),
    )
    if found.same_pairs:
        _add_values(found, a, b, timestep)
    return found


def _add_values(
    found: ConnectionDifference, a: Connections, b: Connections, timestep: float
) -> None:
    greatest = max(np.abs(a.weight).max(initial=0), np.abs(b.weight).max(initial=0))
    found.worst_weight = _worst(a.weight, b.weight) / greatest if greatest else 0.0
    steps = (b.delay - a.delay) / timestep
    found.worst_delay = float(np.abs(steps).max(initial=0))
    shifts = np.unique(np.round(steps).astype(int))
    if len(shifts) == 1 and shifts[0]:
        found.delay_shift = int(shifts[0])
    if not found.same_weights:
        weights = a.weight != 0
        ratios = b.weight[weights] / a.weight[weights]
        if np.ptp(ratios) <= ALIKE and not b.weight[~weights].any():
            found.weight_factor = float(np.median(ratios))


def _worst(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Greatest difference; both may be empty."""
    return float(np.abs(a - b).max(initial=0))


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else 0.0
