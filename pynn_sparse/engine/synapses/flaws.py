"""Synapses for which a formula of the user gave what is no finite number."""

from __future__ import annotations

from collections.abc import Iterable
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
        self._of: dict[int, Any] = {}  # table -> for each owner, 0 or what it has noted

    def address(self, table: SynapseTable) -> int:
        """Of what the owners have for a table."""
        empty = self._device.zeros(self._device.n_owner, np.int64)
        return self._device.address(self._of.setdefault(table.index, empty))

    def first(self, tables: Iterable[SynapseTable]) -> Flaw | None:
        """The first of these tables' synapses, if there is one."""
        found = []
        for table in tables if self._of else ():
            if table.index in self._of:
                most = int(self._device.get(self._of[table.index]).max())
                if most:
                    step, number = divmod(AFTER_ALL - most, 1 << BITS_OF_SYNAPSE)
                    found.append(Flaw(step, table, int(np.argmax(table.identity == number))))
        return min(found, key=lambda each: each.step, default=None)
