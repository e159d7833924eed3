"""A network as it is laid out for a device: what a `Plan` is made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..network import Block, Network, Probe
from .neurons.blocks import BlockArrays
from .neurons.currents import CurrentLayout
from .neurons.junctions import JunctionLayout
from .ownership import Ownership
from .synapses.drawn import Backgrounds
from .synapses.layout import SynapseLayout
from .synapses.plasticity import Plasticity


@dataclass(frozen=True)
class Layout:
    """The parts of a network on a device, up to date at a step.

    `blocks` are in the order of the network's.
    """

    network: Network
    precision: str
    step: int
    blocks: tuple[BlockArrays, ...]
    ownership: Ownership
    synapses: SynapseLayout
    plasticity: Plasticity
    backgrounds: Backgrounds
    currents: CurrentLayout
    junctions: JunctionLayout

    def arrays_of(self, probe: Probe) -> BlockArrays:
        """The arrays of the population that a probe records."""
        return self.blocks[probe.block.index]

    def owner_starts(self, block: Block) -> NDArray[np.int32]:
        """Which owner advances which neurons of a block, see `Ownership`."""
        return self.ownership.starts[block.index]
