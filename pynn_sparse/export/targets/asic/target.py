"""A core of our own, `verilog/pynn_sparse_core.v`, with these tables in its memories."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...arguments import door
from ...capability import Capability, Refractory
from ...hardware import Limits, Memory, Numbers, Placement, Resource
from ...image import pack_rows, row_layouts, unpack_rows
from ...models.semantics import STEPS, Semantics
from ...nets.fixednet import FixedNet, Frame
from ...target import Target
from .core import input_bits, parameters, ring_slots, sources

MOST_HOPS = 256


class Asic(Target):
    """Event-driven leaky integrate-and-fire neurons with synapses in rows.

    Args:
        voltage_bits: of voltages, currents and registers, 8 to 32.
        decay_bits: fraction bits of decays, 4 to 24.
    """

    name = "asic"
    title = "PyNN-sparse ASIC core"
    version = 1
    minifloats = True
    wider = "take more voltage_bits (--option voltage_bits=32)"
    saturates = ("current", "voltage")
    chooses_headroom = True

    def __init__(self, voltage_bits: int = 24, decay_bits: int = 16) -> None:
        self.voltage_bits = door.integer("voltage_bits", voltage_bits, 8, 32)
        self.decay_bits = door.integer("decay_bits", decay_bits, 4, 24)

    def options(self) -> dict[str, Any]:
        return {"voltage_bits": self.voltage_bits, "decay_bits": self.decay_bits}

    def limits(self) -> Limits:
        return Limits(hop=MOST_HOPS, reset_to_zero=False, neurons=1 << 20, synapses=1 << 28)

    def capabilities(self) -> tuple[Capability, ...]:
        return (Refractory(65535),)

    def numbers(self, weight_bits: int, signed: bool) -> Numbers:
        greatest = (1 << (weight_bits - signed)) - 1
        most = (1 << (self.voltage_bits - 1)) - 1
        return Numbers(
            greatest_weight=greatest,
            shifts=(0, self.voltage_bits - 1),
            voltage_range=(-most - 1, most),
            threshold_unit=1,
            greatest_threshold=most,
            bias_bits=self.voltage_bits - 1,
            bias_exponents=0,
        )

    def semantics(self, receptors: int) -> Semantics:
        most = (1 << (self.voltage_bits - 1)) - 1
        return Semantics(
            order=STEPS,
            decay="truncating",
            decay_bits=self.decay_bits,
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
        layouts = row_layouts(fixed, weight_bits, signed, self.decay_bits, self.voltage_bits)
        tables = tuple(
            Resource(f"{name}, bits", words * layout.width, None)
            for name, (layout, words) in layouts.items()
        )
        state = fixed.n_neurons * self.state_bits(fixed)
        ring = ring_slots(fixed) * fixed.n_neurons * fixed.semantics.n_receptors
        return Placement(
            1,
            [0] * fixed.n_neurons,
            (
                Resource("neurons", fixed.n_neurons, self.limits().neurons),
                Resource("synapses", fixed.n_synapses, self.limits().synapses),
                *tables,
                Resource("state of neurons, bits", state, None),
                Resource("ring of inputs, bits", ring * input_bits(fixed, weight_bits), None),
            ),
        )

    def state_bits(self, fixed: FixedNet) -> int:
        """Bits of a neuron's state."""
        waiting = max(1, int(fixed.profiles.refractory.max(initial=0)).bit_length())
        receptors: int = fixed.semantics.n_receptors
        return (1 + receptors) * self.voltage_bits + waiting

    def pack(self, fixed: FixedNet, weight_bits: int, signed: bool) -> dict[str, Memory]:
        return pack_rows(fixed, weight_bits, signed, self.decay_bits, self.voltage_bits)

    def unpack(self, memories: Mapping[str, Memory], frame: Frame) -> FixedNet:
        return unpack_rows(memories, frame)

    def greatest_input(self, fixed: FixedNet, weight_bits: int) -> int:
        return (1 << (input_bits(fixed, weight_bits) - 1)) - 1

    def more_files(self, tables: Any) -> dict[str, bytes]:
        return {**sources(), "parameters.vh": parameters(tables)}
