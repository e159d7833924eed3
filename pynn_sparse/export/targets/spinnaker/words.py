"""SpiNNaker's memory images: synaptic rows, master population tables, keys.

====================== ==================================================================
``cores``              the slices of populations, and what each core has of the memories below
``parameters``         sPyNNaker's region SynapseParams of each core
``populations``        PopTable of each core, in words of 32 bits
``synapses``           SynBlocks of each core, in words of 32 bits
``projections``        what the blocks of a core belong to, in the order of PyNN's projections
``keys``               routing keys and masks of all cores that send spikes
``neurons``            parameters of each neuron
====================== ==================================================================

A row has a header of 3 words, here 0, the number of synapses, 0, and a word for each synapse; rows
of a projection are as long as its longest one, filled up with 0. A core has a block of rows for
each projection, a row for each presynaptic cell. After sPyNNaker 1!7.4.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...hardware import Memory
from ...nets.fixednet import FixedNet
from ...nets.layout import Field, Layout, Limbs
from .cells import NAMES
from .keys import COLOUR_BITS, Keys, Slices, keys_of, slices_of

Integers = NDArray[np.int64]
Words = NDArray[np.uint32]

HEADER = 3  # words of a row
LONGEST_ROW = 256  # words without the header
TYPES = 2
RING_BITS = 14  # of neuron, type and delay in a core's ring buffers
ADDRESS_WORDS = 4  # addresses count 16 bytes
SPIKE_BUFFER = 256


def index_bits(n: int) -> int:
    """Bits of an index below n; at least one."""
    return max(1, (n - 1).bit_length())


def most_delay(size: int, per_core: int) -> int:
    """Greatest delay onto a population of this size, steps, without delay extensions."""
    return 1 << (RING_BITS - index_bits(TYPES) - index_bits(min(size, per_core)))


WORD = Layout("word", (Field("word", 32, False, "as in the region of this name"),))
CORE = Layout(
    "core",
    (
        Field("population", 16, False, "in the order of the manifest"),
        Field("first", 32, False, "neuron of the population"),
        Field("neurons", 16, False, "number"),
        Field("population_words", 32, False, "of `populations`"),
        Field("synapse_words", 32, False, "of `synapses`"),
    ),
)
PARAMETERS = Layout(
    "parameters",
    (
        Field("neurons", 32, False, "of the population's fullest core"),
        Field("types", 32, False, "receptors"),
        Field("neuron_bits", 32, False, "of a synaptic word"),
        Field("type_bits", 32, False, "of a synaptic word"),
        Field("delay_bits", 32, False, "of the ring buffers"),
        Field("drop_late_spikes", 32, False, "0"),
        Field("spike_buffer", 32, False, "spikes"),
        Field("shift_excitatory", 32, False, "left shift of the ring buffer"),
        Field("shift_inhibitory", 32, False, "left shift of the ring buffer"),
    ),
)
PROJECTION = Layout(
    "projection",
    (
        Field("pre", 16, False, "population"),
        Field("post", 16, False, "population"),
        Field("receptor", 1, False, "0 excitatory, 1 inhibitory"),
    ),
)
KEY = Layout(
    "key",
    (
        Field("population", 16, False, "in the order of the manifest"),
        Field("first", 32, False, "cell of the population"),
        Field("cells", 32, False, "number"),
        Field("key", 32, False, "of the first cell"),
        Field("mask", 32, False, "1 where the key identifies the core"),
    ),
)
ENTRY = Layout(
    "entry",
    (
        Field("key", 32, False, "of the presynaptic population"),
        Field("mask", 32, False, "1 where the key identifies it"),
        Field("start", 13, False, "in the address list"),
        Field("colour_bits", 3, False, "of the key, which are ignored"),
        Field("count", 16, False, "addresses"),
        Field("core_mask", 16, False, "of the presynaptic core, after the shift"),
        Field("core_shift", 16, False, "of the key"),
        Field("cells", 16, False, "of each presynaptic core but the last"),
        Field("bit_words", 16, False, "words of a bit for each of these"),
    ),
)
ADDRESS = Layout(
    "address",
    (
        Field("row_length", 8, False, "words without the header, less 1"),
        Field("address", 24, False, "of a block in the core's `synapses`, in 16 bytes"),
    ),
)
PARAMETER_FIELDS = {
    "initial": "mV, at the beginning",
    "rest": "v_rest, mV",
    "capacitance": "cm, nF",
    "voltage_decay": "tau_m, ms",
    "bias": "i_offset, nA",
    "reset": "v_reset, mV",
    "refractory": "tau_refrac, ms",
    "time_step": "ms",
    "threshold": "v_thresh, mV",
    "current_decay_0": "tau_syn_E, ms",
    "current_decay_1": "tau_syn_I, ms",
}
NEURON = Layout(
    "neuron",
    tuple(Field(name, 32, True, f"{what}, s16.15") for name, what in PARAMETER_FIELDS.items()),
)


def synaptic_word(neurons: int) -> Layout:
    """The word of a synapse on a core for this number of neurons."""
    bits = index_bits(neurons)
    type_bits = index_bits(TYPES)
    return Layout(
        "synapse",
        (
            Field("index", bits, False, "neuron of the core"),
            Field("type", type_bits, False, "0 excitatory, 1 inhibitory"),
            Field("delay", 16 - type_bits - bits, False, "steps"),
            Field("weight", 16, False, "magnitude in units of 2^(shift - 15) nA"),
        ),
    )


def words_of(layout: Layout, columns: Mapping[str, Integers]) -> Words:
    """Columns as words of 32 bits, one row for each entry, least significant word first."""
    limbs = np.ascontiguousarray(layout.encode(columns)).astype("<u8")
    words = limbs.view("<u4").reshape(len(limbs), 2 * limbs.shape[1])
    return words[:, : -(-layout.width // 32)].astype(np.uint32)


def columns_of(layout: Layout, words: NDArray[np.uint32]) -> dict[str, Integers]:
    """The columns of words [n, words of an entry]."""
    per_limb = -(-layout.width // 64) * 2
    padded = np.zeros((len(words), per_limb), "<u4")
    padded[:, : words.shape[1]] = words
    return layout.decode(padded.view("<u8").astype(np.uint64))


def _memory(words: Words) -> Memory:
    return Memory(WORD, words.astype(np.uint64).reshape(-1, 1))


# --- the network as projections --------------------------------------------------------------


@dataclass(frozen=True)
class Projection:
    """A projection: populations by number, and its synapses by number in the network."""

    pre: int
    post: int
    receptor: int
    shift: int
    synapses: Integers


def projections_of(fixed: FixedNet) -> list[Projection]:
    """Projections are the formats of a network, each with synapses of one pair of populations."""
    first = np.array([each.first for each in fixed.axons])
    order = np.argsort(fixed.format, kind="stable")
    count = len(fixed.formats.shift)
    parts = np.split(order, np.cumsum(np.bincount(fixed.format, minlength=count))[:-1])
    source = fixed.source
    found = []
    for number, part in enumerate(parts[:count]):
        pre, post = (
            int(np.searchsorted(first, cell, "right")) - 1
            for cell in (source[part[0]], fixed.target[part[0]])
        )
        receptor, shift = (int(x[number]) for x in (fixed.formats.receptor, fixed.formats.shift))
        found.append(Projection(pre, post, receptor, shift, part))
    return found


def incoming(projections: list[Projection], post: int) -> list[int]:
    """Numbers of the projections onto a population, together by presynaptic population."""
    numbers = [n for n, each in enumerate(projections) if each.post == post]
    order = list(dict.fromkeys(projections[n].pre for n in numbers))
    return sorted(numbers, key=lambda n: order.index(projections[n].pre))


# --- packing ---------------------------------------------------------------------------------


def pack(fixed: FixedNet, per_core: int) -> dict[str, Memory]:
    """All memories of a network whose formats are its projections."""
    slices = slices_of(fixed.axons, per_core)
    projections = projections_of(fixed)
    keys = keys_of(slices, [each.pre for each in projections])
    cores: list[Integers] = []
    parameters, tables, blocks = [], [], []
    for number, axons in enumerate(fixed.axons):
        if axons.is_source:
            continue
        part, mine = slices[number], incoming(projections, number)
        matrices = [_matrix(fixed, projections[n], slices) for n in mine]
        starts, region = _region(matrices, part.cores)
        table = _table([projections[n] for n in mine], matrices, starts, keys, slices)
        tables += [table] * part.cores
        blocks.append(region.reshape(-1))
        parameters += [_parameters(fixed, projections, mine, part)] * part.cores
        sizes = np.full(part.cores, len(table)), np.full(part.cores, region.shape[1])
        numbers = np.full(part.cores, number)
        cores.append(np.stack([numbers, part.first, part.sizes, *sizes], axis=1))
    columns = np.concatenate(cores).T
    names = [field.name for field in CORE.fields]
    return {
        "cores": Memory(CORE, CORE.encode(dict(zip(names, columns, strict=True)))),
        "parameters": Memory(PARAMETERS, np.concatenate(parameters)),
        "populations": _memory(np.concatenate(tables)),
        "synapses": _memory(np.concatenate(blocks)),
        "projections": Memory(PROJECTION, _projections(projections)),
        "keys": Memory(KEY, KEY.encode(keys.table(slices))),
        "neurons": Memory(NEURON, NEURON.encode(_neurons(fixed))),
    }


def _matrix(fixed: FixedNet, projection: Projection, slices: list[Slices]) -> Words:
    """The rows of a projection, uint32 [cores, cells, header and longest row]."""
    pre, post = slices[projection.pre], slices[projection.post]
    synapse = projection.synapses
    target = fixed.target[synapse] - post.axons.first
    core = target // post.per_core
    row = core * pre.axons.size + fixed.source[synapse] - pre.axons.first
    words = words_of(
        synaptic_word(post.per_core),
        {
            "index": target % post.per_core,
            "type": np.full(len(synapse), projection.receptor),
            "delay": fixed.hop[synapse],
            "weight": fixed.weight[synapse],
        },
    )[:, 0]
    order = np.argsort(row, kind="stable")
    counts = np.bincount(row, minlength=post.cores * pre.axons.size)
    matrix = np.zeros((len(counts), HEADER + int(counts.max())), np.uint32)
    matrix[:, 1] = counts
    begin = np.cumsum(counts) - counts
    matrix[row[order], HEADER + np.arange(len(row)) - begin[row[order]]] = words[order]
    return matrix.reshape(post.cores, pre.axons.size, -1)


def _region(matrices: list[Words], cores: int) -> tuple[list[int], Words]:
    """Where each block begins, in words, and all blocks of each core."""
    starts, end = [], 0
    for matrix in matrices:
        starts.append(-(-end // ADDRESS_WORDS) * ADDRESS_WORDS)
        end = starts[-1] + matrix[0].size
    region = np.zeros((cores, end), np.uint32)
    for start, matrix in zip(starts, matrices, strict=True):
        region[:, start : start + matrix[0].size] = matrix.reshape(cores, -1)
    return starts, region


def _table(
    projections: list[Projection],
    matrices: list[Words],
    starts: list[int],
    keys: Keys,
    slices: list[Slices],
) -> Words:
    """The master population table of a population's cores."""
    pres = sorted({each.pre for each in projections}, key=keys.key_of)
    lists = [[n for n, each in enumerate(projections) if each.pre == pre] for pre in pres]
    listed = [n for each in lists for n in each]
    counts = np.array([len(each) for each in lists], np.int64)
    per_core = np.array([slices[pre].per_core for pre in pres], np.int64)
    n = len(pres)
    entries = words_of(
        ENTRY,
        {
            "key": np.array([keys.key_of(pre) for pre in pres], np.int64),
            "mask": np.full(n, keys.mask),
            "start": np.cumsum(counts) - counts,
            "colour_bits": np.full(n, COLOUR_BITS),
            "count": counts,
            "core_mask": np.array([slices[pre].core_mask for pre in pres], np.int64),
            "core_shift": np.array([slices[pre].cell_bits for pre in pres], np.int64),
            "cells": per_core,
            "bit_words": -(-per_core // 32),
        },
    )
    lengths = np.array([matrices[n].shape[2] - HEADER for n in listed], np.int64)
    addresses = np.array([starts[n] // ADDRESS_WORDS for n in listed], np.int64)
    list_words = words_of(ADDRESS, {"row_length": lengths - 1, "address": addresses})
    head = np.array([n, len(listed)], np.uint32)
    return np.concatenate([head, entries.reshape(-1), list_words.reshape(-1)])


def _parameters(
    fixed: FixedNet, projections: list[Projection], mine: list[int], part: Slices
) -> Limbs:
    synapses = [projections[n].synapses for n in mine]
    longest = max([int(fixed.hop[each].max()) for each in synapses], default=0)
    slots = min(1 << index_bits(longest), most_delay(part.axons.size, part.per_core))
    shifts = [0] * TYPES
    for n in mine:
        shifts[projections[n].receptor] = projections[n].shift
    values = (
        *(part.per_core, TYPES, index_bits(part.per_core), index_bits(TYPES)),
        *(index_bits(slots) if longest else 1, 0, SPIKE_BUFFER, *shifts),
    )
    columns = zip(PARAMETERS.fields, values, strict=True)
    return PARAMETERS.encode({field.name: np.array([value]) for field, value in columns})


def _projections(projections: list[Projection]) -> Limbs:
    columns = [(each.pre, each.post, each.receptor) for each in projections]
    values = np.array(columns, np.int64).reshape(-1, 3).T
    return PROJECTION.encode(dict(zip(("pre", "post", "receptor"), values, strict=True)))


def _neurons(fixed: FixedNet) -> dict[str, Integers]:
    registers, profile = fixed.profiles, fixed.profile
    columns = {name: getattr(registers, name)[profile] for name in NAMES}
    for receptor in range(TYPES):
        columns[f"current_decay_{receptor}"] = registers.current_decay[profile, receptor]
    return columns | {"initial": fixed.initial}
