"""Cores of the model: registers that all their neurons share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...models.model import Leaky
from ...models.semantics import Semantics
from ...nets.fixednet import Profiles
from .subsets import BASES
from .words import NEURONS

Integers = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class CoreProfiles(Profiles):
    """Registers of the model, and base weights [n_cores, 4]: a row for each core."""

    base: Integers


class CoreModel(Leaky):
    """Leaky neurons in cores, which share all parameters."""

    def profiles(self, columns: Integers, semantics: Semantics) -> tuple[Any, Integers]:
        """Neurons with equal registers, in their order, `NEURONS` on a core."""
        kinds, kind = super().profiles(columns, semantics)
        core, first = np.zeros(len(kind), np.int64), 0
        rows: list[int] = []
        for number in range(len(kinds.bias)):
            here = np.flatnonzero(kind == number)
            core[here] = first + np.arange(len(here)) // NEURONS
            cores = -(-len(here) // NEURONS)
            first += cores
            rows += [number] * cores
        registers = {name: each[rows] for name, each in kinds.registers().items()}
        return CoreProfiles(**registers, base=np.zeros((first, BASES), np.int64)), core
