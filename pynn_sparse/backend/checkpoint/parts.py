"""What a checkpoint holds of objects of PyNN's, and what two networks must have in common."""

from __future__ import annotations

from typing import Any

import numpy as np
import quantities as pq
from numpy.typing import NDArray

from pynn_sparse.network import Network, wiring
from pynn_sparse.network.block import Arrays
from pynn_sparse.network.contents import Contents

from ...parameters import Sequence


class SourcePart:
    """Parameters of a current source, and what was recorded of it."""

    def __init__(self, source: Any) -> None:
        self.item = source

    def snapshot(self) -> Arrays:
        """Parameters, and samples by the step at which they begin."""
        source = self.item
        arrays = {
            f"value {name}": np.asarray(
                value.value if isinstance(value, Sequence) else value, np.float64
            )
            for name, value in source._values.items()
        }
        arrays |= {f"sample {first}": samples for first, samples in source._recording}
        return arrays

    def _values(self, arrays: Arrays) -> dict[str, Any]:
        return {
            name: Sequence(value) if value.ndim else float(value)
            for name, value in _with(arrays, "value ").items()
        }

    def check(self, contents: Contents, step: int) -> None:
        """Raise an error for what is not a snapshot of a source of the same class."""
        for name, value in self.item._values.items():
            shape = (None,) if isinstance(value, Sequence) else ()
            contents.check(f"value {name}", np.float64, shape)
        for first in list(contents.names("sample ")):
            contents.check(f"sample {first}", np.float64, (None,), finite=True)
            if first != str(int(first)) or not 0 <= int(first) <= max(step, 0):
                contents.fail(f"sample {first} begins at no step that there was")
        contents.finish()
        self.item._checked(self._values(contents.arrays))

    def restore(self, arrays: Arrays) -> None:
        """Go back to a snapshot of a source of the same class."""
        samples = _with(arrays, "sample ").items()
        recording = sorted(((int(first), each) for first, each in samples), key=lambda s: s[0])
        object.__setattr__(self.item, "_values", self._values(arrays))
        object.__setattr__(self.item, "_recording", recording)


class RecorderPart:
    """When a population's recording began."""

    def __init__(self, recorder: Any) -> None:
        self.item = recorder

    def snapshot(self) -> Arrays:
        """The time in ms."""
        return {"start": np.array(float(self.item._recording_start_time))}

    def check(self, contents: Contents, step: int) -> None:
        """Raise `CheckpointError` for what is not such a time."""
        contents.check("start", np.float64, (), least=0, finite=True)
        contents.finish()

    def restore(self, arrays: Arrays) -> None:
        """Go back to a snapshot."""
        self.item._recording_start_time = float(arrays["start"]) * pq.ms


def _with(arrays: Arrays, prefix: str) -> Arrays:
    return {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}


def described(
    network: Network,
    sources: list[Any],
    wired: list[tuple[int, str]] | None = None,
    recorded: list[list[int]] | None = None,
    recorded_synapses: list[tuple[list[int], NDArray[np.int64]]] | None = None,
) -> dict[str, Any]:
    """What two networks must have in common, of numbers, texts and lists; digests of all arrays.

    Where several processes have them, `wired` are the numbers of synapses of all tables, and their
    digests, `recorded` the neurons of all recorded variables, and `recorded_synapses` of each the
    tables and the numbers of synapses.
    """
    place = {source: k for k, source in enumerate(sources)}
    if wired is None:
        wired = [(len(table), wiring.of_table(table)) for table in network.tables]

    if recorded is None:
        recorded = [probe.index.tolist() for probe in network.probes]

    if recorded_synapses is None:
        recorded_synapses = [
            ([c.table.index for c in p.chosen], p.index) for p in network.synapse_probes
        ]

    def ends(table: Any, n: int) -> list[Any]:
        return [table.pre.index, table.post.index, n]

    return {
        "populations (model, cells)": [[b.model.name, b.size] for b in network.blocks],
        "models": [wiring.of_model(block.model) for block in network.blocks],
        "random numbers of populations": [[b.stream.seed, b.stream.first] for b in network.blocks],
        "projections (from, to, number of synapses, receptor, rule)": [
            [*ends(t, n), t.receptor, *_rule(t)]
            for t, (n, _) in zip(network.tables, wired, strict=True)
        ],
        "connections": [each for _, each in wired],
        "random numbers of projections": [[t.stream.seed, t.stream.first] for t in network.tables],
        "gap junctions (from, to, number)": [
            ends(table, len(table)) for table in network.junctions
        ],
        "connections by gap junctions": [wiring.of_table(table) for table in network.junctions],
        "recorded variables (population, variable, interval, cells)": [
            [p.block.index, p.variable, p.interval, index]
            for p, index in zip(network.probes, recorded, strict=True)
        ],
        "recorded synapses (tables, variable, interval, number)": [
            [tables, p.variable, p.interval, len(index)]
            for p, (tables, index) in zip(network.synapse_probes, recorded_synapses, strict=True)
        ],
        "which synapses are recorded": [wiring.of_arrays(index) for _, index in recorded_synapses],
        "cells with recorded spikes": int(network.spikes_wanted.sum()),
        "which cells have recorded spikes": wiring.of_arrays(network.spikes_wanted),
        "current sources (class)": [type(source).__name__ for source in sources],
        "random numbers of current sources": [
            [source._stream.seed, source._stream.first] for source in sources
        ],
        "cells with currents": [
            [place[each.source], wiring.of_arrays(each.neurons)] for each in network.injections
        ],
    }


def _rule(table: Any) -> list[Any]:
    rule = table.rule
    if rule is None:
        return [""]
    return [rule.dynamics.name, list(rule.parameters), rule.sign, rule.dendritic]
