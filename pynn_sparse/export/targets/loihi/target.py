"""Intel's Loihi 1 and 2: leaky integrate-and-fire compartments in fixed point.

Limits and formats are those that nengo-loihi 1.1.0 and lava-nc 0.10.0 enforce; the update rule is
the one of lava's bit-accurate ``LIF`` and ``Dense``. Weights are written in a form that lava,
nengo-loihi and brian2-loihi read alike: multiples of the step of their bits, with exponents of 0 or
greater.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...arguments import door
from ...capability import Capability, OneCurrent, Refractory
from ...errors import ExportError, LimitsError, Violation
from ...hardware import Limits, Memory, Numbers, Placement, Resource
from ...image import pack_rows, unpack_rows
from ...models.semantics import STEPS, Semantics
from ...nets.fixednet import FixedNet, Frame
from ...target import Target
from .files import loihi_files, loihi_notes
from .memory import Rows, axons_on_cores, rows_of

Integers = NDArray[np.int64]

WEIGHT_BITS = (1, 2, 3, 4, 5, 6, 8)
UNIT = 6  # a weight counts 2^6
MOST_EXPONENT = 7
NEURONS_OF_CORE = 1024
AXONS_OF_CORE = 4096  # incoming ones, and outgoing ones
MEMORY_OF_CORE = 16384 * 64  # bits
PROFILES_OF_CORE, THRESHOLDS_OF_CORE, FORMATS_OF_CORE = 32, 8, 8
# Neurons on a core, that are tried in turn: steps of a third and a quarter, down to one.
SIZES = (*(size for k in range(10, 1, -1) for size in (1 << k, 3 << (k - 2))), 2, 1)


class Loihi(Target):
    """What both chips share.

    Args:
        most_exponent: greatest exponent of weights, 0 to 7. With 0, weights are the 8 bits that
            lava-dl's netx has, and thresholds are small beside them.
    """

    title = ""
    version = 1
    cores = 128
    saturates = ("voltage",)
    chooses_headroom = True

    def __init__(self, most_exponent: int = MOST_EXPONENT) -> None:
        self.most_exponent = door.integer("most_exponent", most_exponent, 0, MOST_EXPONENT)

    def options(self) -> dict[str, Any]:
        return {"most_exponent": self.most_exponent}

    def limits(self) -> Limits:
        return Limits(hop=63, reset_to_zero=True, neurons=self.cores * NEURONS_OF_CORE)

    def capabilities(self) -> tuple[Capability, ...]:
        return (OneCurrent(), Refractory(62))

    def numbers(self, weight_bits: int, signed: bool) -> Numbers:
        if weight_bits not in WEIGHT_BITS:
            raise ExportError(
                f"weight_bits = {weight_bits}: {self.name} has "
                f"{', '.join(map(str, WEIGHT_BITS))} bits"
            )
        least = UNIT + weight_step(weight_bits, signed)
        return Numbers(
            greatest_weight=(1 << (weight_bits - signed)) - 1,
            shifts=(least, least + self.most_exponent),
            voltage_range=(-(1 << 23) + 1, (1 << 23) - 1),
            threshold_unit=64,
            greatest_threshold=(1 << 17) - 1,
            bias_bits=12,
            bias_exponents=7,
        )

    def semantics(self, receptors: int) -> Semantics:
        return Semantics(
            order=STEPS,
            decay="truncating",
            decay_bits=12,
            current_decay_offset=1,
            compare="greater",
            reset="value",
            current_range=(-(1 << 23) + 1, 1 << 23),
            current_overflow="wrap",
            voltage_range=(-(1 << 23) + 1, (1 << 23) - 1),
            voltage_overflow="saturate",
            n_receptors=receptors,
        )

    def place(self, fixed: FixedNet, weight_bits: int, signed: bool) -> Placement:
        rows = rows_of(fixed, weight_bits)
        for size in SIZES:
            if size > SIZES[-1] and _is_too_large(fixed, size, rows):
                continue
            core = np.arange(fixed.n_neurons) // size
            resources = tuple(_resources(fixed, core, rows))
            over = [each for each in resources if each.available and each.used > each.available]
            if not over:
                break
        cores = int(core[-1]) + 1
        resources = (Resource("cores", cores, self.cores), *resources)
        over = [each for each in resources if each.available and each.used > each.available]
        if over:
            raise LimitsError(
                self.name,
                [
                    Violation(
                        "network",
                        f"{each.used} {each.name}",
                        f"{each.available}",
                        "prune, take fewer bits, or export less of the network",
                    )
                    for each in over
                ],
            )
        return Placement(cores, core, resources)

    def pack(self, fixed: FixedNet, weight_bits: int, signed: bool) -> dict[str, Memory]:
        return pack_rows(fixed, weight_bits, signed, decay_bits=12, voltage_bits=25)

    def unpack(self, memories: Mapping[str, Memory], frame: Frame) -> FixedNet:
        return unpack_rows(memories, frame)

    def greatest_input(self, fixed: FixedNet, weight_bits: int) -> int:
        return (1 << 21) - 1

    def more_files(self, tables: Any) -> dict[str, bytes]:
        return loihi_files(tables)

    def notes(self, tables: Any) -> tuple[str, ...]:
        return loihi_notes(tables)


class Loihi1(Loihi):
    """The first chip."""

    name = "loihi1"
    title = "Intel Loihi 1"


class Loihi2(Loihi):
    """The second chip, with the neurons and number formats of the first one."""

    name = "loihi2"
    title = "Intel Loihi 2"


def weight_step(weight_bits: int, signed: bool) -> int:
    """Binary logarithm of the step of weights on the scale of 8 bits; a sign takes a bit."""
    return 8 - weight_bits + signed


def _is_too_large(fixed: FixedNet, size: int, rows: Rows) -> bool:
    """Whether the first core of so many neurons takes more than there is.

    Its synapses are a small part of the network's, and most sizes are ruled out by them.
    """
    first = np.zeros(min(size, fixed.n_neurons), np.int64)
    axons = axons_on_cores(rows.onto(len(first)), first)
    return int(axons.bits.sum()) > MEMORY_OF_CORE or len(axons.bits) > AXONS_OF_CORE


def _resources(fixed: FixedNet, core: Integers, rows: Rows) -> list[Resource]:
    """What the fullest core uses of each resource."""
    cores = int(core[-1]) + 1
    axons = axons_on_cores(rows, core)
    incoming = np.bincount(axons.core, minlength=cores)
    memory = np.zeros(cores, np.int64)
    np.add.at(memory, axons.core, axons.bits)
    inside = axons.source < fixed.n_neurons
    routes = np.unique(axons.source[inside] * cores + axons.core[inside])
    outgoing = np.bincount(core[routes // cores], minlength=cores)
    registers, profile = fixed.profiles, fixed.profile
    decays = np.column_stack(
        [registers.current_decay, registers.voltage_decay, registers.refractory]
    )[profile]
    count = len(fixed.formats.shift)
    formats = np.unique(axons.core * count + axons.format) // count
    thresholds = registers.threshold[profile][:, None]
    return [
        Resource("neurons of a core", int(np.bincount(core).max()), NEURONS_OF_CORE),
        Resource("bits of synaptic memory of a core", int(memory.max()), MEMORY_OF_CORE),
        Resource("incoming axons of a core", int(incoming.max()), AXONS_OF_CORE),
        Resource("outgoing axons of a core", int(outgoing.max()), AXONS_OF_CORE),
        Resource("compartment profiles of a core", _kinds(decays, core), PROFILES_OF_CORE),
        Resource("thresholds of a core", _kinds(thresholds, core), THRESHOLDS_OF_CORE),
        Resource(
            "synapse formats of a core",
            int(np.bincount(formats, minlength=1).max()),
            FORMATS_OF_CORE,
        ),
    ]


def _kinds(rows: Integers, core: Integers) -> int:
    """The greatest number of different rows on a core."""
    kinds = np.unique(np.column_stack([core, rows]), axis=0)
    return int(np.bincount(kinds[:, 0]).max())
