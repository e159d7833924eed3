"""What the kernels for the CPU keep of neurons at rest, see cuda/core/resting.h."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...network import Block
from .. import structures
from ..devices.device import Device
from ..synapses.units import GRANULE

MOST_SLOTS = np.iinfo(np.uint16).max  # steps for which input may be waited for


class Rest:
    """Arrays on a device, for a network in which nothing is known to rest.

    Args:
        device: where they are.
        blocks: whose neurons may rest.
        n_port: number of accumulators for a time step.
    """

    def __init__(self, device: Device, blocks: list[Block], n_port: int) -> None:
        self._device = device
        self._due = device.zeros(n_port // GRANULE, np.uint16)
        self._awake = {
            block.index: device.zeros(-(-block.size // GRANULE), np.uint8) for block in blocks
        }
        self.owners: NDArray[np.void] = device.zeros(device.n_owner, structures.REST)

    def awake(self, number: int) -> int:
        """Address of the bits of a block, 0 where its neurons do not rest."""
        return self._device.address(self._awake[number]) if number in self._awake else 0

    def fields(self) -> dict[str, Any]:
        """The fields of the plan."""
        address = self._device.address
        return {"due": address(self._due), "rest": address(self.owners)}
