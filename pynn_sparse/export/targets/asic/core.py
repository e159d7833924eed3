"""The Verilog core: its sources, its parameters for a network, simulation and synthesis."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...nets.fixednet import FixedNet
from ...nets.layout import bits_for, signed_bits_for

FOLDER = Path(__file__).parent / "verilog"
SOURCES = (
    "pynn_sparse_core.v",
    "pynn_sparse_memory.v",
    "pynn_sparse_top.v",
    "pynn_sparse_stream.v",
    "pynn_sparse_bytes.v",
)
BENCH = "pynn_sparse_bench.v"
STREAM_BENCH = "pynn_sparse_stream_bench.v"
LOADED = ("rows", "synapses", "formats", "neurons", "profiles")  # tables by their number
BURST = 4  # times the input of one spike of every axon that an accumulator holds


def sources() -> dict[str, bytes]:
    """The Verilog files by name."""
    return {name: (FOLDER / name).read_bytes() for name in (*SOURCES, BENCH, STREAM_BENCH)}


def parameters(tables: Any) -> bytes:
    """`parameters.vh` of tables for the target `asic`."""
    values = parameter_values(tables)
    lines = "".join(f"  localparam {name} = {value};\n" for name, value in values.items())
    # Each module uses some of them.
    return f"  /* verilator lint_off UNUSED */\n{lines}  /* verilator lint_on UNUSED */\n".encode()


def parameter_values(tables: Any) -> dict[str, int]:
    """Parameters of the core, from the layouts of the words and the sizes of the tables."""
    fixed, memories, target = tables.fixed, tables.memories, tables.target
    kind, signed = fixed.minifloat, bool(tables.rule.signed)
    floating = kind.exponent_bits + kind.mantissa_bits + signed if kind else 0
    width = {
        f"{memory} {field.name}": field.width
        for memory, table in memories.items()
        for field in table.layout.fields
    }
    return {
        "NEURONS": fixed.n_neurons,
        "AXONS": fixed.n_axons,
        "SYNAPSES": max(fixed.n_synapses, 1),
        "FORMATS": len(fixed.formats.shift),
        "PROFILES": len(fixed.profiles.bias),
        "RECEPTORS": fixed.semantics.n_receptors,
        "VOLTAGE_BITS": target.voltage_bits,
        "DECAY_BITS": target.decay_bits,
        "INPUT_BITS": input_bits(fixed, tables.rule.weight_bits),
        "SLOT_BITS": ring_slots(fixed).bit_length() - 1,
        "NEURON_BITS": width["synapses target"],
        "AXON_BITS": bits_for(fixed.n_axons),
        "ROW_BITS": width["rows first"],
        "HOP_BITS": width["synapses hop"],
        "FORMAT_BITS": width["synapses format"],
        "SHIFT_BITS": width["formats shift"],
        "WEIGHT_BITS": floating or width["synapses weight"],
        "WEIGHT_SIGNED": int(signed),
        "EXPONENT_BITS": kind.exponent_bits if kind else 0,
        "PROFILE_BITS": width["neurons profile"],
        "INITIAL_BITS": width["neurons initial"],
        "REFRACTORY_BITS": width["profiles refractory"],
        "LOAD_BITS": max(table.layout.width for table in memories.values()),
        "ADDRESS_BITS": bits_for(max(len(table.words) for table in memories.values())),
    }


def input_bits(fixed: FixedNet, weight_bits: int) -> int:
    """Bits of an accumulator in the ring: `BURST` spikes of every axon do not overflow it."""
    return max(signed_bits_for([BURST * fixed.largest_input()]), weight_bits + 1)


def ring_slots(fixed: FixedNet) -> int:
    """Slots of the ring of inputs: a power of two above the greatest hop."""
    return 1 << int(fixed.hop.max(initial=1)).bit_length()
