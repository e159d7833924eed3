"""Numbers by which processes see whether they describe the same network."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...network import Block, Network, SynapseTable
from ...network.block import is_for_all
from .processes import digest


def of_table(table: SynapseTable) -> int:
    """Of all synapses of a table."""
    rule = table.rule
    arrays = [*table.rows.read_all(), table.row_start, table.identity]
    parameters = [] if rule is None else [rule.sign, rule.dendritic, *rule.parameters.values()]
    names = table.pre.index, table.post.index, table.receptor, table.first_source, len(table)
    return digest([*names, *arrays, *parameters])


class OfNetwork:
    """Of all of a network that each process has: what changes is looked at anew."""

    def __init__(self) -> None:
        self._blocks: dict[int, tuple[int, int]] = {}  # by its index: version, and what came of it

    def __call__(self, network: Network) -> dict[str, int]:
        """A number for each part, by its name."""
        blocks = {
            f"population {block.index} ({block.label})": self._of_block(block)
            for block in network.blocks
        }
        tables = [(table.pre.index, table.post.index, table.receptor) for table in network.tables]
        currents = [np.asarray(each.neurons) for each in network.injections]
        probes = sorted(  # since those of several variables are made in any order
            (each.block.index, each.variable, each.interval, each.first) for each in network.probes
        )
        wanted = np.packbits(network.spikes_wanted)
        return {
            **blocks,
            "the projections": digest(tables),
            "the cells with currents": digest(currents),
            "what is recorded": digest([*probes, wanted]),
            "the number of resets": network.trials.number,
        }

    def _of_block(self, block: Block) -> int:
        version, found = self._blocks.get(block.index, (-1, 0))
        if version != block.version:
            names = sorted(block.parameters)  # which come in any order
            values = [_flat(block.parameters[name]) for name in names]
            found = digest([block.model.name, block.size, *names, *values])
            self._blocks[block.index] = block.version, found
        names = sorted(block.assigned)
        return digest([found, *names, *(_assigned(block, name) for name in names)])


def _assigned(block: Block, name: str) -> Any:
    """The values of a state variable that have been set; one where all neurons have the same."""
    values, mask = block.initial[name], block.assigned[name]
    if is_for_all(values) and is_for_all(mask):
        return values[:1]
    return values[mask]


def _flat(values: Any) -> Any:
    """Values of a parameter, or sequences of them, as one array."""
    array = np.asarray(values)
    if array.dtype != object:
        return array
    lengths = np.array([len(each) for each in array])
    return np.concatenate([lengths, *array])
