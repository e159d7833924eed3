"""A network whose weights and registers are integers, and not yet in the order of tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .fixednet import Axons
from .floatnet import FloatNet
from .losses import Weights

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Draft:
    """What becomes a `FixedNet`.

    Attributes:
        target: name of the target.
        rounding: of weights, see `Quantise.rounding`.
        net: the network in floats, whose weights may have been limited.
        axons: its populations, neurons first.
        weights: of each projection.
        profiles: registers: `Profiles`, or what the target's model has instead.
        profile: int64 [N], index of each neuron's profile.
    """

    target: str
    rounding: str
    net: FloatNet
    axons: tuple[Axons, ...]
    weights: tuple[Weights, ...]
    profiles: Any
    profile: Integers

    @property
    def neuron(self) -> Integers:
        """Target of each synapse of the concatenated projections, int64 [n]."""
        first = {axons.label: axons.first for axons in self.axons}
        parts = self.net.connections
        of_part = [part.target + first[self.net.cells[part.post].label] for part in parts]
        return np.concatenate([np.zeros(0, np.int64), *of_part])
