"""IBM's TrueNorth, in the tables of RANC, an open implementation of its cores (UA-RCL/RANC, MIT).

Cores have 256 axons, 256 neurons and a crossbar of bits. A neuron has four weights, one for each
type of axons, a leak, two thresholds, and one destination: an axon of a core, 1 to 15 ticks later
(Merolla et al. 2014, Science 345). The words and the update are those of RANC's ``Core.v`` (commit
08ae4bd), whose widths are parameters: 20 bits for potentials and thresholds, 9 for weights and
leaks here::

    v <- v + sum of weights that arrive + leak
    v >= threshold: spike, v <- reset, or v - threshold
    v < floor:      v <- -reset,       or v - floor

The adder wraps, which comes to the same whether it does at each spike or once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...arguments import door
from ...capability import (
    Capability,
    ConstantLeak,
    Jumps,
    OrderByWeight,
    Refractory,
    ResetBySubtraction,
)
from ...errors import ExportError, LimitsError, Violation
from ...hardware import Limits, Memory, Numbers, Placement, Resource
from ...models.semantics import STEPS, Semantics
from ...nets.fixednet import FixedNet, Frame
from ...target import Target
from .capabilities import FewWeights
from .files import ranc_files
from .map import Chip, arrange
from .words import LEAK_BITS, POTENTIAL_BITS, THRESHOLD_BITS, WEIGHT_BITS, pack, unpack

CORES = 4096
MOST_DELAY = 15
SIZES = (16, 32, 64, 128, 256)
RANGE = (-(1 << (POTENTIAL_BITS - 1)), (1 << (POTENTIAL_BITS - 1)) - 1)


class TrueNorth(Target):
    """All populations on cores, with relays where neurons have several destinations.

    Args:
        axons: of a core, 16 to 256 by powers of two; less than 256 for tests, as RANC allows.
        neurons: of a core, 2 to 256.
        reset_mode: 0 for resets to v_reset, 1 for those that subtract the threshold.
    """

    name = "truenorth"
    title = "IBM TrueNorth"
    version = 1

    def __init__(self, axons: int = 256, neurons: int = 256, reset_mode: int = 0) -> None:
        self.axons = door.one_of("axons", axons, SIZES)
        self.neurons = door.integer("neurons", neurons, 2, 256)
        self.reset_mode = door.one_of("reset_mode", reset_mode, (0, 1))

    def options(self) -> dict[str, Any]:
        return {"axons": self.axons, "neurons": self.neurons, "reset_mode": self.reset_mode}

    def limits(self) -> Limits:
        return Limits(hop=MOST_DELAY, reset_to_zero=True, neurons=CORES * self.neurons)

    def capabilities(self) -> tuple[Capability, ...]:
        resets = (ResetBySubtraction(),) if self.reset_mode == 1 else ()
        leak = ConstantLeak(towards_origin=False)
        return (Refractory(0), *resets, Jumps(), leak, FewWeights(4), OrderByWeight())

    def numbers(self, weight_bits: int, signed: bool) -> Numbers:
        if not signed or weight_bits > WEIGHT_BITS:
            raise ExportError(
                f"weight_bits = {weight_bits}, signed = {signed}: truenorth has signed weights of "
                f"up to {WEIGHT_BITS} bits"
            )
        return Numbers(
            greatest_weight=(1 << (weight_bits - 1)) - 1,
            shifts=(0, 0),
            voltage_range=RANGE,
            threshold_unit=1,
            greatest_threshold=(1 << THRESHOLD_BITS) - 1,
            bias_bits=LEAK_BITS - 1,
            bias_exponents=0,
        )

    def semantics(self, receptors: int) -> Semantics:
        return Semantics(
            order=STEPS,
            decay="truncating",
            decay_bits=1,
            current_decay_offset=1,
            compare="greater_or_equal",
            reset="subtract" if self.reset_mode else "value",
            current_range=RANGE,
            current_overflow="wrap",
            voltage_range=RANGE,
            voltage_overflow="wrap",
            n_receptors=receptors,
            floor=True,
            merges_spikes=True,
        )

    def arranged(self, fixed: FixedNet) -> Chip:
        """Where a network is. Raises `LimitsError` where it does not fit."""
        chip = arrange(fixed, self.name, self.axons, self.neurons)
        if len(chip.cores) > CORES:
            what, remedy = f"{len(chip.cores)} cores", "prune whole axons, or export less"
            raise LimitsError(self.name, [Violation("network", what, f"{CORES}", remedy)])
        return chip

    def place(self, fixed: FixedNet, weight_bits: int, signed: bool) -> Placement:
        chip = self.arranged(fixed)
        columns = [column for core in chip.cores for column in core.columns]
        relays = sum(column.through is not None for column in columns)
        return Placement(
            len(chip.cores),
            chip.core,
            (
                Resource("cores", len(chip.cores), CORES),
                Resource(
                    "neurons of a core", max(len(each.columns) for each in chip.cores), self.neurons
                ),
                Resource("axons of a core", max(each.axons for each in chip.cores), self.axons),
                Resource("copies of neurons", len(columns) - relays - fixed.n_neurons, None),
                Resource("relays", relays, None),
                Resource("outputs", len(chip.outputs), self.axons),
            ),
        )

    def pack(self, fixed: FixedNet, weight_bits: int, signed: bool) -> dict[str, Memory]:
        return pack(fixed, self.arranged(fixed), self.axons, self.neurons, self.reset_mode)

    def unpack(self, memories: Mapping[str, Memory], frame: Frame) -> FixedNet:
        return unpack(memories, frame, self.axons, self.neurons, self.reset_mode)

    def greatest_input(self, fixed: FixedNet, weight_bits: int) -> int:
        return RANGE[1]

    def more_files(self, tables: Any) -> dict[str, bytes]:
        return ranc_files(tables.memories, self.axons, self.neurons)
