"""Tables of all processes put together, for users who look at all synapses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...network import SynapseTable
from ...network.ordering import stable_order
from ...network.rows import common
from ...network.synapses import Present
from .processes import Processes, first_number

INDEX = -1  # of a table that belongs to no network


class WholeTable:
    """A table with the synapses of all processes.

    Args:
        table: those onto neurons of this process.
        present: weights and states of these, as they are now.
        processes: that have the others; all of them have to do this.
        everywhere: whether all processes get the table, or process 0 alone.

    Attributes:
        table: with all synapses; None where a process does not get it.
        places: int64 [n of this process], where its synapses are among all, in the orders in which
            they are stored.
    """

    def __init__(
        self, table: SynapseTable, present: Present, processes: Processes, everywhere: bool
    ) -> None:
        self._processes, self._everywhere = processes, everywhere
        self._mine = table
        self.table: SynapseTable | None = table
        self.places: NDArray[np.int64] = np.arange(len(table))
        self.first = 0  # of this process's synapses, as they are gathered
        if not table.rows.share_weights:
            self._put_together(present)

    def _gather(self, columns: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]] | None:
        """Columns of all processes, [n of all], sent as one array; None where they do not come."""
        n = len(self._mine)
        every = [np.ascontiguousarray(np.broadcast_to(each, (n,))) for each in columns.values()]
        data = np.concatenate([np.zeros(0, np.uint8), *(each.view(np.uint8) for each in every)])
        what = "all synapses"
        lengths = self._processes.meet(what, length=n)
        self.first = sum(lengths[: self._processes.rank])
        gathered = self._processes.gather(what, data, everywhere=self._everywhere)
        if gathered is None:
            return None
        sizes = [each.dtype.itemsize for each in every]
        ends = np.cumsum([size * length for length in lengths for size in sizes])[:-1]
        parts = np.split(gathered, ends)
        return {
            name: np.concatenate(parts[k :: len(sizes)]).view(each.dtype)
            for k, (name, each) in enumerate(zip(columns, every, strict=True))
        }

    def _put_together(self, present: Present) -> None:
        table, rule = self._mine, self._mine.rule
        ordered = self._processes.any("all synapses", len(table.identity) > 0)
        columns = {
            "source": table.source() - table.first_source,
            "target": table.target,
            "weight": present.weight,
            "delay": table.delay.astype(np.uint16),
            "identity": _numbers(table, self._processes) if ordered else np.zeros(1, np.uint32),
        }
        states = table.state if rule and not rule.dynamics.hidden else ()
        columns |= {f"initial {name}": table.initial_state(name) for name in states}
        parameters = sorted(rule.parameters) if rule else []
        columns |= {f"parameter {name}": rule.parameters[name] for name in parameters if rule}
        columns |= {f"state {name}": each for name, each in present.state.items()}
        self.table = None
        every = self._gather(columns)
        if every is None:
            return
        source = every.pop("source")
        if not len(source):  # of those that come and go, none is there
            self.table = table
            return
        order = stable_order(source)
        if rule is not None and rule.learns:
            order = np.lexsort((rule.lag(every["delay"]), source))
        row_start = np.zeros(table.n_source + 1, np.int64)
        np.cumsum(np.bincount(source, minlength=table.n_source), out=row_start[1:])
        every = {name: each[order] for name, each in every.items()}
        self.table = SynapseTable(
            *(table.pre, table.post, table.first_source, row_start),
            *(every["target"], every["weight"], every["delay"], table.receptor),
            rule and rule.changed({k: common(every[f"parameter {k}"]) for k in parameters}),
            every["identity"] if ordered else None,
        )
        self.table.index, self.table.label = INDEX, table.label
        for name in states:
            self.table.initialize(name, every[f"initial {name}"][self.table.order()])
        self.table.state = {name: every[f"state {name}"] for name in table.state}
        place = np.empty(len(order), np.int64)
        place[order] = np.arange(len(order))
        self.places = place[self.first :][: len(table)]


def _numbers(table: SynapseTable, processes: Processes) -> NDArray[np.uint32]:
    """`identity` of synapses, also where it follows from the values on this process."""
    if len(table.identity):
        return table.identity
    numbers = np.empty(len(table), np.uint32)
    numbers[table.order()] = np.arange(len(table)) + first_number(processes)
    return numbers
