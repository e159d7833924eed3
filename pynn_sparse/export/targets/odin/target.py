"""tinyODIN: 256 neurons and a crossbar of 256 lines, in ODIN's style (ChFrenkel/tinyODIN).

Signed weights of 4 bits, potentials of 12 bits, a leak towards 0 in each time reference, and no
delays. The update is that of its RTL (commit 1865653): each spike that comes in on a line goes
through all neurons, each of which may fire at it::

    spike:          v <- sat(v + weight);                       v >= threshold: spike, v <- 0
    time reference: v <- v - leak or v + leak, but not past 0;  v >= threshold: spike, v <- 0

Spikes of neurons leave the chip, and the host sends them back after their delay, as it sends those
of sources (the chip's open loop). So lines are free to be given to any source and delay: see
`words.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...capability import Capability, ConstantLeak, Jumps, OrderByWeight, Refractory
from ...errors import ExportError, LimitsError, Violation
from ...hardware import Limits, Memory, Numbers, Placement, Resource
from ...models.semantics import EVENT_STEPS, Semantics
from ...nets.crossbar import Lines
from ...nets.fixednet import FixedNet, Frame
from ...target import Target
from .capabilities import ByEvent, NoBias
from .words import LEAK_BITS, LINES, NEURONS, VOLTAGE_BITS, WEIGHT_BITS, pack, unpack

RANGE = (-(1 << (VOLTAGE_BITS - 1)), (1 << (VOLTAGE_BITS - 1)) - 1)


class Odin(Target):
    """All populations on one core."""

    name = "odin"
    title = "tinyODIN"
    version = 1
    saturates = ("voltage",)
    defaults: Mapping[str, Any] = {"weight_bits": 4}

    def options(self) -> dict[str, Any]:
        return {}

    def limits(self) -> Limits:
        return Limits(hop=65535, reset_to_zero=True, neurons=NEURONS)

    def capabilities(self) -> tuple[Capability, ...]:
        leak = ConstantLeak(towards_origin=True, greatest=(1 << LEAK_BITS) - 1)
        return (Refractory(0), Jumps(), leak, NoBias(), ByEvent(), OrderByWeight())

    def numbers(self, weight_bits: int, signed: bool) -> Numbers:
        if not signed or weight_bits > WEIGHT_BITS:
            raise ExportError(
                f"weight_bits = {weight_bits}, signed = {signed}: odin has signed weights of up to "
                f"{WEIGHT_BITS} bits"
            )
        return Numbers(
            greatest_weight=(1 << (weight_bits - 1)) - 1,
            shifts=(0, 0),
            voltage_range=RANGE,
            threshold_unit=1,
            greatest_threshold=RANGE[1],
            bias_bits=1,
            bias_exponents=0,
        )

    def semantics(self, receptors: int) -> Semantics:
        return Semantics(
            order=EVENT_STEPS,
            decay="linear",
            decay_bits=1,
            current_decay_offset=1,
            compare="greater_or_equal",
            reset="value",
            current_range=RANGE,
            current_overflow="saturate",
            voltage_range=RANGE,
            voltage_overflow="saturate",
            n_receptors=receptors,
            spikes_per_step=1 + LINES,
        )

    def place(self, fixed: FixedNet, weight_bits: int, signed: bool) -> Placement:
        lines = len(Lines.of(fixed).axon)
        if lines > LINES:
            what = f"{lines} lines, one for each source and delay"
            remedy = "prune whole axons, or give the synapses of a source the same delay"
            raise LimitsError(self.name, [Violation("network", what, f"{LINES}", remedy)])
        return Placement(
            1,
            [0] * fixed.n_neurons,
            (
                Resource("neurons", fixed.n_neurons, NEURONS),
                Resource("lines", lines, LINES),
                Resource("synapses", fixed.n_synapses, NEURONS * LINES),
                Resource("cycles of a spike on a line", 2 * fixed.n_neurons, None),
            ),
        )

    def pack(self, fixed: FixedNet, weight_bits: int, signed: bool) -> dict[str, Memory]:
        return pack(fixed)

    def unpack(self, memories: Mapping[str, Memory], frame: Frame) -> FixedNet:
        return unpack(memories, frame)

    def greatest_input(self, fixed: FixedNet, weight_bits: int) -> int:
        return 1 << (WEIGHT_BITS - 1)

    def more_files(self, tables: Any) -> dict[str, bytes]:
        return {}
