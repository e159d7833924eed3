"""Words of tinyODIN's memories and of its SPI, and the host's table of lines.

============ ===========================================================================
``neurons``  the neuron SRAM, 256 words of 32 bits
``synapses`` the synapse SRAM, 8192 words of 32 bits: 8 weights, of neurons 8 (n mod 32) and on,
             for line n div 32
``lines``    which spikes the host sends on each line, and how many steps later
``spi``      commands that write all this into the chip
============ ===========================================================================

Neuron j of the chip is neuron j of the network. A line is one source (or neuron), one delay, and
one synapse to each neuron; several synapses of equal source, target and delay are on several lines,
in ascending order of their weights. Lines are in ascending order of axon, then delay.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ...errors import DamagedTablesError
from ...hardware import Memory
from ...nets.crossbar import Lines
from ...nets.fixednet import FixedNet, Formats, Frame, profiles_of
from ...nets.layout import Field, Layout, Limbs, bits_for

Integers = NDArray[np.int64]
NEURONS = LINES = 256
VOLTAGE_BITS, WEIGHT_BITS, LEAK_BITS = 12, 4, 7
IN_WORD = 8  # weights
NEVER = (1 << VOLTAGE_BITS) - 1  # threshold of neurons that are not there
OF_REGISTERS, OF_NEURONS, OF_SYNAPSES = range(3)  # SPI commands
GATE_ACTIVITY, OPEN_LOOP, SEND_LINES, MOST_NEURON = range(4)  # registers
TIME_REFERENCE = 0x1FF  # an event for all neurons

NEURON = Layout(
    "neuron",
    (
        Field("voltage", VOLTAGE_BITS, True, "at the beginning"),
        Field("threshold", VOLTAGE_BITS, False, "units"),
        Field("leak", LEAK_BITS, False, "units per time reference, towards 0"),
        Field("disabled", 1, False, "1: sends no spikes"),
    ),
)
SYNAPSES = Layout(
    "synapses",
    tuple(
        Field(f"weight_{i}", WEIGHT_BITS, True, f"to neuron {IN_WORD} (n mod 32) + {i}")
        for i in range(IN_WORD)
    ),
)
SPI = Layout(
    "spi",
    (
        Field("byte", 8, False, "data"),
        Field("mask", 8, False, "1: the bit stays as it is"),
        Field("zero", 4, False, "nothing"),
        Field("address", 16, False, "of a register; or byte and word, see `spi_address`"),
        Field("command", 2, False, "0: register, 1: neurons, 2: synapses"),
        Field("write", 1, False, "1: write"),
        Field("read", 1, False, "1: read"),
    ),
)


def line_layout(axons: int, hop: int) -> Layout:
    """Words of the host's table."""
    return Layout(
        "line",
        (
            Field("axon", bits_for(axons - 1), False, "neuron or source"),
            Field("hop", bits_for(hop), False, "steps from its spike to the one of the line's"),
        ),
    )


def spi_address(command: Integers, word: Integers, byte: Integers) -> Integers:
    """Address of a byte of a word: the byte's number is above 8 bits of word, or 13."""
    return np.asarray(word | byte << np.where(command == OF_NEURONS, 8, 13))


def pack(fixed: FixedNet) -> dict[str, Memory]:
    """The tables of a network that fits."""
    lines = Lines.of(fixed)
    host = line_layout(fixed.n_axons, int(lines.hop.max(initial=1)))
    neurons, synapses = NEURON.encode(_neurons(fixed)), SYNAPSES.encode(_weights(fixed, lines))
    commands = _commands(neurons, synapses, fixed.n_neurons)
    return {
        "neurons": Memory(NEURON, neurons),
        "synapses": Memory(SYNAPSES, synapses),
        "lines": Memory(host, host.encode({"axon": lines.axon, "hop": lines.hop})),
        "spi": Memory(SPI, SPI.encode(commands)),
    }


def _neurons(fixed: FixedNet) -> dict[str, Integers]:
    values = {field.name: np.zeros(NEURONS, np.int64) for field in NEURON.fields}
    values["threshold"][:], values["disabled"][:] = NEVER, 1
    here, registers = slice(fixed.n_neurons), fixed.profiles
    values["voltage"][here], values["disabled"][here] = fixed.initial, 0
    values["threshold"][here] = registers.threshold[fixed.profile]
    values["leak"][here] = registers.voltage_decay[fixed.profile]
    return values


def _weights(fixed: FixedNet, lines: Lines) -> dict[str, Integers]:
    dense = np.zeros((LINES, NEURONS), np.int64)
    dense[lines.line, fixed.target] = fixed.charge()
    words = dense.reshape(-1, IN_WORD)
    return {f"weight_{i}": words[:, i] for i in range(IN_WORD)}


def _commands(neurons: Limbs, synapses: Limbs, n: int) -> dict[str, Integers]:
    """Stop the chip, write its registers and memories, and let it run."""
    parts = [_register(GATE_ACTIVITY, 1), _register(OPEN_LOOP, 1), _register(SEND_LINES, 0)]
    parts.append(_register(MOST_NEURON, n - 1))
    for command, words in ((OF_NEURONS, neurons), (OF_SYNAPSES, synapses)):
        word, byte = (each.reshape(-1) for each in np.indices((len(words), 4)))
        value = (words[word, 0] >> (8 * byte).astype(np.uint64)).astype(np.int64) & 0xFF
        which = np.full(len(word), command)
        parts.append(np.stack([which, spi_address(which, word, byte), value]))
    parts.append(_register(GATE_ACTIVITY, 0))
    command, address, value = np.concatenate(parts, axis=1)
    nothing = np.zeros_like(value)
    return {
        "byte": value,
        "mask": nothing,
        "zero": nothing,
        "address": address,
        "command": command,
        "write": nothing + 1,
        "read": nothing,
    }


def _register(address: int, value: int) -> Integers:
    return np.array([[OF_REGISTERS], [address], [value]])


def replayed(commands: Limbs) -> tuple[Limbs, Limbs, dict[int, int]]:
    """Neuron and synapse SRAM and registers after SPI commands, from memories full of ones."""
    values = {name: each.tolist() for name, each in SPI.decode(commands).items()}
    memories = {
        OF_NEURONS: np.full((NEURONS, 4), 0xFF),
        OF_SYNAPSES: np.full((LINES * NEURONS // IN_WORD, 4), 0xFF),
    }
    registers: dict[int, int] = {}
    names = "command", "address", "byte", "mask", "write"
    for command, address, byte, mask, write in zip(*(values[name] for name in names), strict=True):
        if not write:
            continue
        if command == OF_REGISTERS:
            registers[address] = byte
        elif command in memories:
            bits = 8 if command == OF_NEURONS else 13
            location = address & ((1 << bits) - 1), address >> bits & 3
            memories[command][location] = byte & ~mask | memories[command][location] & mask
    words = [
        (each << (8 * np.arange(4))).sum(axis=1).astype(np.uint64)[:, None]
        for each in memories.values()
    ]
    return words[0], words[1], registers


def unpack(memories: Mapping[str, Memory], frame: Frame) -> FixedNet:
    """The network that tables hold.

    Raises `DamagedTablesError` where the SPI's commands write something else than the memories
    have, or there are synapses of lines or neurons that are not there.
    """
    table = {name: each.layout.decode(each.words) for name, each in memories.items()}
    n = sum(each.size for each in frame.axons if not each.is_source)
    n_axons = sum(each.size for each in frame.axons)
    _check_spi(memories, n)
    dense = np.column_stack([table["synapses"][f"weight_{i}"] for i in range(IN_WORD)])
    line, target = np.nonzero(dense.reshape(LINES, NEURONS))
    axon, hop = table["lines"]["axon"], table["lines"]["hop"]
    if (line >= len(axon)).any() or (target >= n).any():
        raise DamagedTablesError(f"synapses: weights beyond {len(axon)} lines or {n} neurons")
    if (axon >= n_axons).any():
        raise DamagedTablesError(f"lines.axon = {axon.max()}: there are {n_axons}")
    if (table["neurons"]["disabled"] != (np.arange(NEURONS) >= n)).any():
        raise DamagedTablesError(f"neurons.disabled: must be 0 for {n} neurons, and 1 for others")
    weight = dense.reshape(LINES, NEURONS)[line, target]
    order = np.lexsort((weight, hop[line], target, axon[line]))
    line, target, weight = line[order], target[order], weight[order]
    zero, one = np.zeros(len(line), np.int64), np.zeros(1, np.int64)
    profiles, profile = profiles_of(_registers(table["neurons"], n), 1)
    return FixedNet(
        frame.semantics,
        frame.axons,
        profiles,
        profile,
        table["neurons"]["voltage"][:n],
        Formats(one, one, one),
        np.searchsorted(axon[line], np.arange(n_axons + 1)).astype(np.int64),
        target,
        weight,
        hop[line],
        zero,
    )


def _registers(values: Mapping[str, Integers], n: int) -> Integers:
    """Columns for `profiles_of`; resets are to 0, without biases and refractory periods."""
    zero = np.zeros(n, np.int64)
    leak, threshold = values["leak"][:n], values["threshold"][:n]
    return np.column_stack([zero + 1, leak, threshold, zero, zero, zero])


def _check_spi(memories: Mapping[str, Memory], n: int) -> None:
    neurons, synapses, registers = replayed(memories["spi"].words)
    for name, words in (("neurons", neurons), ("synapses", synapses)):
        if not np.array_equal(words, memories[name].words):
            raise DamagedTablesError(f"spi does not write what {name} has")
    wanted = {GATE_ACTIVITY: 0, OPEN_LOOP: 1, SEND_LINES: 0, MOST_NEURON: n - 1}
    if registers != wanted:
        raise DamagedTablesError(f"spi leaves registers {registers}: must be {wanted}")


def aer_input(memories: Mapping[str, Memory], spikes: Integers, steps: int) -> Integers:
    """What the host sends in steps 1 to `steps`: step and 10-bit event, [n, 2].

    A step begins with a time reference; then the lines follow whose spikes are due, in ascending
    order. The host waits until the chip has processed an event before it sends the next time
    reference, which would otherwise overtake it.

    Args:
        memories: of the tables; the host needs `lines`.
        spikes: (step, axon) of sources and of neurons, in any order, [m, 2].
        steps: how many.
    """
    table = memories["lines"].layout.decode(memories["lines"].words)
    spike, line = np.nonzero(spikes[:, 1][:, None] == table["axon"][None, :])
    due = spikes[spike, 0] + table["hop"][line]
    inside = (due >= 1) & (due <= steps)
    references = np.column_stack([np.arange(1, steps + 1), np.full(steps, TIME_REFERENCE)])
    events = np.concatenate([references, np.column_stack([due[inside], line[inside]])])
    return events[np.lexsort((events[:, 1], events[:, 1] != TIME_REFERENCE, events[:, 0]))]
