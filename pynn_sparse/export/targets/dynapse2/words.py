"""Tables of DYNAP-SE2: who is where, what each neuron listens to, where its spikes go.

============= ==========================================================================
``neurons``   core and place of each neuron
``cam``       64 words of each neuron: its synapses, of mask 0 where there is none
``sram``      4 words of each neuron: its destinations, of no cores where there is none
``inputs``    destinations of sources, which the host sends to
``bases``     fine values of each core's 4 base currents
``registers`` of each core, in the model
============= ==========================================================================

The layouts are those of this project; a field holds what the chip's field of that name holds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import DamagedTablesError
from ...hardware import Memory
from ...image import REGISTERS, profile_layout
from ...nets.fixednet import FixedNet, Formats, Frame
from ...nets.layout import Field, Layout, bits_for
from .subsets import BASES, nearest

Integers = NDArray[np.int64]
Columns = Mapping[str, Integers]

CORES, NEURONS, SYNAPSES, WORDS = 4, 256, 64, 4  # of a chip, a core, a neuron, a neuron
TAGS, NO_TAG = 2048, -1  # tag 0 is used nowhere: with mask 0 it means that a word is empty
AMPA, GABA = 8, 4
OUTSIDE = -7  # hops in x and y to where spikes are seen
FIRST_CHIP = 1  # x of the first chip; that of the interface to the host is 0

PLACE = Layout(
    "neuron",
    (
        Field("neuron", 8, False, "of the core"),
        Field("core", 4, False, "2 bits of the core, 2 of the chip above them"),
    ),
)
SYNAPSE = Layout(
    "synapse",
    (
        Field("tag", 11, False, "that it listens to"),
        Field("mask", 4, False, "base currents 0 to 3, from the least significant bit"),
        Field("dendrite", 4, False, "8 AMPA, 4 GABA, 2 NMDA, 1 SHUNT"),
        Field("precise_delay", 1, False, "0"),
        Field("mismatched_delay", 1, False, "0"),
        Field("stp", 1, False, "0: no short-term plasticity"),
    ),
)
DESTINATION = (
    Field("tag", 11, False, "that is sent"),
    Field("cores", 4, False, "of the chip, core 0 in the least significant bit"),
    Field("x_hop", 4, True, "chips"),
    Field("y_hop", 4, True, "chips; -7 in both directions: to the host"),
)
ROUTE = Layout("destination", DESTINATION)
BASE = Layout("bases", tuple(Field(f"base_{k}", 8, False, "fine value") for k in range(BASES)))


def routes(fixed: FixedNet) -> Integers:
    """Axon, chip and mask of the chip's cores, [n, 3], of each chip that an axon reaches."""
    cores = len(fixed.profiles.bias)
    axon, core = divmod(np.unique(fixed.source * cores + fixed.profile[fixed.target]), cores)
    keys, which = np.unique(axon * cores + core // CORES, return_inverse=True)
    mask = np.zeros(len(keys), np.int64)
    np.bitwise_or.at(mask, which.reshape(-1), 1 << (core % CORES))
    return np.stack([*divmod(keys, cores), mask], axis=1)


def tags_of(fixed: FixedNet, monitor: int) -> Integers:
    """Tag of each axon; 0 where it needs none, `NO_TAG` where none is left.

    Each has a tag of its own, sources first, as long as there are so many. Else, unless spikes
    shall be seen, it takes the least one that is free in all cores that it reaches.
    """
    needs = np.diff(fixed.start) > 0
    needs[: fixed.n_neurons] |= monitor == 1
    order = np.roll(np.arange(fixed.n_axons), fixed.n_axons - fixed.n_neurons)
    order = order[needs[order]]
    tags = np.zeros(fixed.n_axons, np.int64)
    if len(order) < TAGS or monitor:
        number = np.arange(1, len(order) + 1)
        tags[order] = np.where(number < TAGS, number, NO_TAG)
        return tags
    taken = np.zeros((len(fixed.profiles.bias), TAGS), bool)
    taken[:, 0] = True
    for axon in order:
        cores = np.unique(fixed.profile[fixed.target[fixed.start[axon] : fixed.start[axon + 1]]])
        free = ~taken[cores].any(axis=0)
        tags[axon] = int(np.argmax(free)) if free.any() else NO_TAG
        if free.any():
            taken[cores, tags[axon]] = True
    return tags


def rank(groups: Integers) -> Integers:
    """How many equal numbers come before each."""
    order = np.argsort(groups, kind="stable")
    inside = np.arange(len(groups)) - np.searchsorted(groups[order], groups[order])
    ranks = np.empty_like(inside)
    ranks[order] = inside
    return ranks


# --- packing ---------------------------------------------------------------------------------


def pack(
    fixed: FixedNet, monitor: int, shift: int, decay_bits: int, state_bits: int
) -> dict[str, Memory]:
    """The tables of a network that keeps the limits."""
    tags = tags_of(fixed, monitor)
    profiles = fixed.profiles
    registers = {name: getattr(profiles, name) for name in REGISTERS}
    for receptor in range(fixed.semantics.n_receptors):
        registers[f"current_decay_{receptor}"] = profiles.current_decay[:, receptor]
    layout = profile_layout(fixed, decay_bits, state_bits)
    bases = {f"base_{k}": profiles.base[:, k] for k in range(BASES)}
    return {
        "neurons": _memory(PLACE, {"neuron": rank(fixed.profile), "core": fixed.profile}),
        "cam": _memory(SYNAPSE, _cam(fixed, tags, shift)),
        "sram": _memory(ROUTE, _sram(fixed, tags, monitor)),
        "inputs": _inputs(fixed, tags),
        "bases": _memory(BASE, bases),
        "registers": _memory(layout, registers),
    }


def _memory(layout: Layout, values: Columns) -> Memory:
    return Memory(layout, layout.encode(values))


def _cam(fixed: FixedNet, tags: Integers, shift: int) -> dict[str, Integers]:
    weight = fixed.charge() >> shift
    core = fixed.profile[fixed.target]
    mask = np.zeros(fixed.n_synapses, np.int64)
    for number, base in enumerate(fixed.profiles.base):
        here = core == number
        mask[here] = nearest(base, np.abs(weight[here]).astype(float))
    columns = {f.name: np.zeros(fixed.n_neurons * SYNAPSES, np.int64) for f in SYNAPSE.fields}
    word = fixed.target * SYNAPSES + rank(fixed.target)
    columns["tag"][word] = tags[fixed.source]
    columns["mask"][word] = mask
    columns["dendrite"][word] = np.where(weight < 0, GABA, AMPA)
    return columns


def _sram(fixed: FixedNet, tags: Integers, monitor: int) -> dict[str, Integers]:
    columns = {f.name: np.zeros(fixed.n_neurons * WORDS, np.int64) for f in DESTINATION}
    inside = routes(fixed)
    axon, chip, mask = inside[inside[:, 0] < fixed.n_neurons].T
    word = axon * WORDS + rank(axon)
    columns["tag"][word] = tags[axon]
    columns["cores"][word] = mask
    columns["x_hop"][word] = chip - fixed.profile[axon] // CORES
    if monitor:
        neuron = np.arange(fixed.n_neurons)
        word = neuron * WORDS + np.bincount(axon, minlength=fixed.n_neurons)
        columns["tag"][word] = tags[neuron]
        columns["cores"][word] = (1 << CORES) - 1
        columns["x_hop"][word] = columns["y_hop"][word] = OUTSIDE
    return columns


def _inputs(fixed: FixedNet, tags: Integers) -> Memory:
    """A spike of step t is sent so that it acts in step t + 1 + `later`."""
    found = routes(fixed)
    axon, chip, mask = found[found[:, 0] >= fixed.n_neurons].T
    later = fixed.hop[fixed.start[axon]] - 1
    source = axon - fixed.n_neurons
    fields = (
        *DESTINATION,
        Field("source", bits_for(max(fixed.n_axons - fixed.n_neurons - 1, 0)), False, "in order"),
        Field("later", bits_for(int(later.max(initial=0))), False, "steps"),
    )
    values = {
        "tag": tags[axon],
        "cores": mask,
        "x_hop": chip + FIRST_CHIP,
        "y_hop": np.zeros_like(chip),
        "source": source,
        "later": later,
    }
    return _memory(Layout("input", fields), values)


# --- unpacking -------------------------------------------------------------------------------


def unpack(
    memories: Mapping[str, Memory], frame: Frame, shift: int, profiles: Callable[..., Any]
) -> FixedNet:
    """The network that CAM and SRAM make: each word that listens to what is sent to its core.

    Raises `DamagedTablesError` where words refer to what is not there.
    """
    table = {name: memory.layout.decode(memory.words) for name, memory in memories.items()}
    core, cam, base = table["neurons"]["core"], table["cam"], _columns(table["bases"], "base_")
    n, receptors = len(core), frame.semantics.n_receptors
    n_axons = sum(each.size for each in frame.axons)
    _check(table, n_axons, n, len(base))
    axon, word, later = _connections(table, n, len(base))
    order = np.lexsort((word, axon))
    axon, word, later = axon[order], word[order], later[order]
    target = word // SYNAPSES
    bits = (cam["mask"][word][:, None] >> np.arange(BASES)) & 1
    inhibits = cam["dendrite"][word] == GABA
    size = (bits * base[core[target]]).sum(axis=1)
    number = np.arange(receptors)
    registers = {name: table["registers"][name] for name in REGISTERS}
    registers["current_decay"] = _columns(table["registers"], "current_decay_")
    return FixedNet(
        frame.semantics,
        frame.axons,
        profiles(**registers, base=base),
        core,
        np.zeros(n, np.int64),
        Formats(number, np.full_like(number, shift), np.zeros_like(number)),
        np.searchsorted(axon, np.arange(n_axons + 1)).astype(np.int64),
        target,
        np.where(inhibits, -size, size),
        later + 1,
        inhibits * (receptors - 1),
    )


def _columns(table: Columns, prefix: str) -> Integers:
    names = [name for name in table if name.startswith(prefix)]
    return np.stack([table[f"{prefix}{k}"] for k in range(len(names))], axis=1)


def _check(table: Mapping[str, Columns], n_axons: int, n: int, cores: int) -> None:
    for name, found, wanted in (
        ("cam", len(table["cam"]["tag"]), n * SYNAPSES),
        ("sram", len(table["sram"]["tag"]), n * WORDS),
        ("registers", len(table["registers"]["bias"]), cores),
    ):
        if found != wanted:
            raise DamagedTablesError(f"{name} has {found} words, must have {wanted}")
    core = table["neurons"]["core"]
    if (core >= cores).any():
        raise DamagedTablesError(f"neurons.core = {core.max()}: there are {cores} in use")
    source = table["inputs"]["source"]
    if (source >= n_axons - n).any():
        raise DamagedTablesError(f"inputs.source = {source.max()}: there are {n_axons - n}")
    dendrite = table["cam"]["dendrite"][table["cam"]["mask"] != 0]
    if not np.isin(dendrite, (AMPA, GABA)).all():
        raise DamagedTablesError("cam.dendrite: must be AMPA or GABA where there is a synapse")


def _connections(
    table: Mapping[str, Columns], n: int, cores: int
) -> tuple[Integers, Integers, Integers]:
    """Axon, CAM word and delay beyond a step of each synapse."""
    axon, core, tag, later = _sent(table, n, cores)
    word = np.flatnonzero(table["cam"]["mask"])
    heard = table["neurons"]["core"][word // SYNAPSES] * TAGS + table["cam"]["tag"][word]
    order = np.argsort(heard, kind="stable")
    word, heard = word[order], heard[order]
    key = core * TAGS + tag
    low, high = np.searchsorted(heard, key, "left"), np.searchsorted(heard, key, "right")
    count = high - low
    position = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count - low, count)
    return np.repeat(axon, count), word[position], np.repeat(later, count)


def _sent(table: Mapping[str, Columns], n: int, cores: int) -> tuple[Integers, ...]:
    """Axon, core, tag and delay of all that is sent; nothing that leaves the chips in use."""
    sram, inputs = table["sram"], table["inputs"]
    axon = np.concatenate([np.arange(n).repeat(WORDS), inputs["source"] + n])
    own = table["neurons"]["core"].repeat(WORDS) // CORES
    outside = np.full(len(inputs["source"]), -FIRST_CHIP)
    chip = np.concatenate([own, outside])
    both = {f.name: np.concatenate([sram[f.name], inputs[f.name]]) for f in DESTINATION}
    later = np.concatenate([np.zeros(n * WORDS, np.int64), inputs["later"]])
    chip = chip + both["x_hop"]
    bit = (both["cores"][:, None] >> np.arange(CORES)) & 1
    core = chip[:, None] * CORES + np.arange(CORES)
    there = (bit == 1) & (both["y_hop"] == 0)[:, None] & (core >= 0) & (core < cores)
    word, _ = np.nonzero(there)
    return axon[word], core[there], both["tag"][word], later[word]
