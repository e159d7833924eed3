"""From the state of `pyNN.sparse`, or some of its projections, to a `FloatNet`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...network import Block, Network, SynapseTable
from ..arguments import door
from ..errors import ExportError
from ..nets.floatnet import Cells, Connections, FloatNet, make_connections
from .layers import as_leaky


def capture(source: Any) -> FloatNet:
    """The network that is simulated, with its present weights: all that has been learnt until now.

    Args:
        source: the module `pyNN.sparse`, for all of it, or a list of projections, for these and the
            populations that they connect. Of several processes, all get all of it.

    Layers of trained networks are leaky neurons in it that do the same in each step.

    Raises `ExportError` where there is no projection, two populations have the same label, there
    are gap junctions, events carry values, or connections of `Neuromodulation` are given.
    """
    network, tables, state = _parts(source)
    whole = tables is network.tables
    if network.junctions if whole else any(_is_junction(network, table) for table in tables):
        raise ExportError("gap junctions (ElectricalSynapse) cannot be exported to any target")
    if any(each.table is table for each in network.modulations for table in tables):
        raise ExportError(
            "connections of Neuromodulation cannot be exported to any target: must be left out"
        )
    if not tables:
        raise ExportError("there are no synapses to export; make a projection first")
    used = {block.index for table in tables for block in (table.pre, table.post)}
    blocks = [block for block in network.blocks if whole or block.index in used]
    for block in blocks:
        if block.model.graded:
            raise ExportError(
                f"{block.label!r} sends events that carry values, which no target has: must be a "
                "cell type that fires spikes"
            )
    labels = [block.label for block in blocks]
    twice = [label for label, count in Counter(labels).items() if count > 1]
    if twice:
        raise ExportError(
            f"populations need labels that differ, since tables are named by them: {twice[0]!r} "
            f"occurs {labels.count(twice[0])} times"
        )
    cells = tuple(_cells(network, block) for block in blocks)
    position = {block.index: number for number, block in enumerate(blocks)}
    present = state.everyones("the export of a network", tables)
    growing = [part.table for each in state.rewiring for part in each.parts]
    connections = [
        _connections(label, each, position, growing)
        for label, each in zip(_unique([each.label for each in tables]), present, strict=True)
        if len(each[0])
    ]
    return as_leaky(FloatNet(network.grid.dt, cells, tuple(connections)))


def _parts(source: Any) -> tuple[Network, Sequence[SynapseTable], Any]:
    """The network, those of its tables that are meant, and the state of the simulation."""
    if hasattr(source, "simulator"):
        state = source.simulator.state
        return state.network, state.network.tables, state
    projections = list(source) if isinstance(source, (list, tuple)) else [source]
    if not projections or not all(hasattr(each, "network_parts") for each in projections):
        must = "the module pyNN.sparse or a list of its projections"
        raise door.refused("source", source, must)
    parts = [projection.network_parts() for projection in projections]
    state = projections[0]._simulator.state
    return parts[0][0], [table for _, tables in parts for table in tables], state


def _is_junction(network: Network, table: SynapseTable) -> bool:
    return table.index < len(network.junctions) and network.junctions[table.index] is table


def _unique(labels: list[str]) -> list[str]:
    """Labels with a number where one occurs several times."""
    counts, seen, unique = Counter(labels), Counter[str](), []
    for label in labels:
        seen[label] += 1
        unique.append(f"{label} #{seen[label]}" if counts[label] > 1 else label)
    return unique


def _cells(network: Network, block: Block) -> Cells:
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
        if not getattr(each.source, "silent", False)
    )
    initial = {name: np.array(each, float) for name, each in block.initial.items()}
    model, ends = block.model, (numbers, initial, block.model.is_source, spikes, injected)
    return Cells(block.label, model.name, block.size, *ends)


def _connections(
    label: str,
    now: tuple[SynapseTable, NDArray[Any]],
    position: dict[int, int],
    growing: Sequence[SynapseTable],
) -> Connections:
    table, weight = now
    target, _, delay = table.arrays()
    n = len(table)
    plastic = [table.rule.dynamics.name] if table.rule is not None else []
    plastic += ["structural plasticity"] * any(each is table for each in growing)
    return make_connections(
        label,
        position[table.pre.index],
        position[table.post.index],
        table.receptor,
        table.pre.size,
        table.source(),
        target.astype(np.int64),
        np.array(np.broadcast_to(weight, (n,)), float),
        np.array(np.broadcast_to(delay, (n,)), np.int64),
        " and ".join(plastic),
    )
