"""Changes of the synapses of a projection: all are checked before the first is made."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pynn_sparse.errors import ParameterError
from pynn_sparse.network import Rule, SynapseTable

from ... import errors
from ...parameters import ParameterSpace
from .. import simulator
from ..doors.checks import as_number
from ..doors.parameters import shown
from ..doors.plain import PLAIN
from ..synapses.parameters import accepted, evaluating
from ..synapses.suspicious import warn_of_rules, warn_of_weight
from ..synapses.values import Pairs, stored_values
from .connecting import Connecting, part_of
from .synapse_columns import FRACTION, present


def _take_in(table: SynapseTable) -> None:
    """Have weights that learn, and states, take in all that has come until now."""
    table.weight, table.state = present(table)
    table.since = simulator.state.step


class Changing(Connecting):
    """Takes over new values of the synapses, of all of them or of one."""

    _handle_distance_expressions: Any  # PyNN's

    def _refuse_fraction(self, names: Any) -> None:
        if FRACTION in names:
            raise NotImplementedError(
                f"{self.label}: {FRACTION} cannot be changed: must stay as it is; make another "
                "projection"
            )

    def _assign(self, values: dict[str, NDArray[np.float64]]) -> None:
        """Take over values in the order of storage; all are checked before the first is."""
        simulator.state.check_open(self._network, self.label)
        for table, part in self._check_assigned(values):
            if table.rule is not None and table.rule.learns:
                _take_in(table)
            table.update(**part)
        warn_of_rules(self.label, [table for table in self._tables if len(table)], values)

    def _check_assigned(
        self, values: dict[str, NDArray[np.float64]]
    ) -> list[tuple[SynapseTable, dict[str, Any]]]:
        """Each table with its part of the values that it is going to have; all have been checked.

        Delays are in steps.
        """
        structure = self.synapse_type.structure
        if not len(self):
            if structure is None:
                return []
            values = {name: each for name, each in values.items() if len(each)}
        checked: dict[str, Any] = dict(values)
        if "delay" in values:
            checked["delay"] = self._delay_steps(values["delay"])

        def check(table: SynapseTable, part: dict[str, Any]) -> None:
            if "weight" in part:
                self._check_weights(part["weight"], receptor=table.receptor)
            if structure is not None:
                structure.check_values(str(self.label), table, part)
            table.check(**part)
            self._check_kind(table, part)

        return self._checked_parts(checked, check)

    def _check_initial(self, values: dict[str, NDArray[np.float64]]) -> None:
        """Raise an error for values that `initialize` must not get."""
        self._checked_parts(values, SynapseTable.check_state)

    def _checked_parts(
        self, values: dict[str, Any], check: Callable[[SynapseTable, dict[str, Any]], None]
    ) -> list[tuple[SynapseTable, dict[str, Any]]]:
        """Each table with its part of values in the order of storage; all have been checked."""
        starts = np.cumsum([0, *map(len, self._tables)])
        parts = [
            (table, {name: part_of(each, slice(first, last)) for name, each in values.items()})
            for table, (first, last) in zip(
                self._tables, itertools.pairwise(starts.tolist()), strict=True
            )
        ]
        try:
            for table, part in parts:
                check(table, part)
        except ParameterError as error:
            raise errors.InvalidParameterValueError(f"{self.label}: {error}") from error
        return parts

    def _check_kind(self, table: SynapseTable, values: dict[str, Any]) -> None:
        """Traces that synapses share cannot become their own in the middle of a simulation."""
        rule = table.rule
        if rule is None:
            return
        parameters = {name: each for name, each in values.items() if name in rule.parameters}
        self._check_kind_on_several(rule.changed(parameters))
        if not simulator.state.step:
            return
        if rule.changed(parameters).kind != rule.kind:
            raise NotImplementedError(
                f"{self.label}: time constants that differ between its synapses must be set before "
                "the first run, or after reset()"
            )

    def _assign_one(self, name: str, number: int, value: Any) -> None:
        """Give one connection a weight, a delay in ms, or another parameter."""
        simulator.state.check_open(self._network, self.label)
        self._refuse_fraction([name])
        unit = self.synapse_type.domain.units.get(name, "")
        what = f"{self.label}[{number}]: {name}"
        given = np.array([as_number(what, value, "a number", lambda number: True, unit)])
        if name not in ("weight", "delay"):
            values = self._stored(name).copy()
            values[self._order()[number]] = given[0]
            self._assign({name: values})
            return
        table, index = self._table_at(self._single.place(number))
        if name == "weight":
            self._check_weights(given, receptor=table.receptor)
        else:
            given = self._delay_steps(given)
        others_stay = True
        try:
            learns = table.rule is not None and table.rule.learns
            if name == "weight" and learns and table.since != simulator.state.step:
                _take_in(table)
                others_stay = False
            table.update_one(index, **{name: given[0]})
        except ParameterError as error:
            raise errors.InvalidParameterValueError(f"{self.label}: {error}") from error
        if others_stay:
            state = simulator.state
            now = state.network.grid.time(given[0]) if name == "delay" else state.scalar(given[0])
            self._single.assigned(name, number, float(now))
        if name == "weight" and learns:
            warn_of_weight(self.label, table, index)

    def _table_at(self, place: int) -> tuple[SynapseTable, int]:
        """The table in which a connection is stored, and where there."""
        for table in self._tables:
            if place < len(table):
                return table, place
            place -= len(table)
        raise IndexError(f"{self.label} has {len(self)} connections")

    def _check_alike(self, tables: list[SynapseTable]) -> None:
        """Raise an error for synapses that several processes cannot have."""
        for table in tables:
            if table.rule is not None:
                self._check_kind_on_several(table.rule)

    def _check_kind_on_several(self, rule: Rule) -> None:
        if rule.kind == "OwnPairs":
            simulator.state.require_one_process(
                f"{self.label}: time constants of plasticity that differ between synapses"
            )

    def _values_of(
        self,
        what: str,
        given: Mapping[str, Any],
        check: Callable[[dict[str, NDArray[np.float64]]], Any],
    ) -> dict[str, NDArray[np.float64]]:
        """New values of attributes, one for all or one for each connection as they are stored.

        Where several processes have connections, values are made for all of these, and checked.
        """

        def make() -> dict[str, NDArray[np.float64]]:
            pairs = self._pairs()
            return {name: self._values(pairs, name, value) for name, value in given.items()}

        numbers = all(type(value) in PLAIN for value in given.values())
        if numbers or not simulator.state.processes.gathers:
            return make()
        with self._gathered(what, "all") as places:
            values = make()
            check(values)
        return {k: v if len(v) == 1 else v[places] for k, v in values.items()}

    def _values(self, pairs: Pairs, name: str, value: Any) -> NDArray[np.float64]:
        """An attribute's new values, one for all or one for each connection as they are stored."""
        domain = self.synapse_type.domain
        given = accepted(str(self.label), name, value, checked=False, domain=domain)
        if isinstance(given, np.ndarray) and given.ndim != 1 and given.shape != pairs.shape:
            raise errors.InvalidDimensionsError(
                f"{self.label}: {name} = {shown(value)}: has the shape {given.shape}: must be one "
                f"number, one for each of {len(pairs.unique)} connected pairs of cells, or a "
                f"matrix of shape {pairs.shape}"
            )

        def lazy() -> Any:
            space = ParameterSpace({name: given}, {name: float}, self.shape)
            return self._handle_distance_expressions(space)[name]

        with evaluating(str(self.label), name, value):
            return stored_values(pairs, name, given, lazy)

    def _initialize_stored(self, values: dict[str, NDArray[np.float64]]) -> None:
        """Set state variables; values are one for all, or [n] as connections are stored."""
        for table, part in self._checked_parts(values, SynapseTable.check_state):
            if table.rule is not None and table.rule.learns:
                _take_in(table)
            for name, each in part.items():
                table.initialize(name, each[0] if len(each) == 1 else each[table.order()])
