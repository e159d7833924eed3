"""The network that SpiNNaker's memory images hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...errors import DamagedTablesError
from ...hardware import Memory
from ...nets.fixednet import FixedNet, Formats, Frame
from .cells import NAMES, cell_parameters
from .keys import Keys, Slices, keys_of, slices_of
from .words import ADDRESS, ADDRESS_WORDS, ENTRY, HEADER, TYPES, Words, columns_of, synaptic_word

Integers = NDArray[np.int64]
ENTRY_WORDS = ENTRY.width // 32
SYNAPSE = ("source", "target", "weight", "hop", "format")


def unpack(memories: Mapping[str, Memory], frame: Frame, per_core: int) -> FixedNet:
    """The network that memories hold; semantics and populations are those of `frame`.

    Raises `DamagedTablesError` where a memory refers to what is not there, or is not as long as
    others say.
    """
    table = {name: memory.layout.decode(memory.words) for name, memory in memories.items()}
    slices = slices_of(frame.axons, per_core)
    n = len(slices)
    listed = table["projections"]
    _check("projections", (np.maximum(listed["pre"], listed["post"]) < n).all(), "populations")
    projections = np.stack([listed[name] for name in ("pre", "post", "receptor")], axis=1)
    keys = keys_of(slices, projections[:, 0].tolist())
    parts = [*_parts(table, slices)]
    synapses = [_synapses(part, projections, keys, slices) for part in parts]
    shift = {part.number: part.shifts for part in parts}
    _check("projections", all(post in shift for post in projections[:, 1].tolist()), "neurons")
    profiles, profile, initial = cell_parameters(_registers(table["neurons"]))
    neurons = sum(each.size for each in frame.axons if not each.is_source)
    _check("neurons", len(profile) == neurons, f"{neurons} neurons")
    columns = np.concatenate(synapses, axis=1)
    source, target, weight, hop, form = columns[:, np.lexsort(columns[[4, 3, 1, 0]])]
    counts = np.bincount(source, minlength=sum(each.size for each in frame.axons))
    receptor = projections[:, 2]
    shifts = [shift[post][kind] for _, post, kind in projections.tolist()]
    return FixedNet(
        frame.semantics,
        frame.axons,
        profiles,
        profile,
        initial,
        Formats(receptor, np.array(shifts, np.int64), (receptor == 1).astype(np.int64)),
        np.concatenate([np.zeros(1, np.int64), np.cumsum(counts, dtype=np.int64)]),
        target,
        weight,
        hop,
        form,
    )


def _check(memory: str, holds: bool | np.bool_, what: str) -> None:
    if not holds:
        raise DamagedTablesError(f"{memory} are not those of {what} of this network")


def _registers(words: Mapping[str, Integers]) -> dict[str, Integers]:
    decays = [words[f"current_decay_{receptor}"] for receptor in range(TYPES)]
    registers = {name: words[name] for name in (*NAMES, "initial")}
    return registers | {"current_decay": np.stack(decays, axis=1)}


@dataclass(frozen=True)
class _Part:
    """What the cores of a population hold.

    Attributes:
        number: of the population.
        table: its master population table.
        region: synaptic blocks, uint32 [cores, words].
        shifts: of both receptors' ring buffers.
    """

    number: int
    table: Words
    region: Words
    shifts: tuple[int, int]


def _parts(table: Mapping[str, Mapping[str, Integers]], slices: list[Slices]) -> Iterator[_Part]:
    """The populations of neurons, each with what its cores have of the memories."""
    cores, parameters = table["cores"], table["parameters"]
    words = {name: table[name]["word"].astype(np.uint32) for name in ("populations", "synapses")}
    ends = {
        name: np.append(0, np.cumsum(cores[f"{name[:-1]}_words"]))
        for name in ("populations", "synapses")
    }
    for name, end in ends.items():
        _check(name, end[-1] == len(words[name]), f"{end[-1]} words")
    first = 0
    for number, part in enumerate(slices):
        if part.axons.is_source:
            continue
        mine = slice(first, first + part.cores)
        wanted = {"population": np.full(part.cores, number), "first": part.first}
        for name, values in {**wanted, "neurons": part.sizes}.items():
            _check("cores", np.array_equal(cores[name][mine], values), "slices")
        found = {name: words[name][end[mine.start] : end[mine.stop]] for name, end in ends.items()}
        for name, each in found.items():
            sizes = np.diff(ends[name])[mine]
            _check(name, (sizes * part.cores == len(each)).all(), "equal cores")
        tables = found["populations"].reshape(part.cores, -1)
        _check("populations", (tables == tables[0]).all(), "equal cores")
        kinds = [parameters[f"shift_{name}"][mine] for name in ("excitatory", "inhibitory")]
        _check("parameters", all(len(each) == part.cores for each in kinds), "cores")
        _check("parameters", all((each == each[0]).all() for each in kinds), "equal cores")
        shifts = int(kinds[0][0]), int(kinds[1][0])
        _check("parameters", max(shifts) < 16, "shifts below 16")
        yield _Part(number, tables[0], found["synapses"].reshape(part.cores, -1), shifts)
        first = mine.stop
    _check("cores", first == len(cores["first"]), f"{first} cores")


def _synapses(part: _Part, projections: Integers, keys: Keys, slices: list[Slices]) -> Integers:
    """Synapses of a population's cores, rows as in `SYNAPSE`, each projection in its order."""
    found = [np.zeros((len(SYNAPSE), 0), np.int64)]
    pre_of = {keys.key_of(number): number for number in keys.number}
    for key, addresses in _entries(part.table):
        _check("populations", key in pre_of, "keys")
        pre = pre_of[key]
        numbers = np.flatnonzero((projections[:, :2] == (pre, part.number)).all(axis=1))
        _check("populations", len(numbers) == len(addresses["address"]), "projections")
        for number, start, longest in zip(
            numbers.tolist(),
            (addresses["address"] * ADDRESS_WORDS).tolist(),
            (addresses["row_length"] + 1).tolist(),
            strict=True,
        ):
            size = slices[pre].axons.size * (HEADER + longest)
            _check("populations", start + size <= part.region.shape[1], "synapses")
            block = part.region[:, start : start + size]
            rows = block.reshape(len(block), slices[pre].axons.size, -1)
            found.append(_rows(rows, number, projections[number], slices))
    return np.concatenate(found, axis=1)


def _entries(table: Words) -> Iterator[tuple[int, dict[str, Integers]]]:
    """Key and addresses of each entry of a master population table."""
    _check("populations", len(table) >= 2, "tables")
    n, n_addresses = (int(each) for each in table[:2])
    _check("populations", len(table) == 2 + n * ENTRY_WORDS + n_addresses, "entries")
    middle = 2 + n * ENTRY_WORDS
    entries = columns_of(ENTRY, table[2:middle].reshape(n, ENTRY_WORDS))
    addresses = columns_of(ADDRESS, table[middle:].reshape(-1, 1))
    for key, start, count in zip(*(entries[x] for x in ("key", "start", "count")), strict=True):
        _check("populations", start + count <= n_addresses, "addresses")
        yield int(key), {x: each[start : start + count] for x, each in addresses.items()}


def _rows(rows: Words, number: int, projection: Integers, slices: list[Slices]) -> Integers:
    """Synapses of a projection's rows, uint32 [cores, cells, header and longest row]."""
    pre, post = (slices[each] for each in projection[:2].tolist())
    count = rows[:, :, 1].astype(np.int64)
    plain = not rows[:, :, [0, 2]].any() and (count <= rows.shape[2] - HEADER).all()
    _check("synapses", plain, "rows of static synapses")
    there = np.arange(rows.shape[2] - HEADER) < count[:, :, None]
    core, source, _ = np.nonzero(there)
    words = columns_of(synaptic_word(post.per_core), rows[:, :, HEADER:][there].reshape(-1, 1))
    index = words["index"]
    inside = (index < post.sizes[core]).all() and (words["delay"] > 0).all()
    _check("synapses", inside and (words["type"] == projection[2]).all(), "targets")
    return np.stack(
        [
            source + pre.axons.first,
            core * post.per_core + index + post.axons.first,
            words["weight"],
            words["delay"],
            np.full(len(index), number),
        ]
    )
