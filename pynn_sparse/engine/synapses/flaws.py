"""Synapses for which a formula of the user gave what is no finite number."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ...network import SynapseTable
from ..devices.device import Device

AFTER_ALL, BITS_OF_SYNAPSE = 2**63 - 1, 32  # as in cuda/synapses/formulas.h


class Flaw(NamedTuple):
    """One of them, by its place in storage.

    `step` is when the source's spike came with which that was seen.
    """

    step: int
    table: SynapseTable
    place: int


class Flaws:
    """Where the kernels note the first of each table and owner; it stays noted."""

    def __init__(self, device: Device) -> None:
        self._device = device
        # Of each table, for each owner, 0 or what it has noted.
        self._noted: dict[int, tuple[SynapseTable, Any]] = {}

    def address(self, table: SynapseTable) -> int:
        """Of what the owners have for a table."""
        if table.index not in self._noted:
            self._noted[table.index] = table, self._device.zeros(self._device.n_owner, np.int64)
        return self._device.address(self._noted[table.index][1])

    def first(self) -> Flaw | None:
        """The first synapse that was noted, if there is one."""
        found = []
        for table, noted in self._noted.values():
            if most := int(self._device.get(noted).max()):
                step, number = divmod(AFTER_ALL - most, 1 << BITS_OF_SYNAPSE)
                found.append(Flaw(step, table, int(np.argmax(table.identity == number))))
        return min(found, key=lambda each: each.step, default=None)
