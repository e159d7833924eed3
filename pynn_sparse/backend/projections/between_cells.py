"""Projections from one cell to another, of which scripts that call `connect` make thousands.

What an ordinary `Projection` checks and finds out follows from the two populations, the receptor
and the sign of the weight. So the first of its kind is an ordinary one, and those that follow take
from it what they have in common. They are made of a table with one synapse, and have their views,
synapse type and connector when these are first looked at.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pynn_sparse.network import SynapseTable
from pynn_sparse.network.rows import OwnRows, compact

from ... import common, errors
from ...space import Space
from .. import simulator
from ..access import exclusive
from ..connectors import AllToAllConnector
from ..doors.plain import PLAIN
from ..standardmodels.synapses import StaticSynapse
from .connecting import GREATEST_WEIGHT
from .projection import Projection
from .synapse_columns import numbers_of

MOST_DELAYS = 1000  # whose numbers of steps a kind keeps


class Kind:
    """What projections like `first` have in common, which connects two cells by one synapse."""

    def __init__(self, first: Projection) -> None:
        self.first = first
        (self.table,) = first._tables
        self._steps: dict[Any, Any] = {}  # by delays in ms

    def steps(self, delay: Any) -> Any:
        """A delay in time steps, as an array; raises ConnectionError."""
        found = self._steps.get(delay)
        if found is None:
            given = simulator.state.least_delay_allowed if delay is None else float(delay)
            found = compact(self.first._delay_steps(np.array([given])))
            if len(self._steps) < MOST_DELAYS:
                self._steps[delay] = found
        return found


def connected(pre: Any, post: Any, weight: Any, delay: Any, receptor_type: Any) -> Any:
    """A projection from cell to cell like one that has been made before; None if there is none.

    None also for values that are not those of one synapse, or not valid.
    """
    state = simulator.state
    plain = type(weight) in PLAIN and (delay is None or type(delay) in PLAIN)
    if state.closed or not plain or not (receptor_type is None or type(receptor_type) is str):
        return None
    kind = state.kinds_of_projections.get(_key(pre, post, weight, receptor_type))
    if kind is None:
        return None
    try:
        size = float(weight)
        valid = abs(size) <= GREATEST_WEIGHT[state.scalar]  # false for NaN
        return _made(kind, pre, post, size, delay) if valid else None
    except (errors.ConnectionError, OverflowError):
        return None  # an ordinary projection raises the error that says why


def remember(projection: Projection, pre: Any, post: Any, weight: Any, receptor_type: Any) -> None:
    """Have those that follow take from a projection what they have in common with it."""
    if type(weight) in PLAIN and all(type(each.rows) is OwnRows for each in projection._tables):
        key = _key(pre, post, weight, receptor_type)
        simulator.state.kinds_of_projections[key] = Kind(projection)


def _key(pre: Any, post: Any, weight: Any, receptor_type: Any) -> tuple[Any, ...]:
    return pre.parent, post.parent, receptor_type, weight > 0, weight < 0


@exclusive("Projection", hold=True)
def _made(kind: Kind, pre: Any, post: Any, weight: float, delay: Any) -> Projection:
    state, table = simulator.state, kind.table
    target = np.array([post - table.post.first], table.index_type)
    rows = OwnRows(target, np.array([weight], state.scalar), kind.steps(delay).copy())
    steps = int(rows.read("delay")[0])
    ends = table.pre, table.post, int(pre) - table.pre.first, np.array([0, 1])
    own = SynapseTable.held(*ends, table.receptor, rows, (steps, steps))
    return BetweenCells(kind.first, own, (pre, post), {"weight": weight, "delay": delay})


class BetweenCells(Projection):
    """A projection of one synapse, whose attributes are made when they are looked at."""

    def __init__(
        self, first: Projection, table: SynapseTable, cells: tuple[Any, Any], given: dict[str, Any]
    ) -> None:
        pre, post = (f"view of '{cell.parent.label}' with size 1" for cell in cells)
        self._network = first._network
        self._tables = simulator.state.own_synapses([table])
        self.receptor_type = first.receptor_type
        self._cells = cells
        self._given = given
        self.label = f"{pre}→{post}"
        self._network.add_tables(self._tables, str(self.label))
        simulator.state.projections.append(self)
        common.Projection._nProj += 1

    def __getattr__(self, name: str) -> Any:
        """All that a projection has besides, made now."""
        if name.startswith("__") or "post" in self.__dict__ or "_cells" not in self.__dict__:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        self._make_all()
        return getattr(self, name)

    def _make_all(self) -> None:
        pre, post = (cell.as_view() for cell in self._cells)
        self._pre_numbers, self._post_numbers = map(numbers_of, (pre, post))
        self._columns = []
        self._connector = AllToAllConnector()
        self.synapse_type = StaticSynapse(**self._given)
        self.source = None
        self.space = Space()
        self.initial_values: dict[str, Any] = {}
        self.annotations: dict[str, Any] = {}
        self.pre, self.post = pre, post
