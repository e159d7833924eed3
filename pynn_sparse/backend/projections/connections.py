"""Single connections of a projection."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, Protocol
from weakref import proxy

import numpy as np
from numpy.typing import NDArray

from pynn_sparse.network import Network, SynapseTable

from ... import common
from .. import simulator
from ..access import check, exclusive
from ..doors.checks import did_you_mean

OWN = frozenset(("weight", "delay"))
PRE, POST = "presynaptic_index", "postsynaptic_index"


class Columns(Protocol):
    """What finding a connection asks of the columns of a projection."""

    synapse_type: Any
    _network: Network
    _tables: list[SynapseTable]

    def _check_present(self) -> None: ...
    def _keep_order(self) -> NDArray[np.int64]: ...
    def _stored(self, name: str) -> NDArray[Any]: ...


class Owner(Columns, Protocol):
    """What a connection asks of the projection that it belongs to."""

    label: Any

    @property
    def _single(self) -> Single: ...
    def __len__(self) -> int: ...
    def __getitem__(self, index: Any) -> Any: ...
    def _check_attributes(self, names: Any) -> None: ...
    def _assign_one(self, name: str, number: int, value: Any) -> None: ...


class Connection(common.Connection):
    """One synapse of a projection; reading and assigning its attributes goes to the projection.

    Scripts make and read millions of these: they are two slots, and what they read are columns that
    all of a projection share.
    """

    __slots__ = ("_number", "_projection")
    _projection: Owner
    _number: int

    def __init__(self, projection: Owner, number: int) -> None:
        _set_projection(self, projection)
        _set_number(self, number)

    @property
    def presynaptic_index(self) -> int:
        """Index of the presynaptic cell in the projection's `pre`."""
        return int(self._projection._single.value(PRE, self._number))

    @property
    def postsynaptic_index(self) -> int:
        """Index of the postsynaptic cell in the projection's `post`."""
        return int(self._projection._single.value(POST, self._number))

    @property
    def weight(self) -> float:
        """Synaptic weight, in the unit that the postsynaptic model takes."""
        return self._projection._single.value("weight", self._number)

    @weight.setter
    def weight(self, value: float) -> None:
        self._projection._assign_one("weight", self._number, value)

    @property
    def delay(self) -> float:
        """Synaptic delay in ms."""
        return self._projection._single.value("delay", self._number)

    @delay.setter
    def delay(self, value: float) -> None:
        self._projection._assign_one("delay", self._number, value)

    def __getattr__(self, name: str) -> float:
        if name.startswith("_"):
            raise AttributeError(name)
        known = self._projection.synapse_type.get_parameter_names()
        if name not in known:
            raise AttributeError(
                f"{self._projection.label}: {name} is not an attribute of a connection: must be "
                f"one of {', '.join((PRE, POST, *known))}{did_you_mean(name, known)}"
            )
        return self._projection._single.value(name, self._number)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in (PRE, POST):
            raise AttributeError(
                f"{self._projection.label}: {name} cannot be set: must stay as it is"
            )
        if name in OWN:
            super().__setattr__(name, value)
        else:
            self._projection._check_attributes([name])
            self._projection._assign_one(name, self._number, value)

    def as_tuple(self, *attribute_names: str) -> tuple[Any, ...]:
        """The named attributes."""
        return tuple(getattr(self, name) for name in attribute_names)


# Past `__setattr__`, which is for users.
_set_projection = Connection.__dict__["_projection"].__set__
_set_number = Connection.__dict__["_number"].__set__


class Connections:
    """All connections of a projection, as objects that are made when they are looked at."""

    def __init__(self, projection: Owner) -> None:
        self._projection = projection

    def __len__(self) -> int:
        return len(self._projection)

    def __getitem__(self, i: Any) -> Any:
        return self._projection[i]

    def __iter__(self) -> Iterator[Connection]:
        return map(partial(Connection, self._projection), range(len(self)))


class Single:
    """Where single connections of a projection are stored, and their values.

    What it takes to find one, an order and columns of all, is kept for the next, until synapses
    have moved or their values have changed otherwise. The order of connections stays what it was
    when the first one was looked at.
    """

    def __init__(self, projection: Columns) -> None:
        self._projection = proxy(projection)  # which it belongs to
        self._network = projection._network
        self._dynamic = projection.synapse_type.dynamics is not None
        self._places: tuple[int, ...] = ()
        self._order: NDArray[np.int64] = np.zeros(0, np.int64)  # valid at these
        self._seen: list[tuple[SynapseTable, int, int]] | None = None
        self._step = 0
        self._columns: dict[str, NDArray[Any]] = {}  # in the order that users see; valid as seen

    def value(self, name: str, number: int) -> Any:
        """An attribute of a connection, as it is now."""
        check("a connection")
        if not self._up_to_date():
            self._look_again()
        column = self._columns.get(name)
        return (self._column(name) if column is None else column).item(number)

    def place(self, number: int) -> int:
        """Where a connection is stored, counted through the projection's tables."""
        if not self._up_to_date():
            self._look_again()
        return int(self._present_order()[number])

    def assigned(self, name: str, number: int, value: float) -> None:
        """Take notice of a value that a connection has been given, and nothing else since `place`.

        Its place may have become another.
        """
        if name in self._columns:
            self._columns[name][number] = value
        self._look()

    def _up_to_date(self) -> bool:
        """Whether all columns are as the tables are."""
        if self._seen is None:
            return False
        if self._dynamic:
            state = simulator.state
            if state.last_step != self._step or state.network is not self._network:
                return False
        for table, moves, version in self._seen:
            if table.version != version or table.moves != moves:
                return False
        return True

    @exclusive("a connection")
    def _look_again(self) -> None:
        self._projection._check_present()
        self._present_order()
        self._columns = {}
        self._look()

    def _look(self) -> None:
        tables = self._projection._tables
        self._step = simulator.state.last_step
        self._seen = [(table, table.moves, table.version) for table in tables]

    @exclusive("a connection")
    def _column(self, name: str) -> NDArray[Any]:
        column: NDArray[Any] = self._projection._stored(name)[self._present_order()]
        self._columns[name] = column
        return column

    def _present_order(self) -> NDArray[np.int64]:
        if self._moves() != self._places:
            self._order = self._projection._keep_order()
            self._places = self._moves()
        return self._order

    def _moves(self) -> tuple[int, ...]:
        return tuple(table.moves for table in self._projection._tables)
