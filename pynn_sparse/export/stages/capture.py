"""From the state of `pyNN.sparse`, or some of its projections, to a `FloatNet`."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from ...network import Block, Network, SynapseTable
from ..errors import ExportError
from ..nets.floatnet import Cells, Connections, FloatNet, make_connections


def capture(source: Any) -> FloatNet:
    """The network that is simulated, with its present weights.

    Args:
        source: the module `pyNN.sparse`, for the whole network, or a list of projections, for
            these and the populations that they connect.

    Raises `ExportError` where there is no projection, two populations have the same label, or
    there are gap junctions.
    """
    network, labels, tables = _parts(source)
    blocks = _blocks(network, tables, whole=hasattr(source, "simulator"))
    junctions = {id(table) for table in network.junctions}
    if junctions if hasattr(source, "simulator") else junctions & {id(t) for _, t in tables}:
        raise ExportError("gap junctions (ElectricalSynapse) cannot be exported to any target")
    if not tables:
        raise ExportError("there are no synapses to export; make a projection first")
    names = [labels[id(block)] for block in blocks]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ExportError(
            f"populations need labels that differ, since tables are named by them: {twice[0]!r} "
            f"occurs {names.count(twice[0])} times"
        )
    place = {id(block): index for index, block in enumerate(blocks)}
    cells = tuple(_cells(network, block, labels[id(block)]) for block in blocks)
    named = _unique([label for label, _ in tables])
    connections = [
        _connections(label, table, place)
        for label, (_, table) in zip(named, tables, strict=True)
        if len(table)
    ]
    return FloatNet(network.grid.dt, cells, tuple(connections))


def _parts(source: Any) -> tuple[Network, dict[int, str], list[tuple[str, SynapseTable]]]:
    """The network, labels of blocks by identity, and tables with labels."""
    if hasattr(source, "simulator"):
        state = source.simulator.state
        labels = _labels(state)
        named = [
            (f"{labels[id(table.pre)]}→{labels[id(table.post)]}", table)
            for table in state.network.tables
        ]
        return state.network, labels, named
    projections = list(source) if isinstance(source, (list, tuple)) else [source]
    if not projections or not all(hasattr(each, "_tables") for each in projections):
        raise ExportError(
            f"cannot export {source!r}: must be the module pyNN.sparse or a list of its projections"
        )
    state = projections[0]._simulator.state
    for each in projections:
        state.check_present(each._network, each.label)
    named = [(str(each.label), table) for each in projections for table in each._tables]
    return state.network, _labels(state), named


def _labels(state: Any) -> dict[int, str]:
    populations = [recorder.population for recorder in state.recorders]
    return {id(each._block): str(each.label) for each in populations}


def _blocks(network: Network, tables: list[tuple[str, SynapseTable]], whole: bool) -> list[Block]:
    used = {id(block) for _, table in tables for block in (table.pre, table.post)}
    return [block for block in network.blocks if whole or id(block) in used]


def _unique(labels: list[str]) -> list[str]:
    """Labels with a number where one occurs several times."""
    counts, seen, unique = Counter(labels), Counter[str](), []
    for label in labels:
        seen[label] += 1
        unique.append(f"{label} #{seen[label]}" if counts[label] > 1 else label)
    return unique


def _cells(network: Network, block: Block, label: str) -> Cells:
    numbers = {
        name: np.array(np.broadcast_to(np.asarray(value, float), (block.size,)))
        for name, value in block.parameters.items()
        if name not in block.model.sequences
    }
    spikes = None
    if block.model.given_times:
        neuron, time = block.events()
        step = network.grid.nearest(time)
        order = np.lexsort((neuron, step))
        spikes = np.stack([neuron[order], step[order]], axis=1).astype(np.int64)
    injected = sum(
        int(((each.neurons >= block.first) & (each.neurons < block.first + block.size)).sum())
        for each in network.injections
    )
    initial = {name: np.array(each, float) for name, each in block.initial.items()}
    model = block.model
    return Cells(label, model.name, block.size, numbers, initial, model.is_source, spikes, injected)


def _connections(label: str, table: SynapseTable, place: dict[int, int]) -> Connections:
    target, weight, delay = table.arrays()
    n = len(table)
    return make_connections(
        label,
        place[id(table.pre)],
        place[id(table.post)],
        table.receptor,
        table.pre.size,
        table.source(),
        target.astype(np.int64),
        np.array(np.broadcast_to(weight, (n,)), float),
        np.array(np.broadcast_to(delay, (n,)), np.int64),
        table.rule.dynamics.name if table.rule is not None else "",
    )
