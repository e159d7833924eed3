"""What Akida alone has: layers that count spikes in windows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ...capability import Capability, Hops
from ...errors import Violation
from ...nets.fixednet import Axons
from ...nets.floatnet import FloatNet
from .chain import layers_of


@dataclass(frozen=True)
class Counts(Capability):
    """Spikes are counted in windows, of `window` time steps, by a chain of layers."""

    window: int

    def of_network(self, net: FloatNet) -> Iterator[Violation]:
        neurons = sum(cells.size for cells in net.cells if not cells.is_source)
        what = f"{neurons} neurons whose spikes have times"
        remedy = "none: the target counts spikes"
        yield Violation("network", what, "counts of spikes in windows", remedy, "rate")
        if not any(cells.is_source for cells in net.cells):
            yield Violation("network", "no sources", "at least one", "drive it with spikes")
        axons = [Axons(each.label, 0, each.size, each.is_source) for each in net.cells]
        parts = [part for part in net.connections if len(part)]
        for index in layers_of(axons, [(part.pre, part.post) for part in parts])[1]:
            yield Violation(
                parts[index].label,
                "synapses that do not lead from one layer to the next",
                "a chain of layers, from sources on",
                "leave recurrent projections out, and those that skip a layer",
            )

    def hops(self, net: FloatNet, hops: Hops) -> Hops:
        return [np.ones_like(hop) for hop in hops]
