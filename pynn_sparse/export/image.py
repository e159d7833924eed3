"""Tables of rows: the form in which list-based targets hold a network.

======================= =====================================================================
``rows``                where the synapses of each axon begin; one word more than axons
``synapses``            a word for each synapse; weights are integers, or numbers of a `Minifloat`
``formats``             how weights are read
``neurons``             the profile of each neuron, and its voltage at the beginning
``profiles``            registers
======================= =====================================================================

The widths follow from the network, but for what the target fixes.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from .errors import DamagedTablesError
from .hardware import Memory
from .nets.fixednet import FixedNet, Formats, Frame, Integers, Profiles
from .nets.layout import Field, Layout, bits_for, signed_bits_for
from .nets.minifloat import Minifloat

REGISTERS = ("voltage_decay", "threshold", "reset", "bias", "refractory")


def synapse_layout(fixed: FixedNet, weight_bits: int, signed: bool) -> Layout:
    """Words of synapses; a hop h is stored as h - 1."""
    return Layout(
        "synapse",
        (
            Field("target", bits_for(fixed.n_neurons - 1), False, "neuron"),
            Field("hop", bits_for(int(fixed.hop.max(initial=1)) - 1), False, "steps, less 1"),
            Field("format", bits_for(len(fixed.formats.shift) - 1), False, "row of `formats`"),
            *_weight_fields(fixed.minifloat, weight_bits, signed),
        ),
    )


def _weight_fields(kind: Minifloat | None, weight_bits: int, signed: bool) -> tuple[Field, ...]:
    if kind is None:
        return (Field("weight", weight_bits, signed, "mantissa"),)
    m = kind.mantissa_bits
    fields = (
        [Field("mantissa", m, False, f"m: m if e = 0, else (2^{m} + m) << (e - 1)")] if m else []
    )
    fields.append(Field("exponent", kind.exponent_bits, False, "e" if m else "1 << (e - 1), or 0"))
    return (*fields, Field("sign", 1, False, "1: negative")) if signed else tuple(fields)


def _weight_columns(fixed: FixedNet, synapse: Layout) -> dict[str, Integers]:
    if fixed.minifloat is None:
        return {"weight": fixed.weight}
    exponent, mantissa = fixed.minifloat.encode(np.abs(fixed.weight))
    sign = (fixed.weight < 0).astype(np.int64)
    columns = {"mantissa": mantissa, "exponent": exponent, "sign": sign}
    return {field.name: columns[field.name] for field in synapse.fields if field.name in columns}


def _weights(synapse: Mapping[str, Integers], kind: Minifloat | None) -> Integers:
    if kind is None:
        return synapse["weight"]
    exponent = synapse["exponent"]
    magnitude = kind.decode(exponent, synapse.get("mantissa", np.zeros_like(exponent)))
    return np.where(synapse.get("sign", np.zeros_like(exponent)) == 1, -magnitude, magnitude)


def _minifloat(synapse: Layout) -> Minifloat | None:
    """The format that a layout's weights have."""
    width = {field.name: field.width for field in synapse.fields}
    return Minifloat(width["exponent"], width.get("mantissa", 0)) if "exponent" in width else None


def format_layout(fixed: FixedNet) -> Layout:
    """Words of formats."""
    return Layout(
        "format",
        (
            Field("shift", bits_for(int(fixed.formats.shift.max(initial=0))), False, "left shift"),
            Field("receptor", bits_for(fixed.semantics.n_receptors - 1), False, "current"),
            Field("negative", 1, False, "1: the weight is subtracted"),
        ),
    )


def neuron_layout(fixed: FixedNet) -> Layout:
    """Words of neurons."""
    width = signed_bits_for(fixed.initial)
    return Layout(
        "neuron",
        (
            Field("profile", bits_for(len(fixed.profiles.bias) - 1), False, "row of `profiles`"),
            Field("initial", width, True, "voltage at the beginning, integer units"),
        ),
    )


def profile_layout(fixed: FixedNet, decay_bits: int, voltage_bits: int) -> Layout:
    """Words of neurons' registers."""
    receptors = fixed.semantics.n_receptors
    waiting = bits_for(int(fixed.profiles.refractory.max(initial=0)))
    unit, offset = "integer units", fixed.semantics.current_decay_offset
    shifts = fixed.semantics.decay == "shifting"
    decay = "-log2(1 - factor)" if shifts else f"2^{decay_bits} (1 - factor)"
    return Layout(
        "profile",
        (
            *(
                Field(f"current_decay_{r}", decay_bits, False, f"{decay} - {offset}")
                for r in range(receptors)
            ),
            Field("voltage_decay", decay_bits, False, decay),
            Field("threshold", voltage_bits, True, unit),
            Field("reset", voltage_bits, True, unit),
            Field("bias", voltage_bits, True, f"{unit} per step"),
            Field("refractory", waiting, False, "steps"),
        ),
    )


def row_layouts(
    fixed: FixedNet, weight_bits: int, signed: bool, decay_bits: int, voltage_bits: int
) -> dict[str, tuple[Layout, int]]:
    """Layout and number of the words of each table."""
    row = Layout("row", (Field("first", bits_for(fixed.n_synapses), False, "synapse"),))
    profile = profile_layout(fixed, decay_bits, voltage_bits)
    return {
        "rows": (row, len(fixed.start)),
        "synapses": (synapse_layout(fixed, weight_bits, signed), fixed.n_synapses),
        "formats": (format_layout(fixed), len(fixed.formats.shift)),
        "neurons": (neuron_layout(fixed), fixed.n_neurons),
        "profiles": (profile, len(fixed.profiles.bias)),
    }


def pack_rows(
    fixed: FixedNet, weight_bits: int, signed: bool, decay_bits: int, voltage_bits: int
) -> dict[str, Memory]:
    """The tables of a network."""
    layouts = row_layouts(fixed, weight_bits, signed, decay_bits, voltage_bits)
    registers = {name: getattr(fixed.profiles, name) for name in REGISTERS}
    for receptor in range(fixed.semantics.n_receptors):
        registers[f"current_decay_{receptor}"] = fixed.profiles.current_decay[:, receptor]
    columns = {
        "rows": {"first": fixed.start},
        "synapses": {
            "target": fixed.target,
            "hop": fixed.hop - 1,
            "format": fixed.format,
            **_weight_columns(fixed, layouts["synapses"][0]),
        },
        "formats": {
            "shift": fixed.formats.shift,
            "receptor": fixed.formats.receptor,
            "negative": fixed.formats.negative,
        },
        "neurons": {"profile": fixed.profile, "initial": fixed.initial},
        "profiles": registers,
    }
    return {
        name: Memory(layout, layout.encode(columns[name])) for name, (layout, _) in layouts.items()
    }


def unpack_rows(memories: Mapping[str, Memory], frame: Frame) -> FixedNet:
    """The network that tables hold; semantics and populations are those of `frame`.

    Raises `DamagedTablesError` where a table refers to what is not there.
    """
    table = {name: memory.layout.decode(memory.words) for name, memory in memories.items()}
    synapse, profile, formats = table["synapses"], table["profiles"], table["formats"]
    receptors = frame.semantics.n_receptors
    start = table["rows"]["first"]
    if start[0] != 0 or (np.diff(start) < 0).any() or start[-1] != len(synapse["target"]):
        raise DamagedTablesError("rows do not divide the synapses: must begin at 0 and ascend")
    for name, values, count in (
        ("synapses.target", synapse["target"], len(table["neurons"]["profile"])),
        ("synapses.format", synapse["format"], len(formats["shift"])),
        ("neurons.profile", table["neurons"]["profile"], len(profile["bias"])),
        ("formats.receptor", formats["receptor"], receptors),
    ):
        if (values >= count).any():
            raise DamagedTablesError(f"{name} = {values.max()}: there are {count}")
    kind = _minifloat(memories["synapses"].layout)
    decays = [profile[f"current_decay_{receptor}"] for receptor in range(receptors)]
    return FixedNet(
        frame.semantics,
        frame.axons,
        Profiles(np.stack(decays, axis=1), **{name: profile[name] for name in REGISTERS}),
        table["neurons"]["profile"],
        table["neurons"]["initial"],
        Formats(formats["receptor"], formats["shift"], formats["negative"]),
        start,
        synapse["target"],
        _weights(synapse, kind),
        synapse["hop"] + 1,
        synapse["format"],
        kind,
    )
