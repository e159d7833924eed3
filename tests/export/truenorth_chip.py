"""A plain model of TrueNorth's cores, made of the files; and other words, which must be noticed."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from export_networks import tables_of
from numpy.typing import NDArray

from pynn_sparse import export
from pynn_sparse.export.hardware import Memory
from pynn_sparse.export.models import golden
from pynn_sparse.export.nets.fixednet import FixedNet
from pynn_sparse.export.tables import Tables
from pynn_sparse.export.targets.truenorth.files import packets


@dataclass(frozen=True)
class Ranc:
    """What cores did: potentials [steps + 1, words] and spikes (step, word), in ascending order."""

    potential: NDArray[np.int64]
    spikes: NDArray[np.int64]


def small(reset_mode: int = 0, axons: int = 64, size: int = 20) -> Any:
    """A target with small cores."""
    return export.find("truenorth", axons=axons, neurons=size, reset_mode=reset_mode)


def chip_of_files(
    folder: Path, tables: Tables, events: NDArray[np.int64], steps: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Potentials [steps + 1, words] and spikes (step, word) of cores made of the text of `.mem`.

    Places of bits are those of RANC's `Core.v`, counted from the most significant.
    """
    target = tables.target
    parameters = json.loads((folder / "ranc.json").read_text())
    x, y = parameters["GRID_DIMENSION_X"], parameters["GRID_DIMENSION_Y"]
    a, size = target.axons, target.neurons
    widths = [a, 20, 20, 9, 9, 9, 9, 9, 20, 20, 1, 9, 9, a.bit_length() - 1, 4]
    ends = list(itertools.accumulate(widths))
    signed = {1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12}
    cores, kinds = [], []
    for core in range(x * y - 1):
        rows = []
        for line in (folder / f"csram_{core:03d}.mem").read_text().splitlines():
            assert len(line) == sum(widths)
            parts = [line[end - width : end] for end, width in zip(ends, widths, strict=True)]
            values = [int(part, 2) for part in parts]
            for i in signed:
                values[i] -= (1 << widths[i]) * int(parts[i][0])
            values[0] = [axon for axon in range(a) if parts[0][a - 1 - axon] == "1"]
            rows.append(values)
        assert len(rows) == size
        cores.append(rows)
        types = (folder / f"tc_{core:03d}.mem").read_text().splitlines()
        assert len(types) == a
        kinds.append([int(kind, 2) for kind in types])
    due: set[tuple[int, int, int]] = set()
    sent = packets(tables.memories, events, tables.fixed.n_neurons).tolist()
    potential = [[row[1] for rows in cores for row in rows]]
    spikes = []
    for step in range(steps + 1):
        for core, rows in enumerate(cores if step else []):
            for n, row in enumerate(rows):
                weights, leak, threshold, floor, mode, dx, dy, axon, tick = row[3:7], *row[7:]
                v = row[1] + leak
                v += sum(weights[kinds[core][i]] for i in row[0] if (step, core, i) in due)
                if v >= threshold:
                    v = v - threshold if mode else row[2]
                    spikes.append([step, core * size + n])
                    to = core % x + dx + x * (core // x + dy)
                    assert (step + 1 + tick, to, axon) not in due
                    due.add((step + 1 + tick, to, axon))
                elif v < floor:
                    v = v - floor if mode else -row[2]
                row[1] = v
        due |= {(step + 1 + tick, core, axon) for s, core, axon, tick in sent if s == step}
        if step:
            potential.append([row[1] for rows in cores for row in rows])
    return np.asarray(potential), np.asarray(spikes, np.int64).reshape(-1, 2)


def check(found: Ranc, tables: Tables, trace: golden.Trace) -> None:
    """All neurons and their copies have the golden model's potentials and spikes."""
    columns = tables.memories["columns"].layout.decode(tables.memories["columns"].words)
    words = np.flatnonzero(columns["role"] == 1)
    neuron = columns["neuron"][words]
    assert trace.voltage is not None
    np.testing.assert_array_equal(found.potential[1:, words], trace.voltage[1:, neuron])
    for_word = {int(word): int(n) for word, n in zip(words, neuron, strict=True)}
    copies = np.bincount(neuron)
    mine = [(int(s), for_word[int(w)]) for s, w in found.spikes if int(w) in for_word]
    expected = [(s, n) for s, n in trace.spikes.tolist() for _ in range(copies[n])]
    assert sorted(mine) == expected


def prepared(fixed: FixedNet, target: Any, folder: Path) -> Tables:
    tables = tables_of(fixed, target)
    for name, data in target.more_files(tables).items():
        (folder / name).write_bytes(data)
    return tables


def words_of(field: str, change: Any) -> tuple[str, str, Any]:
    return "csram", field, change


CHANGES: dict[str, tuple[str, str, Any]] = {
    "threshold": words_of("threshold", lambda x, used: x + used),
    "leak": words_of("leak", lambda x, used: x * ~used),
    "delay": words_of("tick", lambda x, used: np.where(used, np.minimum(x + 1, 14), x)),
    "weight": words_of("weight_0", lambda x, used: np.where(used, x ^ 8, x)),
    "type": ("types", "type", lambda x, used: x ^ 1),
    "synapse": words_of("axons_0", lambda x, used: np.where(used, x ^ 1, x)),
    "copies": words_of("potential", lambda x, used: x + used),
    "destination": words_of("axon", lambda x, used: np.where(used, x ^ 1, x)),
    "reset": words_of("reset", lambda x, used: x + used),
    "floor": words_of("floor", lambda x, used: np.where(used, x + 1, x)),
    "input": ("inputs", "tick", lambda x, used: np.minimum(x + 1, 14)),
    "source": ("inputs", "source", lambda x, used: x ^ 1),
}


def with_words(tables: Tables, memory: str, field: str, change: Any) -> Tables:
    """Tables with other values of a field, in words that are in use."""
    layout, words = tables.memories[memory].layout, tables.memories[memory].words
    values = layout.decode(words)
    columns = tables.memories["columns"].layout.decode(tables.memories["columns"].words)
    values[field] = change(values[field], columns["role"] == 1)
    changed = Memory(layout, layout.encode(values))
    return replace(tables, memories={**tables.memories, memory: changed})
