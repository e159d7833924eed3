"""Projections: the synapses between two groups of neurons."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import nullcontext
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pynn_sparse.interrupts import held
from pynn_sparse.network import Network, SynapseTable
from pynn_sparse.replacing import replaced

from ... import common
from ...core import deprecated
from ...recording import files
from ...space import Space
from .. import simulator
from ..access import exclusive_methods
from ..doors.arguments import check_description
from ..doors.checks import as_flag, as_integer, as_number, check_gather, check_names
from ..doors.generators import restoring_generators
from ..doors.plain import PLAIN
from ..labels import Label
from ..standardmodels.synapses import StaticSynapse
from ..synapses.parameters import evaluating
from ..synapses.suspicious import warn_of_rules
from ..synapses.values import matrix
from .arguments import (
    check_arguments,
    check_combined,
    check_file,
    check_format,
    index_of,
    leaving_no_trace,
    names_of,
)
from .changing import Changing
from .connecting import blocks_of
from .connections import POST, PRE, Connection, Connections
from .recorded import Recorded
from .synapse_columns import numbers_of

FORMATS = ("list", "array", "columns")


@exclusive_methods("__init__", "get", "save", "_columns_of", "get_data", "write_data")
@exclusive_methods("set", "initialize", "_assign", "_assign_one", "record", hold=True)
class Projection(Recorded, Changing, common.Projection):
    __doc__ = common.Projection.__doc__
    _simulator = simulator
    _static_synapse_class = StaticSynapse
    label = Label(lambda projection: projection._tables)
    _total: int | None = None  # connections of all processes, once they have been counted

    def __init__(
        self,
        presynaptic_neurons: Any,
        postsynaptic_neurons: Any,
        connector: Any,
        synapse_type: Any = None,
        source: Any = None,
        receptor_type: str | None = None,
        space: Any = None,
        label: str | None = None,
    ) -> None:
        simulator.state.require_open("a projection")
        simulator.state.processes.meet("Projection")
        check_arguments(
            *(presynaptic_neurons, postsynaptic_neurons, connector, synapse_type),
            *(source, receptor_type, space, label),
        )
        synapse_type = StaticSynapse() if synapse_type is None else synapse_type
        if synapse_type.electrical:
            simulator.state.require_one_process("gap junctions")
            receptor_type = None
        ends = presynaptic_neurons, postsynaptic_neurons
        if synapse_type.structure is not None:
            synapse_type.structure.check_ends(*ends)
        modulated = self._modulated(postsynaptic_neurons, synapse_type)
        if modulated is not None:
            name = str(label or postsynaptic_neurons.label)
            modulated.check(synapse_type, postsynaptic_neurons, name)
        given = receptor_type
        if synapse_type.modulates:
            synapse_type.check_ends(*ends, receptor_type)
            receptor_type = None
        self._network = simulator.state.network
        self._pre_numbers = numbers_of(presynaptic_neurons)
        self._post_numbers = numbers_of(postsynaptic_neurons)
        self._columns: list[tuple[Any, ...]] = []
        self._tables: list[SynapseTable] = []
        together = simulator.state.processes.together("Projection")
        with leaving_no_trace(connector, synapse_type), together:
            super().__init__(
                presynaptic_neurons,
                postsynaptic_neurons,
                connector,
                synapse_type,
                source,
                receptor_type,
                space or Space(),
                label,
            )
            self._check_synapse_type()
            connector.connect(self)
            self._tables += self._finish()
            self._check_alike(self._tables)
            warn_of_rules(self.label, self._tables, ("weight", *self._of_rule))
            if synapse_type.structure is not None:
                self._tables = synapse_type.structure.tables(self, self._tables)
            if synapse_type.modulates:
                synapse_type.check_made(self)
            if not self._has_own:
                self._tables = simulator.state.own_synapses(self._tables)
        with held:
            if synapse_type.electrical:
                self._network.add_junctions(self._tables, str(self.label))
            elif synapse_type.modulates:
                synapse_type.begin(self, given)
            else:
                self._network.add_tables(self._tables, str(self.label))
            simulator.state.projections.append(self)
            if synapse_type.structure is not None:
                synapse_type.structure.begin(self)
            if modulated is not None:
                modulated.take(self)

    @staticmethod
    def _modulated(post: Any, synapse_type: Any) -> Any:
        """What modulates the synapses of a projection with STDP; None if nothing does."""
        if getattr(synapse_type, "timing_dependence", None) is None:
            return None
        known = simulator.state.neuromodulated
        return next((known[each] for each in blocks_of(post) if each in known), None)

    def _guess_receptor_type(self) -> None:
        """Negative weights inhibit, by the weight of the last pair of cells, as in PyNN's code.

        Where the first receptor takes both signs, it is meant.
        """
        types = self.post.receptor_types
        self.receptor_type = types[0]
        if len(types) < 2 or self._signed(types[0]):
            return
        given, weight = self.synapse_type.parameter_space["weight"], 0.0
        if not given.operations and type(given.base_value) in PLAIN:  # without evaluating a copy
            weight = given.base_value
        else:
            space = deepcopy(self.synapse_type.parameter_space)
            lazy = self._handle_distance_expressions(space)["weight"]
            with evaluating(type(self.synapse_type).__name__, "weight", lazy.base_value):
                if lazy.shape is None:
                    lazy.shape = self.shape
                last = np.asarray(lazy[self.pre.size - 1, self.post.size - 1])
                weight = float(last.reshape(-1)[0])
        self.receptor_type = types[0] if weight >= 0 else types[1]

    def network_parts(self) -> tuple[Network, tuple[SynapseTable, ...]]:
        """The network, and its tables of these connections, for the export.

        Raises RuntimeError if `setup` has discarded that network.
        """
        simulator.state.check_present(self._network, self.label)
        return self._network, tuple(self._tables)

    def describe(self, template: Any = "projection_default.txt", engine: Any = "default") -> Any:
        """A description of the projection; see `pyNN.common.Projection.describe`."""
        check_description(template, engine)
        return super().describe(template, engine)

    @property
    def connections(self) -> Connections:
        """The connections, in the order in which they were made."""
        return Connections(self)

    def __iter__(self) -> Iterator[Connection]:
        return iter(self.connections)

    def __getitem__(self, i: Any) -> Any:
        """The i-th connection, or a list of connections for a slice."""
        if type(i) is int and 0 <= i < len(self):  # what scripts do for one after the other
            return Connection(self, i)
        chosen = index_of(str(self.label), i, len(self))
        if isinstance(chosen, range):
            return [Connection(self, j) for j in chosen]
        return Connection(self, chosen)

    def get(
        self,
        attribute_names: Any,
        format: str,
        gather: Any = True,
        with_address: bool = True,
        multiple_synapses: str = "sum",
    ) -> Any:
        names = self._names_to_get(attribute_names, format, FORMATS, gather, with_address)
        check_combined(f"{self.label}.get", multiple_synapses)
        with self._gathered("get", "all" if gather else False):
            if format == "columns":
                wanted = [PRE, POST, *names] if with_address else names
                return dict(zip(wanted, self._columns_of(wanted), strict=True))
            chosen = attribute_names if isinstance(attribute_names, str) else names
            return super().get(chosen, format, False, with_address, multiple_synapses)

    get.__doc__ = f"""{common.Projection.get.__doc__}
        With the format "columns", which only this backend has, returns a dict of NumPy arrays,
        one value for each connection, in the order of the list: `presynaptic_index` and
        `postsynaptic_index`, int64 (not if `with_address` is False), and the named attributes,
        float64, in the units above. Raises ValueError for another format.
        """

    def _names_to_get(
        self, names: Any, format: Any, known: Any, gather: Any, with_address: Any
    ) -> list[str]:
        """The names of attributes as a list, after a check of all arguments."""
        owner = str(self.label)
        chosen = names_of(owner, names)
        self._check_attributes(chosen, self._states_to_get)
        check_format(owner, format, known)
        check_gather(owner, gather)
        as_flag(f"{owner}: with_address", with_address)
        return chosen

    def save(
        self,
        attribute_names: Any,
        file: Any,
        format: str = "list",
        gather: Any = True,
        with_address: bool = True,
    ) -> None:
        if isinstance(attribute_names, str) and attribute_names in ("all", "connections"):
            attribute_names = self.synapse_type.get_parameter_names()
        names = self._names_to_get(attribute_names, format, FORMATS[:2], gather, with_address)
        check_file(str(self.label), file)
        if format == "array" and len(names) != 1:
            raise ValueError(
                f"{self.label}: attribute_names = {names}: must be one name for format = 'array'; "
                "the format 'list' has a column for each"
            )
        processes = simulator.state.processes
        with processes.together("save") if gather else nullcontext():
            with self._gathered("save", bool(gather)):
                if format == "list":
                    # Several, also if there is one: PyNN's code takes a name for a list of letters.
                    values: Any = np.array(self.get(names, "list", False, with_address), np.float64)
                    names = ["i", "j", *names] if with_address else names
                    values = values.reshape(-1, len(names))
                else:
                    matrix_of = self.get(names[0], "array", False)
                    values = np.where(np.isnan(matrix_of), 0.0, matrix_of)
            if gather and processes.gathers and processes.rank:
                return
            if not gather and processes.gathers and isinstance(file, (str, os.PathLike)):
                file = f"{os.fspath(file)}.{processes.rank}"
            self._write(file, values, names)

    @staticmethod
    def _write(file: Any, values: NDArray[np.float64], names: list[str]) -> None:
        """Write columns to one of PyNN's files, or to a new one of text."""
        if not isinstance(file, (str, os.PathLike)):
            file.write(values, {"columns": names})
            file.close()
            return
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        with replaced(file) as new:
            text = files.StandardTextFile(str(new), mode="w")
            text.write(values, {"columns": names})
            text.close()

    save.__doc__ = f"""{common.Projection.save.__doc__}
        A file that is named, as a text or a path, is written whole or not at all.
        """

    @deprecated("np.histogram()")  # type: ignore[untyped-decorator]
    def weightHistogram(self, min: Any = None, max: Any = None, nbins: int = 10) -> Any:  # noqa: N802
        weights = np.array(self.get("weight", format="list", with_address=False), np.float64)
        limits = {
            name: each() if value is None and len(weights) else value
            for name, value, each in (("min", min, weights.min), ("max", max, weights.max))
        }
        low, high = (
            as_number(f"{self.label}: {name}", limits[name], "a finite number, or None")
            for name in ("min", "max")
        )
        if low > high:
            raise ValueError(f"{self.label}: min = {low:g}: must be at most max, {high:g}")
        bins = as_integer(f"{self.label}: nbins", nbins, 1, 10**7)
        return np.histogram(weights, np.linspace(low, high, bins + 1))

    weightHistogram.__doc__ = common.Projection.weightHistogram.__doc__

    def _check_attributes(self, names: Any, more: Any = ()) -> None:
        known = [*self.synapse_type.get_parameter_names(), *more]
        check_names(names, type(self.synapse_type).__name__, known)

    def _get_attributes_as_list(self, names: list[str]) -> list[tuple[Any, ...]]:
        columns = self._columns_of(names)
        return list(zip(*(column.tolist() for column in columns), strict=True))

    def _get_attributes_as_arrays(
        self, names: Any, multiple_synapses: str = "sum"
    ) -> list[NDArray[np.float64]]:
        self._check_present()
        pairs, order = self._pairs(), cache(self._order)
        return [matrix(pairs, self._stored(name), order, multiple_synapses) for name in names]

    def set(self, **attributes: Any) -> None:
        self._check_attributes(attributes)
        self._refuse_fraction(attributes)
        simulator.state.check_open(self._network, self.label)
        with restoring_generators(attributes.values()):
            self._assign(self._values_of("set", attributes, self._check_assigned))

    set.__doc__ = common.Projection.set.__doc__

    def size(self, gather: bool = True) -> int:
        """Number of connections, of all processes or of this one; see `pyNN.common.Projection`."""
        processes = simulator.state.processes
        if not as_flag(f"{self.label}: gather", gather) or processes.size == 1:
            return len(self)
        if self._total is not None:
            return self._total
        shared = [table.rows.share_weights for table in self._tables]
        own = [
            0 if same and processes.rank else len(table)
            for table, same in zip(self._tables, shared, strict=True)
        ]
        total = int(processes.total(f"size of {self.label}", np.array([sum(own)]))[0])
        if self.synapse_type.structure is None:  # connections stay
            self._total = total
        return total

    def initialize(self, **initial_values: Any) -> None:
        simulator.state.check_open(self._network, self.label)
        check_names(initial_values, type(self.synapse_type).__name__, self._states)
        with restoring_generators(initial_values.values()):
            values = self._values_of("initialize", initial_values, self._check_initial)
            self._initialize_stored(values)
        self.initial_values.update(initial_values)

    initialize.__doc__ = common.Projection.initialize.__doc__
