"""SynSense's DYNAP-SE2: 4 chips of 4 cores of 256 analog neurons, with digital routing.

Each neuron has 64 CAM words, synapses that listen to a tag, and 4 SRAM words, destinations to which
its spikes are sent: a chip, some of its cores, a tag. A synapse's current is the sum of those of
the core's 4 base currents that its mask selects. These limits, the chips' places and the order of
bits in masks are those of rockpool 3.1.0 (``devices.dynapse``).

What the analog circuits compute is no integer arithmetic. The model that runs here has leaky
neurons in fixed point with the weights that the tables hold: it shows what pruning and masks do to
the network, not what a chip does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...arguments import integer, one_of
from ...errors import ExportError, LimitsError, Violation
from ...hardware import Limits, Memory, Numbers, Placement, Resource
from ...models.model import Leaky
from ...models.semantics import STEPS, Semantics
from ...nets.fixednet import FixedNet, Frame, Profiles
from ...nets.floatnet import FloatNet
from ...target import Target
from ...verification.proof import Check
from .files import dynapse2_json
from .subsets import BASES, best_bases, nearest, sums
from .words import CORES, NEURONS, NO_TAG, TAGS, pack, routes, tags_of, unpack

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

CHIPS, FAN_IN, DESTINATIONS = 4, 64, 4
MOST_BASE = 255  # fine value of a base current
# What a mask selects of 255, 127, 64 and 32: levels at about equal distances.
GREATEST = 478
SHIFT = 8  # of weights in the model
STATE_BITS, DECAY_BITS = 32, 16
REMEDIES = {
    "neurons": "export fewer neurons, or take more chips",
    "cores": "export fewer neurons, or give more of them equal parameters: a core has one set",
    "destinations of a neuron": "reach fewer chips from a neuron, or take the option monitor=0",
}


@dataclass(frozen=True, kw_only=True)
class CoreProfiles(Profiles):
    """Registers of the model, and base weights [n_cores, 4]: a row for each core."""

    base: Integers


class CoreModel(Leaky):
    """Leaky neurons in cores, which share all parameters."""

    def profiles(self, columns: Integers, rule: Semantics) -> tuple[Any, Integers]:
        """Neurons with equal registers, in their order, `NEURONS` on a core."""
        kinds, kind = super().profiles(columns, rule)
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
        self.chips = integer("chips", chips, 1, CHIPS)
        self.monitor = one_of("monitor", monitor, (0, 1))

    def options(self) -> dict[str, Any]:
        return {"chips": self.chips, "monitor": self.monitor}

    def notes(self, tables: Any) -> tuple[str, ...]:
        return (
            "Neurons are analog circuits: what runs is a model of the network, leaky neurons with "
            "the weights that the tables hold. It does not predict the spikes of a chip.",
        )

    def limits(self) -> Limits:
        return Limits(
            receptors=2,
            hop=65535,
            refractory=65535,
            reset_to_zero=True,
            recurrent_hop=1,
            starts_at_zero=True,
        )

    def violations(self, net: FloatNet) -> Iterable[Violation]:
        for part in net.connections:
            sign = -1 if part.receptor == "inhibitory" else 1
            wrong = int((part.weight * sign < 0).sum())
            if wrong:
                what = f"{wrong} synapses whose sign is not that of their receptor"
                remedy = "give inhibitory synapses negative weights, excitatory ones positive"
                yield Violation(part.label, what, "dendrites excite, or inhibit", remedy)

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

    def held(
        self, exact: Floats, target: Integers, profiles: Any, profile: Integers
    ) -> tuple[Integers, Any]:
        """Base weights of each core, and the sums of them that are nearest to its weights."""
        core, size = profile[target], np.abs(exact)
        base = self._bases(size, core, len(profiles.base))
        mantissa = np.zeros(len(exact), np.int64)
        for number in range(len(base)):
            here = np.flatnonzero((core == number) & (size > 0))
            mask = nearest(base[number], size[here])
            mantissa[here] = np.sign(exact[here]) * sums(base[number])[mask - 1]
        return mantissa, CoreProfiles(**vars(profiles) | {"base": base})

    def _bases(self, size: Floats, core: Integers, cores: int) -> Integers:
        """Base weights [cores, 4] for weights of these sizes on these cores."""
        rows = [best_bases(size[(core == k) & (size > 0)], MOST_BASE) for k in range(cores)]
        return np.array(rows)

    def weight_checks(self, tables: Any, exact: Floats) -> Iterator[Check]:
        fixed = tables.fixed
        parts = [part.weight for part in tables.net.connections]
        there = int((np.concatenate([np.zeros(0), *parts]) != 0).sum())
        yield Check(
            "the synapses that CAM and SRAM make are those of the pruned network",
            fixed.n_synapses == there,
            f"{fixed.n_synapses} of {there} with weights that are not 0",
        )
        masks = [mask for mask in product((0, 1), repeat=BASES) if any(mask)]
        codes = fixed.profiles.base @ np.array(masks).T  # [cores, 15]
        found = np.abs((fixed.charge() >> SHIFT) - exact)
        best = np.full(len(exact), np.inf)
        for code in codes.T:
            best = np.minimum(best, np.abs(code[fixed.profile[fixed.target]] - np.abs(exact)))
        bases = self._bases(np.abs(exact), fixed.profile[fixed.target], len(fixed.profiles.base))
        wrong = int((bases != fixed.profiles.base).any(axis=1).sum())
        yield Check(
            "each core has the base currents that its weights ask for",
            not wrong,
            f"{wrong} of {len(bases)} cores have others",
        )
        worse = int((found > best + 1e-6).sum())
        rms = float(np.sqrt(np.mean(found**2))) if len(found) else 0.0
        yield Check(
            "each mask is the one of 15 whose base currents are nearest to the weight",
            not worse,
            f"{worse} of {len(exact)} are not; RMS error {rms:.3f}, largest "
            f"{found.max(initial=0):.3f} of {GREATEST} units",
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
