"""Projections: the synapses between two groups of neurons."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from copy import deepcopy
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pynn_sparse.engine.building.connect import Rows
from pynn_sparse.engine.devices.device import Device
from pynn_sparse.engine.devices.gpu_builder import GpuBuilder
from pynn_sparse.engine.sharing import each_of
from pynn_sparse.engine.synapses.gpu import Resident
from pynn_sparse.errors import ParameterError
from pynn_sparse.interrupts import held
from pynn_sparse.network import Block, Network, Rule, SynapseTable, memory
from pynn_sparse.network.synapses import MAX_DELAY_STEPS, index_type, sort_repeated
from pynn_sparse.replacing import replaced

from ... import common, errors
from ...connectors import FixedNumberPreConnector
from ...core import deprecated
from ...parameters import ParameterSpace
from ...recording import files
from ...space import Space
from ...standardmodels.base import excitatory_receptor_types, inhibitory_receptor_types
from .. import simulator
from ..access import exclusive_methods
from ..connectors.connectors import expected_synapses
from ..doors.checks import as_flag, as_integer, as_number, check_names
from ..doors.parameters import restoring_generators, shown
from ..doors.plain import PLAIN
from ..labels import Label
from ..standardmodels.synapses import StaticSynapse
from ..synapses.parameters import UNITS, accepted, evaluating
from ..synapses.suspicious import warn_of_rules, warn_of_weight
from ..synapses.values import Pairs, matrix, stored_values
from .arguments import (
    check_arguments,
    check_combined,
    check_file,
    check_format,
    check_gather,
    index_of,
    leaving_no_trace,
    names_of,
)
from .connections import POST, PRE, Connection, Connections, Single

# So that sums over any number of synapses are finite.
GREATEST_WEIGHT: dict[Any, float] = {np.float64: 1e100, np.float32: 1e30}
FRACTION = "dendritic_delay_fraction"  # one for all synapses of a projection
TAU_PSC = "tau_psc"  # of the target's receptor: looked up, not given
Values = dict[str, NDArray[Any]]  # name -> [n], or [1] where all connections have the same
FORMATS = ("list", "array", "columns")


@exclusive_methods("__init__", "get", "save", "_columns_of")
@exclusive_methods("set", "initialize", "_assign", "_assign_one", hold=True)
class Projection(common.Projection):
    __doc__ = common.Projection.__doc__
    _simulator = simulator
    _static_synapse_class = StaticSynapse
    label = Label(lambda projection: projection._tables)

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
        check_arguments(
            *(presynaptic_neurons, postsynaptic_neurons, connector, synapse_type),
            *(source, receptor_type, space, label),
        )
        synapse_type = StaticSynapse() if synapse_type is None else synapse_type
        if synapse_type.electrical:
            receptor_type = None
        self._network = simulator.state.network
        self._pre_ids = presynaptic_neurons.all_cells.astype(np.int64)
        self._post_ids = postsynaptic_neurons.all_cells.astype(np.int64)
        self._columns: list[tuple[Any, ...]] = []
        self._tables: list[SynapseTable] = []
        with leaving_no_trace(connector, synapse_type):
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
            connector.connect(self)
            self._tables += self._finish()
        with held:
            if synapse_type.electrical:
                self._network.add_junctions(self._tables, str(self.label))
            else:
                self._network.add_tables(self._tables, str(self.label))
            simulator.state.projections.append(self)
        warn_of_rules(self.label, self._tables, ("weight", *self._of_rule))

    def _guess_receptor_type(self) -> None:
        """Negative weights inhibit, by the weight of the last pair of cells, as in PyNN's code."""
        types = self.post.receptor_types
        given, weight = self.synapse_type.parameter_space["weight"], 0.0
        if not given.operations and type(given.base_value) in PLAIN:  # without evaluating a copy
            weight = given.base_value
        elif len(types) > 1:
            space = deepcopy(self.synapse_type.parameter_space)
            lazy = self._handle_distance_expressions(space)["weight"]
            with evaluating(type(self.synapse_type).__name__, "weight", lazy.base_value):
                if lazy.shape is None:
                    lazy.shape = self.shape
                last = np.asarray(lazy[self.pre.size - 1, self.post.size - 1])
                weight = float(last.reshape(-1)[0])
        self.receptor_type = types[0] if weight >= 0 or len(types) == 1 else types[1]

    @property
    def _of_rule(self) -> list[str]:
        """Names of parameters of the synapses, besides weight and delay."""
        dynamics = self.synapse_type.dynamics
        return [name for name in dynamics.parameters if name != TAU_PSC] if dynamics else []

    @property
    def _states(self) -> list[str]:
        """Names of state variables that may be initialized."""
        dynamics = self.synapse_type.dynamics
        return list(dynamics.state) if dynamics and not dynamics.learns else []

    @property
    def _positive(self) -> bool:
        """Whether weights have to be positive, by PyNN's conventions."""
        return (
            self.synapse_type.electrical
            or self._conductance
            or self.receptor_type in excitatory_receptor_types
        )

    @property
    def _conductance(self) -> bool:
        parts = getattr(self.post, "populations", [self.post])
        return all(_is_conductance(part.celltype, self.receptor_type) for part in parts)

    def _rule(self, post: Block, target: NDArray[Any], parameters: Values) -> Rule | None:
        """What synapses onto these cells of a block do, by the values of parameters."""
        dynamics = self.synapse_type.dynamics
        if dynamics is None:
            return None
        if TAU_PSC in dynamics.parameters:
            parameters = parameters | {TAU_PSC: _tau_syn(post, self.receptor_type, target)}
        fraction = float(getattr(self.synapse_type, FRACTION, 1.0))
        try:
            return Rule(dynamics, parameters, 1.0 if self._positive else -1.0, fraction)
        except ParameterError as error:
            raise errors.InvalidParameterValueError(f"{self.label}: {error}") from error

    # --- making connections -------------------------------------------------------------------

    def _require_memory(self, gpu: Device | None = None) -> None:
        """Raise NetworkTooLargeError if the host, or the GPU, has no memory for the synapses."""
        expected = expected_synapses(self._connector, *self.shape)
        what = f"{self.label} with about {expected:.3g} synapses"
        if gpu is None:
            memory.require(expected * memory.BYTES_PER_SYNAPSE, what)
        else:
            size = expected * memory.BYTES_PER_SYNAPSE_ON_GPU
            memory.require(size, what, gpu.free_memory())

    @cached_property
    def _stretches(self) -> tuple[tuple[Block, int], tuple[Block, int]] | None:
        """Block and first index of the cells of both ends; None if cells have gaps between them."""
        pre, post = _stretch(self.pre, self._pre_ids), _stretch(self.post, self._post_ids)
        return None if pre is None or post is None else (pre, post)

    @property
    def _fits_gpu(self) -> bool:
        """Whether rows of connections can be taken as a GPU makes them."""
        plain = self.synapse_type.dynamics is None and not self.synapse_type.electrical
        return plain and self._stretches is not None

    def _connect_on_gpu(self, builder: GpuBuilder, rows: Rows, weight: Any, delay: Any) -> None:
        """Take up connections whose targets, and differing weights and delays, are on a GPU."""
        stretches = self._stretches
        assert stretches is not None
        pre, post = stretches
        target, dtype = rows.target, index_type(post[0].size)
        if post[1] or target.dtype != dtype:
            target = builder.shifted(target, post[1], dtype)
        resident = Resident(builder, target, weight, delay)
        self._check_weights(np.array(resident.weight_range), signs=self._connector.safe)
        ends = pre[0], post[0], pre[1], rows.row_start, self.receptor_type
        self._tables.append(SynapseTable.held(*ends, resident, resident.delay_range))

    def _convergent_connect(
        self,
        presynaptic_indices: Any,
        postsynaptic_index: Any,
        location_selector: Any = None,
        **connection_parameters: Any,
    ) -> None:
        """Take up connections to one cell; `presynaptic_indices` may name a cell several times.

        Values of parameters are numbers or arrays of the same length as `presynaptic_indices`.
        """
        if location_selector is not None:
            raise NotImplementedError("pyNN.sparse has no multicompartmental models")
        sources = self._pre_ids[np.asarray(presynaptic_indices, np.int64)].astype(np.uint32)
        target = self._post_ids[int(postsynaptic_index)]
        defaults = {} if FRACTION in connection_parameters else self._defaults
        self._columns.append((sources, target, defaults | connection_parameters))

    @cached_property
    def _defaults(self) -> dict[str, Any]:
        """Parameters that all synapses share, for connectors that know of weight and delay only."""
        space = self.synapse_type.native_parameters
        names = [*self._of_rule, "delay"] if self.synapse_type.electrical else self._of_rule
        shared = [name for name in names if space[name].is_homogeneous]
        return {name: space[name].base_value for name in shared}

    def _connect_rows(
        self, rows: Rows, weight: NDArray[Any], delay: NDArray[Any], parameters: Values
    ) -> None:
        """Take up all connections; weights, delays (in steps), parameters of length n or 1."""
        if not len(rows.target):
            return
        self._check_weights(weight, signs=self._connector.safe)
        stretches = self._stretches
        waits = self.synapse_type.dynamics and getattr(self.synapse_type, FRACTION, 1.0) < 1
        if stretches is None or waits:
            source = np.repeat(self._pre_ids.astype(np.uint32), np.diff(rows.row_start))
            target = self._post_ids.astype(np.uint32)[rows.target]
            identity = np.arange(len(source), dtype=np.uint32) if parameters else None
            self._tables += self._divided(source, target, weight, delay, parameters, identity)
            return
        pre, post = stretches
        target = rows.target
        if post[1]:
            target = (target + np.uint32(post[1])).astype(index_type(post[0].size))
        ends = pre[0], post[0], pre[1], rows.row_start, target
        kind = self.receptor_type, self._rule(post[0], target, parameters)
        self._tables.append(SynapseTable(*ends, weight, delay, *kind))

    def _finish(self) -> list[SynapseTable]:
        """Check the connections that the connector made, and put them into tables."""
        columns, self._columns = self._columns, []
        counts = [len(column[0]) for column in columns]
        if not sum(counts):
            return []
        source = np.concatenate([column[0] for column in columns])
        target = np.repeat(np.array([column[1] for column in columns], np.uint32), counts)
        values = {
            name: _joined([column[2][name] for column in columns], counts)
            for name in ("weight", "delay", *self._of_rule)
        }
        columns.clear()
        return self._checked(source, target, values)

    def _connect_pairs(
        self, source: NDArray[np.int64], target: NDArray[np.int64], values: Values
    ) -> None:
        """Take up all connections, by indices of cells; delays in ms."""
        if len(source):
            pre, post = (each.astype(np.uint32) for each in (self._pre_ids, self._post_ids))
            self._tables += self._checked(pre[source], post[target], values)

    def _checked(self, source: Any, target: Any, values: Values) -> list[SynapseTable]:
        """Tables of connections between cells of the network; weights and delays are checked."""
        weight, delay = values["weight"], values["delay"]
        self._check_weights(weight, signs=self._connector.safe)
        steps = self._delay_steps(delay).astype(np.uint16)
        weight = weight.astype(simulator.state.scalar, copy=False)
        parameters = {name: values[name] for name in self._of_rule}
        # Upstream lists the sources of a target in the order in which they were drawn.
        drawn = isinstance(self._connector, FixedNumberPreConnector)
        keeps_order = drawn or self.synapse_type.dynamics
        identity = np.arange(len(source), dtype=np.uint32) if keeps_order else None
        return self._divided(source, target, weight, steps, parameters, identity)

    def _divided(
        self,
        source: Any,
        target: Any,
        weight: Any,
        delay: Any,
        parameters: Values,
        identity: NDArray[np.uint32] | None = None,
    ) -> list[SynapseTable]:
        """A table for each pair of populations that is connected."""
        tables = []
        for pre, post, part in _by_blocks(_blocks(self.pre), source, _blocks(self.post), target):
            i, j = source[part] - np.uint32(pre.first), target[part] - np.uint32(post.first)
            w, d = _part(weight, part), _part(delay, part)
            of_rule = {name: _part(each, part) for name, each in parameters.items()}
            rule = self._rule(post, j, of_rule)
            own = None if identity is None else identity[part]
            ends = pre, post, i, j
            tables.append(SynapseTable.from_pairs(*ends, w, d, self.receptor_type, rule, own))
        return tables

    def _check_weights(self, weight: NDArray[np.float64], signs: bool = True) -> None:
        """Weights are finite, and have the sign that PyNN asks for of a receptor."""
        limit = GREATEST_WEIGHT[simulator.state.scalar]
        good = np.abs(weight) <= limit  # false for NaN
        if not good.all():
            raise errors.ConnectionError(
                f"weight = {weight[~good][0]} in {self.label}: weights must be finite numbers "
                f"of at most {limit:g}"
            )
        if not signs:
            return
        if self._positive:
            if (weight < 0).any():
                raise errors.ConnectionError(
                    f"weight = {weight[weight < 0][0]:g} in {self.label}: Weights must be positive "
                    "for conductance-based and/or excitatory synapses"
                )
        elif self.receptor_type in inhibitory_receptor_types and (weight > 0).any():
            raise errors.ConnectionError(
                f"weight = {weight[weight > 0][0]:g} in {self.label}: Weights must be negative for "
                "current-based, inhibitory synapses"
            )

    def _delay_steps(self, delay: NDArray[np.float64]) -> NDArray[np.int64]:
        """Delays in time steps, to the nearest; halves up, as in NEST."""
        state = simulator.state
        grid = state.network.grid
        least, most = state.least_delay_allowed, state.max_delay
        tolerance = 1e-6 * grid.dt
        good = (delay >= least - tolerance) & (delay <= most + tolerance)  # false for NaN
        if not good.all():
            raise errors.ConnectionError(
                f"delay = {delay[~good][0]:g} ms in {self.label}: delays must be from "
                f"{least:g} ms to {most:g} ms (the time step is {grid.dt:g} ms)"
            )
        return np.minimum(np.maximum(grid.nearest(delay), 1), MAX_DELAY_STEPS)

    # --- reading ------------------------------------------------------------------------------

    def __len__(self) -> int:
        """Number of connections."""
        return sum(len(table) for table in self._tables)

    def network_parts(self) -> tuple[Network, tuple[SynapseTable, ...]]:
        """The network, and its tables of these connections, for the export.

        Raises RuntimeError if `setup` has discarded that network.
        """
        simulator.state.check_present(self._network, self.label)
        return self._network, tuple(self._tables)

    @property
    def connections(self) -> Connections:
        """The connections, in the order in which they were made."""
        return Connections(self)

    @cached_property
    def _single(self) -> Single:
        return Single(self)

    def __getitem__(self, i: Any) -> Any:
        """The i-th connection, or a list of connections for a slice."""
        chosen = index_of(str(self.label), i, len(self))
        if isinstance(chosen, range):
            return [Connection(self, j) for j in chosen]
        return Connection(self, chosen)

    def _order(self) -> NDArray[np.int64]:
        """Where the connections are stored, ordered by target and then by source.

        Positions count through the tables. Of several connections between two cells, the one with
        the lesser delay, and then with the lesser weight, comes first.
        """
        if len(self._tables) == 1 and _ascending(self._pre_ids) and _ascending(self._post_ids):
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
        if any(table.has_repeated() for table in self._tables if not len(table.identity)):
            identity = np.empty(len(order), np.uint32)
            identity[order] = np.arange(len(order), dtype=np.uint32)
            ends = np.cumsum([len(table) for table in self._tables])[:-1]
            for table, part in zip(self._tables, np.split(identity, ends), strict=True):
                table.take_back()
                table.identity = part
        return order

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
            return np.repeat(_position(self._pre_ids, table.pre, rows), np.diff(table.row_start))
        if name == POST:
            return _position(self._post_ids, table.post, np.arange(table.post.size))[table.target]
        if name == "weight":
            return np.broadcast_to(_present_weights(table), (n,)).astype(np.float64, copy=False)
        if name == "delay":
            times = table.post.grid.time(np.arange(table.delay_range[1] + 1))
            return np.broadcast_to(times[table.delay], (n,))
        assert table.rule is not None
        if name == FRACTION:
            return np.full(n, table.rule.dendritic)
        return np.broadcast_to(table.rule.parameters[name], (n,))

    def _column(self, name: str, which: Any = slice(None)) -> NDArray[Any]:
        """An attribute of all connections, or of those at `which`."""
        return self._columns_of([name], which)[0]

    def _columns_of(self, names: Any, which: Any = slice(None)) -> list[NDArray[Any]]:
        self._check_present()
        order = self._order()[which]

        def column(name: str) -> NDArray[Any]:
            return np.asarray(self._stored(name)[order])

        return each_of(column, names, len(order) * len(names), simulator.state.threads)

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
        if format == "columns":
            wanted = [PRE, POST, *names] if with_address else names
            return dict(zip(wanted, self._columns_of(wanted), strict=True))
        chosen = attribute_names if isinstance(attribute_names, str) else names
        return super().get(chosen, format, gather, with_address, multiple_synapses)

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
        self._check_attributes(chosen)
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
        if format == "list":
            # Several, also if there is one: PyNN's code takes a name for a list of letters.
            values: Any = np.array(self.get(names, "list", gather, with_address), np.float64)
            names = ["i", "j", *names] if with_address else names
            values = values.reshape(len(self), len(names))
        elif len(names) == 1:
            matrix_of = self.get(names[0], "array", gather)
            values = np.where(np.isnan(matrix_of), 0.0, matrix_of)
        else:
            raise ValueError(
                f"{self.label}: attribute_names = {names}: must be one name for format = 'array'; "
                "the format 'list' has a column for each"
            )
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

    def _check_attributes(self, names: Any) -> None:
        known = self.synapse_type.get_parameter_names()
        check_names(names, type(self.synapse_type).__name__, known)

    def _get_attributes_as_list(self, names: list[str]) -> list[tuple[Any, ...]]:
        columns = self._columns_of(names)
        return list(zip(*(column.tolist() for column in columns), strict=True))

    def _check_present(self) -> None:
        """Raise RuntimeError if weights that learn have gone with their network.

        What they are depends on spikes that they have not taken in yet.
        """
        if any(table.rule is not None and table.rule.learns for table in self._tables):
            simulator.state.check_present(self._network, self.label)

    def _get_attributes_as_arrays(
        self, names: Any, multiple_synapses: str = "sum"
    ) -> list[NDArray[np.float64]]:
        self._check_present()
        pairs, order = self._pairs(), cache(self._order)
        return [matrix(pairs, self._stored(name), order, multiple_synapses) for name in names]

    def _pairs(self) -> Pairs:
        return Pairs(self.shape, lambda: self._stored(PRE), lambda: self._stored(POST), self.label)

    # --- changing -----------------------------------------------------------------------------

    def set(self, **attributes: Any) -> None:
        self._check_attributes(attributes)
        self._refuse_fraction(attributes)
        simulator.state.check_open(self._network, self.label)
        pairs = self._pairs()
        with restoring_generators(attributes.values()):
            values = {name: self._values(pairs, name, value) for name, value in attributes.items()}
            self._assign(values)

    set.__doc__ = common.Projection.set.__doc__

    def _refuse_fraction(self, names: Any) -> None:
        if FRACTION in names:
            raise NotImplementedError(
                f"{self.label}: {FRACTION} cannot be changed: must stay as it is; make another "
                "projection"
            )

    def _assign(self, values: dict[str, NDArray[np.float64]]) -> None:
        """Take over values in the order of storage; all are checked before the first is."""
        simulator.state.check_open(self._network, self.label)
        if not len(self):
            return
        checked: dict[str, Any] = dict(values)
        if "weight" in values:
            self._check_weights(values["weight"])
        if "delay" in values:
            checked["delay"] = self._delay_steps(values["delay"])
        starts = np.cumsum([0, *map(len, self._tables)])
        parts = [
            {name: _part(each, slice(first, last)) for name, each in checked.items()}
            for first, last in itertools.pairwise(starts.tolist())
        ]
        try:
            for table, part in zip(self._tables, parts, strict=True):
                table.check(**part)
                self._check_kind(table, part)
        except ParameterError as error:
            raise errors.InvalidParameterValueError(f"{self.label}: {error}") from error
        for table, part in zip(self._tables, parts, strict=True):
            if table.rule is not None and table.rule.learns:  # with what has come until now
                table.weight = _present_weights(table)
                table.since = simulator.state.step
            table.update(**part)
        warn_of_rules(self.label, self._tables, values)

    def _check_kind(self, table: SynapseTable, values: dict[str, Any]) -> None:
        """Traces that synapses share cannot become their own in the middle of a simulation."""
        rule = table.rule
        if rule is None or not simulator.state.step:
            return
        parameters = {name: each for name, each in values.items() if name in rule.parameters}
        if rule.changed(parameters).kind != rule.kind:
            raise NotImplementedError(
                f"{self.label}: time constants that differ between its synapses must be set before "
                "the first run, or after reset()"
            )

    def _assign_one(self, name: str, number: int, value: Any) -> None:
        """Give one connection a weight, a delay in ms, or another parameter."""
        simulator.state.check_open(self._network, self.label)
        self._refuse_fraction([name])
        unit, what = UNITS.get(name, ""), f"{self.label}[{number}]: {name}"
        given = np.array([as_number(what, value, "a number", lambda number: True, unit)])
        if name not in ("weight", "delay"):
            values = self._stored(name).copy()
            values[self._order()[number]] = given[0]
            self._assign({name: values})
            return
        if name == "weight":
            self._check_weights(given)
        else:
            given = self._delay_steps(given)
        place = self._single.place(number)
        fresh = self._single.up_to_date()
        table, index = self._table_at(place)
        try:
            learns = table.rule is not None and table.rule.learns
            if name == "weight" and learns and table.since != simulator.state.step:
                table.weight = _present_weights(table)  # with what has come until now
                table.since = simulator.state.step
                fresh = False
            table.update_one(index, **{name: given[0]})
        except ParameterError as error:
            raise errors.InvalidParameterValueError(f"{self.label}: {error}") from error
        if fresh:
            now = simulator.state.network.grid.time(given[0]) if name == "delay" else given[0]
            self._single.assigned(name, self._single.place(number), now)
        if name == "weight" and learns:
            warn_of_weight(self.label, table, index)

    def _table_at(self, place: int) -> tuple[SynapseTable, int]:
        """The table in which a connection is stored, and where there."""
        for table in self._tables:
            if place < len(table):
                return table, place
            place -= len(table)
        raise IndexError(f"{self.label} has {len(self)} connections")

    def _values(self, pairs: Pairs, name: str, value: Any) -> NDArray[np.float64]:
        """An attribute's new values, one for all or one for each connection as they are stored."""
        given = accepted(str(self.label), name, value, checked=False)
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

    def initialize(self, **initial_values: Any) -> None:
        simulator.state.check_open(self._network, self.label)
        check_names(initial_values, type(self.synapse_type).__name__, self._states)
        pairs = self._pairs()
        with restoring_generators(initial_values.values()):
            self._initialize_stored(
                {name: self._values(pairs, name, value) for name, value in initial_values.items()}
            )
        self.initial_values.update(initial_values)

    initialize.__doc__ = common.Projection.initialize.__doc__

    def _initialize_stored(self, values: dict[str, NDArray[np.float64]]) -> None:
        """Set state variables; values are one for all, or [n] as connections are stored."""
        starts = np.cumsum([0, *map(len, self._tables)])
        parts = [
            {name: _part(each, slice(first, last)) for name, each in values.items()}
            for first, last in itertools.pairwise(starts.tolist())
        ]
        try:
            for table, part in zip(self._tables, parts, strict=True):
                table.check_state(part)
        except ParameterError as error:
            raise errors.InvalidParameterValueError(f"{self.label}: {error}") from error
        for table, part in zip(self._tables, parts, strict=True):
            for name, each in part.items():
                table.initialize(name, each[0] if len(each) == 1 else each[table.order()])


def _is_conductance(celltype: Any, receptor: str) -> bool:
    if hasattr(celltype, "is_conductance"):
        return bool(celltype.is_conductance(receptor))
    return bool(celltype.conductance_based)


def _tau_syn(post: Block, receptor: str, target: NDArray[Any]) -> NDArray[np.float64]:
    """Time constant (ms) of the targets' receptor; 0 where it has none."""
    names = {"excitatory": "tau_syn_E", "inhibitory": "tau_syn_I"}
    for name in (f"{receptor}.tau_syn", f"{receptor}.tau_decay", names.get(receptor, "")):
        if name in post.parameters:
            tau = np.asarray(post.parameters[name], float)
            return tau[target] if tau.ndim else tau.reshape(1)
    return np.zeros(1)


def _present_weights(table: SynapseTable) -> NDArray[Any]:
    engine = simulator.state.engine
    return table.weight if engine is None else engine.weights(table)


def _part(values: NDArray[Any], which: Any) -> NDArray[Any]:
    """Values of some connections, where each has its own."""
    return values if len(values) == 1 else values[which]


def _joined(values: list[Any], counts: list[int]) -> NDArray[np.float64]:
    """Values of columns, each a number or an array, as one array; [1] if all are one number."""
    if all(np.ndim(value) == 0 for value in values) and len(set(map(float, values))) <= 1:
        return np.array([float(value) for value in values[:1]])
    parts = [
        np.broadcast_to(np.asarray(value, np.float64), (count,))
        for value, count in zip(values, counts, strict=True)
    ]
    return np.concatenate(parts)


def _blocks(ends: Any) -> list[Block]:
    """The blocks that the cells of a population, view or assembly lie in, each once."""
    parts = getattr(ends, "populations", [ends])
    return list({id(part._block): part._block for part in parts}.values())


def _stretch(ends: Any, ids: NDArray[np.int64]) -> tuple[Block, int] | None:
    """The block in which cells follow each other without a gap, and the index of the first."""
    (block, *others) = _blocks(ends)
    if others or (ids[1:] - ids[:-1] != 1).any():
        return None
    return block, int(ids[0]) - block.first


def _by_blocks(
    pres: list[Block], source: NDArray[Any], posts: list[Block], target: NDArray[Any]
) -> Iterator[tuple[Block, Block, Any]]:
    """Each pair of blocks that is connected, and which of the connections are between them."""
    if len(pres) == len(posts) == 1:
        yield pres[0], posts[0], slice(None)
        return
    key = _which(pres, source) * len(posts) + _which(posts, target)
    order = np.argsort(key, kind="stable")
    for part in np.split(order, np.flatnonzero(np.diff(key[order])) + 1):
        i, j = divmod(int(key[part[0]]), len(posts))
        yield pres[i], posts[j], part


def _which(blocks: list[Block], neuron: NDArray[Any]) -> NDArray[np.int64]:
    """In which of some blocks each neuron lies."""
    first = np.array([block.first for block in blocks])
    order = np.argsort(first)
    which: NDArray[np.int64] = order[np.searchsorted(first[order], neuron, side="right") - 1]
    return which


def _ascending(ids: NDArray[np.int64]) -> bool:
    return bool((np.diff(ids) > 0).all())


def _position(ids: NDArray[np.int64], block: Block, index: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where neurons of a block stand in `ids`, which need not be in order; if they do."""
    wanted = index + block.first
    order = np.argsort(ids)
    return order[np.minimum(np.searchsorted(ids, wanted, sorter=order), len(ids) - 1)]
