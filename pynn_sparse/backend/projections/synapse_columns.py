"""The synapses of a projection as columns, which are read from its tables."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pynn_sparse.engine.exchange.processes import first_number
from pynn_sparse.engine.sharing import each_of
from pynn_sparse.network import Block, Network, SynapseTable
from pynn_sparse.network.ordering import sort_repeated
from pynn_sparse.network.synapses import Present

from .. import simulator
from ..synapses.values import Pairs
from .arguments import parts_of
from .connections import POST, PRE, Single

FRACTION = "dendritic_delay_fraction"  # one for all synapses of a projection
TAU_PSC = "tau_psc"  # of the target's receptor: looked up, not given


Numbers = range | NDArray[np.int64]  # of cells in the network


class SynapseColumns:
    """Attributes of all synapses, as they are stored or as users see them.

    Attributes:
        _tables: where the synapses are, one for each pair of populations that is connected.
        _pre_numbers, _post_numbers: indices of the cells of both ends in the network, as a range
            where they follow each other, else int64.
    """

    pre: Any
    post: Any
    shape: tuple[int, int]
    synapse_type: Any
    label: Any
    _network: Network
    _pre_numbers: Numbers
    _post_numbers: Numbers
    _tables: list[SynapseTable]

    @property
    def _pre_ids(self) -> NDArray[np.int64]:
        """The indices of the presynaptic cells, made for the caller."""
        return _array(self._pre_numbers)

    @property
    def _post_ids(self) -> NDArray[np.int64]:
        """The indices of the postsynaptic cells, made for the caller."""
        return _array(self._post_numbers)

    @property
    def _is_by_targets(self) -> bool:
        """Whether the list of one table is in the order of its targets and then of its sources."""
        return _ascending(self._pre_numbers) and _ascending(self._post_numbers)

    @property
    def _of_rule(self) -> list[str]:
        """Names of parameters of the synapses, besides weight and delay."""
        dynamics = self.synapse_type.dynamics
        return [name for name in dynamics.parameters if name != TAU_PSC] if dynamics else []

    @property
    def _states(self) -> list[str]:
        """Names of state variables that may be initialized."""
        dynamics = self.synapse_type.dynamics
        return list(dynamics.state) if dynamics and not dynamics.hidden else []

    @property
    def _states_to_get(self) -> list[str]:
        """Names of state variables that may be asked for: those of the user's rules."""
        states: list[str] = self.synapse_type.visible_state
        return states

    def __len__(self) -> int:
        """Number of connections."""
        return sum(len(table) for table in self._tables)

    @cached_property
    def _single(self) -> Single:
        return Single(self)

    def _order(self) -> NDArray[np.int64]:
        """Where the connections are stored, ordered by target and then by source.

        Positions count through the tables. Of several connections between two cells, the one with
        the lesser delay, and then with the lesser weight, comes first.
        """
        if len(self._tables) == 1 and self._is_by_targets:
            return self._tables[0].order()
        if self._tables and len(self._tables[0].identity):
            return np.argsort(np.concatenate([table.identity for table in self._tables]))
        key = self._stored(POST) * self.shape[0] + self._stored(PRE)
        order = np.argsort(key)
        repeated = np.diff(key[order]) == 0
        if repeated.any():
            sort_repeated(order, repeated, self._stored("delay"), self._stored("weight"))
        return order

    def _keep_order(self) -> NDArray[np.int64]:
        """As `_order`; where it follows from values that may change, it is kept from now on."""
        order = self._order()
        if follows_from_values(self._tables):
            number = np.empty(len(order), np.int64)
            number[order] = first_number(simulator.state.processes) + np.arange(len(order))
            self._number(number)
        return order

    def _number(self, numbers: NDArray[np.int64]) -> None:
        """Have connections be in the order of numbers from now on, [n] as they are stored."""
        ends = np.cumsum([len(table) for table in self._tables])[:-1]
        for table, part in zip(self._tables, np.split(numbers, ends), strict=True):
            table.take_back()
            table.identity = part.astype(np.uint32)

    def _stored(self, name: str) -> NDArray[Any]:
        """An attribute of all connections, in the order in which they are stored."""
        parts = [self._of_table(name, table) for table in self._tables]
        if not parts:
            return np.zeros(0, np.int64 if name in (PRE, POST) else np.float64)
        return np.concatenate(parts) if len(parts) > 1 else parts[0]

    def _of_table(self, name: str, table: SynapseTable) -> NDArray[Any]:
        n = len(table)
        if name == PRE:
            rows = table.first_source + np.arange(table.n_source)
            return np.repeat(
                _position(self._pre_numbers, table.pre, rows), np.diff(table.row_start)
            )
        if name == POST:
            every = np.arange(table.post.size)
            return _position(self._post_numbers, table.post, every)[table.target]
        if name == "weight":
            return np.broadcast_to(present(table).weight, (n,)).astype(np.float64, copy=False)
        if name == "delay":
            times = table.post.grid.time(np.arange(table.waits.delay[1] + 1))
            return np.broadcast_to(times[table.delay], (n,))
        assert table.rule is not None
        if name == FRACTION:
            return np.full(n, table.rule.dendritic)
        if name in table.state:
            return present(table).state[name]
        return np.broadcast_to(table.rule.parameters[name], (n,))

    @contextmanager
    def _gathered(self, what: str, gather: Any) -> Iterator[NDArray[np.int64]]:
        """Have the tables be those of all processes' synapses, where `gather` asks for them.

        With "all" they are that everywhere, with True on process 0; the others keep their own.
        Gives the places of this process's synapses among all, as they are stored.
        """
        processes, own = simulator.state.processes, self._tables
        if not gather or not processes.gathers:
            yield np.arange(len(self))
            return
        from pynn_sparse.engine.exchange.tables import WholeTable

        processes.meet(f"{what} of {self.label}")
        everywhere = isinstance(gather, str)
        wholes = [WholeTable(table, present(table), processes, everywhere) for table in own]
        tables = [whole.table for whole in wholes if whole.table is not None]
        if len(tables) < len(own):
            yield np.arange(len(self))
            return
        first = np.cumsum([0, *map(len, tables)])[:-1]
        places = [begin + whole.places for begin, whole in zip(first, wholes, strict=True)]
        self._tables = tables
        try:
            yield np.concatenate([np.zeros(0, np.int64), *places])
        finally:
            self._tables = own

    def _column(self, name: str, which: Any = slice(None)) -> NDArray[Any]:
        """An attribute of all connections, or of those at `which`."""
        return self._columns_of([name], which)[0]

    def _columns_of(self, names: Any, which: Any = slice(None)) -> list[NDArray[Any]]:
        self._check_present()
        order = self._order()[which]

        def column(name: str) -> NDArray[Any]:
            return np.asarray(self._stored(name)[order])

        return each_of(column, names, len(order) * len(names), simulator.state.threads)

    def _check_present(self) -> None:
        """Raise RuntimeError if weights that learn have gone with their network.

        What they are depends on spikes that they have not taken in yet.
        """
        if any(table.rule is not None and table.rule.learns for table in self._tables):
            simulator.state.check_present(self._network, self.label)

    def _pairs(self) -> Pairs:
        return Pairs(self.shape, lambda: self._stored(PRE), lambda: self._stored(POST), self.label)


def present(table: SynapseTable) -> Present:
    """Weights and states as they are now, with what has been learnt until the present step."""
    engine = simulator.state.engine
    return Present(table.weight, table.state) if engine is None else engine.present(table)


def follows_from_values(tables: list[SynapseTable]) -> bool:
    """Whether the order of connections follows from their values, which may change."""
    return any(table.has_repeated() for table in tables if not len(table.identity))


def numbers_of(cells: Any) -> Numbers:
    """Indices of cells in the network; those of several populations are an array."""
    numbers = [_numbers_of_part(part) for part in parts_of(cells)]
    if len(numbers) == 1:
        return numbers[0]
    return np.concatenate([np.zeros(0, np.int64), *map(_array, numbers)])


def _numbers_of_part(part: Any) -> Numbers:
    first, chosen = part._block.first, part._selection
    if isinstance(chosen, slice):
        begin = first + (chosen.start or 0)
        return range(begin, begin + part.size)
    return np.asarray(first + chosen, np.int64)


def stretch(blocks: list[Block], numbers: Numbers) -> tuple[Block, int] | None:
    """The block in which cells follow each other without a gap, and the index of the first."""
    (block, *others) = blocks
    in_a_row = isinstance(numbers, range) or not (numbers[1:] - numbers[:-1] != 1).any()
    return None if others or not in_a_row else (block, int(numbers[0]) - block.first)


def _array(numbers: Numbers) -> NDArray[np.int64]:
    if isinstance(numbers, range):
        return np.arange(numbers.start, numbers.stop)
    return numbers


def _ascending(numbers: Numbers) -> bool:
    """Whether cells are in the order of the network."""
    return isinstance(numbers, range) or bool((np.diff(numbers) > 0).all())


def _position(ids: Numbers, block: Block, index: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where neurons of a block stand in `ids`, which need not be in order; if they do."""
    wanted = index + block.first
    if isinstance(ids, range):
        return wanted - ids.start
    order = np.argsort(ids)
    return order[np.minimum(np.searchsorted(ids, wanted, sorter=order), len(ids) - 1)]
