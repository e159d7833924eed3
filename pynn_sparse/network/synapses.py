"""The synapses of a projection."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_DELAY_STEPS = 65535


class SynapseTable:
    """Synapses of one receptor, in the order in which they were made.

    Attributes:
        source, target: uint32 [n], in the network's index space of neurons.
        weight: float64 [n], or [1] where all are equal; in the user's unit and sign.
        delay: uint16 [n] or [1], in time steps, 1 .. MAX_DELAY_STEPS.
        receptor: name of the targets' receptor.
        version: counts changes of weights and delays.
    """

    def __init__(
        self,
        source: NDArray[np.uint32],
        target: NDArray[np.uint32],
        weight: NDArray[np.float64],
        delay: NDArray[np.uint16],
        receptor: str,
    ) -> None:
        self.source = source
        self.target = target
        self.weight = weight
        self.delay = delay
        self.receptor = receptor
        self.version = 0

    def __len__(self) -> int:
        return len(self.source)

    def update(self, *, weight: Any = None, delay: Any = None) -> None:
        """Replace weights and/or delays by arrays of length n or 1, already checked."""
        if weight is not None:
            self.weight = np.ascontiguousarray(weight, np.float64)
        if delay is not None:
            self.delay = np.ascontiguousarray(delay, np.uint16)
        self.version += 1

    @property
    def delay_range(self) -> tuple[int, int]:
        """Least and greatest delay in steps; the table must not be empty."""
        return int(self.delay.min()), int(self.delay.max())
