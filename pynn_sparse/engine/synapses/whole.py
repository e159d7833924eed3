"""What is known of all synapses of a table, where each process has those onto its neurons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...network import Network, SynapseTable
from ..exchange.processes import Processes
from .modulators import most_modulated
from .survey import survey_of

FIELDS = 5


@dataclass(frozen=True)
class Whole:
    """Of a table over all processes.

    Attributes:
        count: number of synapses.
        greatest_weight: without sign.
        learned: what no weight comes to exceed, without sign; 0 where weights stay as they are.
        factor: of the weight that a spike transmits at most.
        greatest_delay: in steps.
    """

    count: int
    greatest_weight: float
    learned: float
    factor: float
    greatest_delay: int


class Wholes:
    """That of all tables. `synchronise` keeps it up to date."""

    def __init__(self, processes: Processes, threads: int) -> None:
        self._processes, self._threads = processes, threads
        self._own: dict[int, tuple[int, NDArray[np.float64]]] = {}  # by table: its version, values
        self._wholes: dict[int, Whole] = {}
        self._modulated: dict[int, float] = {}  # by block

    def synchronise(self, network: Network) -> None:
        """Take over what changed."""
        tables = network.tables
        rows = np.array([self._of(table) for table in tables]).reshape(-1, FIELDS)
        count = self._processes.total("run", rows[:, 0])
        others = self._processes.greatest("run", rows[:, 1:])
        self._wholes = {
            table.index: Whole(int(n), weight, learned, factor, int(delay))
            for table, n, (weight, learned, factor, delay) in zip(
                tables, count, others.tolist(), strict=True
            )
        }

        blocks = sorted({each.table.post.index for each in network.modulations})
        if blocks:
            own = np.array([most_modulated(network, block) for block in blocks])
            most = self._processes.greatest("run", own)
            self._modulated = dict(zip(blocks, most.tolist(), strict=True))

    def most_modulated(self, block: int) -> float:
        """What the network's modulations may bring to a neuron of a block in a step, at most."""
        return self._modulated[block]

    def of(self, table: SynapseTable) -> Whole:
        """That of a table."""
        return self._wholes[table.index]

    def holds(self, table: SynapseTable) -> bool:
        """Whether a table has synapses, here or, where they come and go, on any process."""
        return len(table) > 0 or (table.comes_and_goes and self.of(table).count > 0)

    def greatest_delay(self, table: SynapseTable) -> int:
        """In steps; of the table itself, if it has changed since or is new."""
        whole = self._wholes.get(table.index)
        return max(table.waits.delay[1], whole.greatest_delay if whole else 0)

    def _of(self, table: SynapseTable) -> NDArray[np.float64]:
        version, values = self._own.get(table.index, (-1, np.zeros(FIELDS)))
        if version != table.version:
            values = np.array(_found(table, self._threads))
            if table.rows.share_weights and self._processes.rank:
                values[0] = 0  # all processes have the kernel, and all of its synapses
            self._own[table.index] = table.version, values
        return values


def _found(table: SynapseTable, threads: int) -> tuple[float, ...]:
    if not len(table):
        return (0.0,) * FIELDS
    rule = table.rule
    return (
        len(table),
        survey_of(table, threads).greatest_weight,
        rule.greatest_weight if rule else 0.0,
        rule.dynamics.most(rule.parameters) if rule else 1.0,
        table.waits.delay[1],
    )
