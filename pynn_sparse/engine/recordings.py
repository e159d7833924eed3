"""What a run has recorded, until the user asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..network import Block, Network, SynapseProbe, SynapseTable, memory
from ..network.block import Arrays
from ..network.synapses import Present
from .neurons.spikes import GRADED, SpikeStore

if TYPE_CHECKING:
    from ..network.contents import Contents
    from ..network.probe import Series
    from .neurons.spikes import Recorded
    from .plan import Samples

GRADED_NAMES = "neuron", "stamp", "multiplicity"  # of columns of events in a checkpoint


class Recordings:
    """Spikes, graded events, and the samples of the network's probes of neurons and synapses.

    Args:
        network: whose neurons are recorded.
        memory: bytes; what takes more is moved to disk by `spill`.

    Attributes:
        spikes: of neurons that send them.
        graded: events of neurons whose events carry values.
        refused: step and neuron of the first event whose value could not be sent, None without.
    """

    def __init__(self, network: Network, memory: float) -> None:
        self._network, self._memory = network, memory
        self.spikes = SpikeStore()
        self.graded = SpikeStore(GRADED)
        self.refused: tuple[int, int] | None = None

    def take(self, calls: Iterable[tuple[Samples, Recorded]]) -> None:
        """Take up what calls down have recorded."""
        for samples, recorded in calls:
            for probe, rows in samples:
                probe.append(rows)
            self.spikes.extend(recorded.spikes)
            self.graded.extend(recorded.graded)
            self.refused = self.refused or recorded.refused

    def store_of(self, block: Block) -> SpikeStore:
        """Where the spikes of a block's neurons are, or their graded events."""
        return self.graded if block.model.graded else self.spikes

    def forget(self, block: Block | None = None) -> None:
        """Discard the recorded spikes and events of a block, or of all."""
        first, size = (block.first, block.size) if block else (0, self._network.size)
        for store in (self.spikes, self.graded):
            store.discard(first, size)

    def require_room(self, end: int) -> None:
        """Raise `NetworkTooLargeError` where the samples of synapses until a step would not fit."""
        size = sum(each.bytes_until(end) for each in self._network.synapse_probes)
        if size:
            until = self._network.grid.time(end)
            memory.require_to_record(size, f"recording synapses until {until:g} ms")

    def due(self, step: int) -> list[SynapseProbe]:
        """Those probes of synapses that take a sample at a step."""
        return [each for each in self._network.synapse_probes if each.next == step]

    def sample(
        self,
        due: list[SynapseProbe],
        present: Callable[[SynapseTable, NDArray[np.int64] | None], Present],
    ) -> None:
        """Take the samples that are `due`, of what is `present`, all or the synapses at places."""
        seen: dict[tuple[Any, bytes], Present] = {}  # for several variables of the same synapses

        def look(table: SynapseTable, places: NDArray[np.int64]) -> Present:
            key = table, places.tobytes()
            if key not in seen:
                seen[key] = present(table, None if len(places) == len(table) else places)
            return seen[key]

        for each in due:
            each.sample(look)

    def spill(self) -> None:
        """Move all to disk, if it takes more memory than it may."""
        stores: list[SpikeStore | Series] = [self.spikes, self.graded]
        stores += [*self._network.probes, *self._network.synapse_probes]
        if sum(each.nbytes for each in stores) > self._memory:
            for each in stores:
                each.spill()

    def snapshot(self) -> dict[str, Arrays]:
        """Spikes and events; samples are the user's to keep."""
        neuron, stamp = self.spikes.of(0, self._network.size)
        events = self.graded.of(0, self._network.size) if self._sends() else ()
        return {
            "spikes": {"neuron": neuron, "stamp": stamp},
            "graded": dict(zip(GRADED_NAMES, events, strict=False)),
        }

    def check(self, contents: Contents, now: int) -> None:
        """Raise `CheckpointError` for what was not recorded in this network by a step."""
        self._check(contents.part("spikes"), now).finish()
        events = contents.part("graded")
        if self._sends():
            self._check(events, now)
            events.check("multiplicity", np.int32, events.arrays["neuron"].shape)
        events.finish()

    def restore(self, spikes: Arrays, graded: Arrays) -> None:
        """Have what the parts of a snapshot have, and nothing else."""
        self.spikes, self.graded, self.refused = SpikeStore(), SpikeStore(GRADED), None
        self.spikes.append(spikes["neuron"], spikes["stamp"])
        if graded:
            self.graded.append(*(graded[name] for name in GRADED_NAMES))

    def _sends(self) -> bool:
        return any(block.model.graded for block in self._network.blocks)

    def _check(self, recorded: Contents, now: int) -> Contents:
        last = self._network.size - 1
        neuron = recorded.check("neuron", np.int32, (None,), least=0, most=last)
        recorded.check("stamp", np.int64, neuron.shape, least=0, most=now)
        if (np.diff(neuron) < 0).any():
            recorded.fail("neuron is not in ascending order")
        return recorded
