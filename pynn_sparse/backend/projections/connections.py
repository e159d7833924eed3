"""Single connections of a projection."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol
from weakref import proxy

import numpy as np
from numpy.typing import NDArray

from pynn_sparse.network import SynapseTable

from ... import common
from .. import simulator
from ..access import exclusive
from ..doors.checks import did_you_mean

OWN = frozenset(("_projection", "_number", "weight", "delay"))
PRE, POST = "presynaptic_index", "postsynaptic_index"


class Columns(Protocol):
    """What finding a connection asks of the columns of a projection."""

    synapse_type: Any
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
    def _column(self, name: str, numbers: Any) -> NDArray[Any]: ...
    def _check_attributes(self, names: Any) -> None: ...
    def _assign_one(self, name: str, number: int, value: Any) -> None: ...


class Connection(common.Connection):
    """One synapse of a projection; reading and assigning its attributes goes to the projection."""

    def __init__(self, projection: Owner, number: int) -> None:
        self._projection = projection
        self._number = number

    def _value(self, name: str) -> Any:
        return self._projection._single.value(name, self._number)

    @property
    def presynaptic_index(self) -> int:
        """Index of the presynaptic cell in the projection's `pre`."""
        return int(self._value(PRE))

    @property
    def postsynaptic_index(self) -> int:
        """Index of the postsynaptic cell in the projection's `post`."""
        return int(self._value(POST))

    @property
    def weight(self) -> float:
        """Synaptic weight, in the unit that the postsynaptic model takes."""
        return float(self._value("weight"))

    @weight.setter
    def weight(self, value: float) -> None:
        self._projection._assign_one("weight", self._number, value)

    @property
    def delay(self) -> float:
        """Synaptic delay in ms."""
        return float(self._value("delay"))

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
        return float(self._projection._column(name, [self._number])[0])

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


class Connections:
    """All connections of a projection, as objects that are made when they are looked at."""

    def __init__(self, projection: Owner) -> None:
        self._projection = projection

    def __len__(self) -> int:
        return len(self._projection)

    def __getitem__(self, i: Any) -> Any:
        return self._projection[i]

    def __iter__(self) -> Iterator[Connection]:
        return (Connection(self._projection, i) for i in range(len(self)))


class Single:
    """Where single connections of a projection are stored, and their values.

    What it takes to find one, an order and columns of all, is kept for the next, until synapses
    have moved or their values have changed otherwise. The order of connections stays what it was
    when the first one was looked at.
    """

    def __init__(self, projection: Columns) -> None:
        self._projection = proxy(projection)  # which it belongs to
        self._places: tuple[Any, ...] = ()
        self._versions: tuple[Any, ...] = ()
        self._order: NDArray[np.int64] = np.zeros(0, np.int64)
        self._columns: dict[str, NDArray[Any]] = {}

    def place(self, number: int) -> int:
        """Where a connection is stored, counted through the projection's tables."""
        places = tuple(table.moves for table in self._projection._tables)
        if places != self._places:
            self._order = self._projection._keep_order()
            self._columns = {}
            self._places = tuple(table.moves for table in self._projection._tables)
        return int(self._order[number])

    @exclusive("a connection")
    def value(self, name: str, number: int) -> Any:
        """An attribute of a connection, as it is now."""
        self._projection._check_present()
        place = self.place(number)
        versions = self._present()
        if versions != self._versions:
            self._columns = {}
            self._versions = versions
        if name not in self._columns:
            self._columns[name] = self._projection._stored(name)
        return self._columns[name][place]

    def assigned(self, name: str, place: int, value: float) -> None:
        """Take notice of a value that a connection has been given."""
        if name in self._columns:
            column = self._columns[name]
            if not column.flags.writeable:
                column = self._columns[name] = column.copy()
            column[place] = value
        self._versions = self._present()

    def up_to_date(self) -> bool:
        """Whether all columns are as the tables are."""
        return self._versions == self._present()

    def _present(self) -> tuple[Any, ...]:
        tables = self._projection._tables
        learns = self._projection.synapse_type.dynamics is not None
        return (simulator.state.step if learns else 0, *(table.version for table in tables))
