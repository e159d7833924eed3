"""SynSense's DYNAP-SE2: 4 chips of 4 cores of 256 analog neurons, with digital routing.

Each neuron has 64 CAM words, synapses that listen to a tag, and 4 SRAM words, destinations to which
its spikes are sent: a chip, some of its cores, a tag. A synapse's current is the sum of those of
the core's 4 base currents that its mask selects. These limits, the chips' places and the order of
bits in masks are those of rockpool 3.1.0 (``devices.dynapse``).

What the analog circuits compute is not integer arithmetic. The model that runs here has leaky
neurons in fixed point with the weights that the tables hold: it shows what pruning and masks do to
the network, not what a chip does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...arguments import door
from ...capability import Capability, FixedHop, Refractory
from ...errors import ExportError, LimitsError, Violation
from ...hardware import Limits, Memory, Numbers, Placement, Resource
from ...models.semantics import STEPS, Semantics
from ...nets.fixednet import FixedNet, Frame
from ...target import Target
from .capabilities import GREATEST, SHIFT, Dendrites, Masks, SignedReceptors, StartsAtReset
from .cores import CoreModel, CoreProfiles
from .files import dynapse2_json
from .subsets import BASES
from .words import CORES, NEURONS, NO_TAG, TAGS, pack, routes, tags_of, unpack

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

CHIPS, FAN_IN, DESTINATIONS = 4, 64, 4
STATE_BITS, DECAY_BITS = 32, 16
REMEDIES = {
    "neurons": "export fewer neurons, or take more chips",
    "cores": "export fewer neurons, or give more of them equal parameters: a core has one set",
    "destinations of a neuron": "reach fewer chips from a neuron, or take the option monitor=0",
}


class Dynapse2(Target):
    """Cores of analog neurons, with masks for weights and tags for connections.

    Args:
        chips: 1 to 4.
        monitor: 1 to give each neuron a destination outside, so that its spikes can be seen;
            else 0.
    """

    name = "dynapse2"
    title = "SynSense DYNAP-SE2"
    version = 1
    defaults: Mapping[str, Any] = {"weight_bits": BASES}
    model = CoreModel()

    def __init__(self, chips: int = CHIPS, monitor: int = 1) -> None:
        self.chips = door.integer("chips", chips, 1, CHIPS)
        self.monitor = door.one_of("monitor", monitor, (0, 1))

    def options(self) -> dict[str, Any]:
        return {"chips": self.chips, "monitor": self.monitor}

    def notes(self, tables: Any) -> tuple[str, ...]:
        return (
            "Neurons are analog circuits: what runs is a model of the network, leaky neurons with "
            "the weights that the tables hold. It does not predict the spikes of a chip.",
        )

    def limits(self) -> Limits:
        return Limits(hop=65535, reset_to_zero=True)

    def capabilities(self) -> tuple[Capability, ...]:
        starts, ends = (Refractory(65535), StartsAtReset()), (SignedReceptors(), Masks())
        return (*starts, Dendrites(), FixedHop(1), *ends)

    def numbers(self, weight_bits: int, signed: bool) -> Numbers:
        if weight_bits != BASES:
            raise ExportError(f"weight_bits = {weight_bits}: dynapse2 has masks of {BASES} bits")
        most = (1 << (STATE_BITS - 1)) - 1
        return Numbers(
            greatest_weight=GREATEST,
            shifts=(SHIFT, SHIFT),
            voltage_range=(-most - 1, most),
            threshold_unit=1,
            greatest_threshold=most,
            bias_bits=STATE_BITS - 1,
            bias_exponents=0,
        )

    def semantics(self, receptors: int) -> Semantics:
        most = (1 << (STATE_BITS - 1)) - 1
        return Semantics(
            order=STEPS,
            decay="truncating",
            decay_bits=DECAY_BITS,
            current_decay_offset=1,
            compare="greater_or_equal",
            reset="value",
            current_range=(-most - 1, most),
            current_overflow="saturate",
            voltage_range=(-most - 1, most),
            voltage_overflow="saturate",
            n_receptors=receptors,
        )

    def place(self, fixed: FixedNet, weight_bits: int, signed: bool) -> Placement:
        resources = tuple(self._resources(fixed))
        found = [
            Violation("network", f"{use.used} {use.name}", f"{use.available}", REMEDIES[use.name])
            for use in resources
            if use.available is not None and use.used > use.available
        ]
        found += [*self._fan_in(fixed), *self._tags(fixed)]
        if found:
            raise LimitsError(self.name, found)
        return Placement(len(fixed.profiles.bias), fixed.profile, resources)

    def _resources(self, fixed: FixedNet) -> Iterator[Resource]:
        axon = routes(fixed)[:, 0]
        words = np.bincount(axon[axon < fixed.n_neurons], minlength=fixed.n_neurons)
        yield Resource("neurons", fixed.n_neurons, self.chips * CORES * NEURONS)
        yield Resource("cores", len(fixed.profiles.bias), self.chips * CORES)
        yield Resource("destinations of a neuron", int(words.max()) + self.monitor, DESTINATIONS)
        tags = tags_of(fixed, self.monitor)
        yield Resource("tags", int(tags.max()), TAGS - 1)
        yield Resource("synapses", fixed.n_synapses, None)

    def _tags(self, fixed: FixedNet) -> Iterator[Violation]:
        without = int((tags_of(fixed, self.monitor) == NO_TAG).sum())
        if without:
            what = f"{without} neurons and sources for which no tag is left in all their cores"
            remedy = "export fewer"
            if self.monitor:
                remedy += ", or take the option monitor=0, with which cores use tags anew"
            yield Violation("network", what, f"{TAGS - 1} tags", remedy)

    def _fan_in(self, fixed: FixedNet) -> Iterator[Violation]:
        count = np.bincount(fixed.target, minlength=fixed.n_neurons)
        for each in fixed.axons:
            here = count[each.first : each.first + each.size]
            over = int((here > FAN_IN).sum())
            if over and not each.is_source:
                what = f"{over} cells with up to {here.max()} synapses"
                remedy = f"prune with max_fan_in={FAN_IN}"
                yield Violation(each.label, what, f"{FAN_IN}", remedy)

    def pack(self, fixed: FixedNet, weight_bits: int, signed: bool) -> dict[str, Memory]:
        return pack(fixed, self.monitor, SHIFT, DECAY_BITS, STATE_BITS)

    def unpack(self, memories: Mapping[str, Memory], frame: Frame) -> FixedNet:
        return unpack(memories, frame, SHIFT, CoreProfiles)

    def greatest_input(self, fixed: FixedNet, weight_bits: int) -> int:
        return (1 << (STATE_BITS - 1)) - 1

    def more_files(self, tables: Any) -> dict[str, bytes]:
        return {"dynapse2.json": dynapse2_json(tables)}
