"""What the random numbers of a part of the network depend on."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass
class Trials:
    """Which trial, of those that `reset` separates, the random numbers of a network belong to."""

    number: int = 0


@dataclass(frozen=True)
class Stream:
    """Random numbers of a part of the network: they depend on `key` and on a neuron's number,
    counted from neuron `first`.
    """

    seed: int
    first: int = 0
    trials: Trials = field(default_factory=Trials)

    @property
    def key(self) -> int:
        """64 bits: the seed in the first trial, and numbers that it determines in those after."""
        seed = self.seed % 2**64
        if self.trials.number == 0:
            return seed
        sequence = np.random.SeedSequence(seed, spawn_key=(self.trials.number,))
        return int(sequence.generate_state(1, np.uint64)[0])
