"""One door for connections: whoever makes them, they are checked here, and put into tables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pynn_sparse.engine.building.connect import Onto, Rows
from pynn_sparse.engine.devices.device import Device
from pynn_sparse.engine.devices.gpu_builder import GpuBuilder
from pynn_sparse.engine.synapses.gpu import GpuRows
from pynn_sparse.errors import NetworkTooLargeError, ParameterError
from pynn_sparse.network import Block, Rule, SynapseTable, memory
from pynn_sparse.network.rows import compact, index_type
from pynn_sparse.network.shared import SharedRows, Windows
from pynn_sparse.network.synapses import MAX_DELAY_STEPS

from ... import errors
from ...standardmodels.base import excitatory_receptor_types, inhibitory_receptor_types
from .. import simulator
from ..connectors.rule import keeps_order
from ..doors.checks import did_you_mean
from .synapse_columns import FRACTION, TAU_PSC, SynapseColumns, stretch

# So that sums over any number of synapses are finite.
GREATEST_WEIGHT: dict[Any, float] = {np.float64: 1e100, np.float32: 1e30}
MOST_WITH_RULE = 1 << 32  # synapses of a projection, which are numbered
Values = dict[str, NDArray[Any]]  # name -> [n], or [1] where all connections have the same


class Connecting(SynapseColumns):
    """What connectors hand connections over to: as rows, as pairs of cells, or cell by cell.

    `_connect_rows` and `_connect_on_gpu` take the rows that the engine makes, `_connect_pairs` all
    connections by the indices of cells, and `_convergent_connect`, PyNN's method, those to a cell.
    """

    receptor_type: str
    _connector: Any
    _has_own = False  # whether the tables have the synapses onto cells of this process alone
    _columns: list[tuple[Any, ...]]  # connections to a cell each, until `_finish`

    def _positive(self, receptor: str) -> bool:
        """Whether weights have to be positive, by PyNN's conventions."""
        return not self._signed(receptor) and (
            self.synapse_type.electrical
            or self._conductance(receptor)
            or receptor in excitatory_receptor_types
        )

    def _negative(self, receptor: str) -> bool:
        """Whether weights have to be negative."""
        inhibits = receptor in inhibitory_receptor_types
        return inhibits and not (self._positive(receptor) or self._signed(receptor))

    def _signed(self, receptor: str) -> bool:
        """Whether the receptor takes weights of both signs, which cell types declare."""
        return all(_is_signed(part.celltype, receptor) for part in _parts(self.post))

    def _check_synapse_type(self) -> None:
        """Raise ConnectionError for synapses that these cells cannot have."""
        dynamics, kind = self.synapse_type.dynamics, type(self.synapse_type).__name__
        if dynamics is None:
            return
        graded = [part for part in _parts(self.pre) if part._block.model.graded]
        if graded:
            raise errors.ConnectionError(
                f"{self.label}: {kind} takes spikes, and {graded[0].label} "
                f"({type(graded[0].celltype).__name__}) sends events that carry values: must be "
                "StaticSynapse"
            )
        for part in _parts(self.post):
            for name in dynamics.post_variables:
                known = [each for each in part.celltype.recordable if each != "spikes"]
                if name not in known or name not in part._block.model.state:
                    raise errors.ConnectionError(
                        f"{self.label}: {kind} reads the variable {name!r} of its targets, and "
                        f"{part.label} ({type(part.celltype).__name__}) has {', '.join(known)}"
                        f"{did_you_mean(name, known)}"
                    )
        if dynamics.learns and self._signed(self.receptor_type):
            raise errors.ConnectionError(
                f"{self.label}: weights of {kind} keep their sign, and the receptor "
                f"{self.receptor_type!r} takes both: must be a receptor that is not `signed`"
            )

    def _conductance(self, receptor: str) -> bool:
        return all(is_conductance(part.celltype, receptor) for part in _parts(self.post))

    def _rule(self, post: Block, target: NDArray[Any], parameters: Values) -> Rule | None:
        """What synapses onto these cells of a block do, by the values of parameters."""
        dynamics = self.synapse_type.dynamics
        if dynamics is None:
            return None
        if TAU_PSC in dynamics.parameters:
            parameters = parameters | {TAU_PSC: _tau_syn(post, self.receptor_type, target)}
        fraction = float(getattr(self.synapse_type, FRACTION, 1.0))
        try:
            sign = 1.0 if self._positive(self.receptor_type) else -1.0
            modulator = getattr(self.synapse_type, "modulation", None)
            return Rule(dynamics, parameters, sign, fraction, modulator)
        except ParameterError as error:
            raise errors.InvalidParameterValueError(f"{self.label}: {error}") from error

    def _require_memory(self, share: float = 1.0, gpu: Device | None = None) -> None:
        """Raise NetworkTooLargeError if the host, or the GPU, has no memory for the synapses.

        `share` is the part of them that this process makes.
        """
        expected = share * self._connector.expected(*self.shape)
        what = f"{self.label} with about {expected:.3g} synapses"
        free = None if gpu is None else gpu.free_memory()
        each = memory.BYTES_PER_SYNAPSE if gpu is None else memory.BYTES_PER_SYNAPSE_ON_GPU
        try:
            memory.require(expected * each, what, free)
        except NetworkTooLargeError as error:
            most = (memory.available() if free is None else free) / each
            raise NetworkTooLargeError(f"{error}; must be at most about {most:.2g}") from error

    @cached_property
    def _stretches(self) -> tuple[tuple[Block, int], tuple[Block, int]] | None:
        """Block and first index of the cells of both ends; None if cells have gaps between them."""
        pre = stretch(blocks_of(self.pre), self._pre_numbers)
        post = stretch(blocks_of(self.post), self._post_numbers)
        return None if pre is None or post is None else (pre, post)

    @property
    def _own_targets(self) -> Onto:
        """The postsynaptic cells of this process, of several, as the first and the one after them.

        None if there is one process, or if it cannot make the synapses onto these cells alone.
        """
        grows = self.synapse_type.structure is not None
        alone = simulator.state.processes.size == 1
        if alone or grows or self._stretches is None or self._waits:
            return None
        block, first = self._stretches[1]
        own, n = simulator.state.own_part(block), self.shape[1]
        begin, end = (min(max(each - first, 0), n) for each in (own.start, own.stop))
        return begin, end

    @property
    def _waits(self) -> bool:
        """Whether synapses with a rule are put in the order in which they wait for a spike."""
        return bool(self.synapse_type.dynamics) and getattr(self.synapse_type, FRACTION, 1.0) < 1

    @property
    def _stays_as_made(self) -> bool:
        """Whether rows of connections can be taken as the engine makes them."""
        plain = self.synapse_type.dynamics is None and not self.synapse_type.electrical
        return plain and self._stretches is not None

    def _connect_on_gpu(self, builder: GpuBuilder, rows: Rows, weight: Any, delay: Any) -> None:
        """Take up connections whose targets, and differing weights and delays, are on a GPU."""
        stretches = self._stretches
        assert stretches is not None
        post = stretches[1]
        target, dtype = rows.target, index_type(post[0].size)
        if post[1] or target.dtype != dtype:
            target = builder.shifted(target, post[1], dtype)
        self._connect_held(rows, GpuRows(builder, target, weight, delay))

    def _connect_held(self, rows: Rows, kept: Any) -> None:
        """Take up connections between cells that follow each other as `GpuRows` or `DrawnRows`."""
        assert self._stretches is not None
        pre, post = self._stretches
        self._check_weights(np.array(kept.weight_range()), signs=self._connector.safe)
        ends = pre[0], post[0], pre[1], rows.row_start, self.receptor_type
        self._tables.append(SynapseTable.held(*ends, kept, kept.delay_range))

    def _connect_shared(
        self,
        windows: Windows,
        kernel: NDArray[np.float64],
        present: NDArray[np.bool_],
        receptor: str,
    ) -> None:
        """Take up connections of two whole populations that share the weights of a kernel.

        `present` tells which elements of the kernel, of the shape that windows have, make any.
        """
        if not present.any():
            return
        self._check_weights(kernel[present], self._connector.safe, receptor)
        delay = float(self.synapse_type.parameter_space["delay"].base_value)
        steps = compact(self._delay_steps(np.array([delay])))
        weight = np.where(present, kernel, 0.0).ravel().astype(simulator.state.scalar)
        windows = replace(windows, present=None if present.all() else present)
        ends = self.pre._block, self.post._block
        self._tables.append(
            SynapseTable.sharing(*ends, receptor, SharedRows(windows, weight, steps))
        )

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
        index, numbers = np.asarray(presynaptic_indices, np.int64), self._pre_numbers
        sources = index + numbers.start if isinstance(numbers, range) else numbers[index]
        sources = sources.astype(np.uint32)
        target = self._post_numbers[int(postsynaptic_index)]
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
        if self._stretches is None or self._waits:
            source = np.repeat(self._pre_ids.astype(np.uint32), np.diff(rows.row_start))
            target = self._post_ids.astype(np.uint32)[rows.target]
            identity = np.arange(len(source), dtype=np.uint32) if parameters else None
            self._tables += self._divided(source, target, weight, delay, parameters, identity)
            return
        self._tables.append(self._table_of(rows, weight, delay, parameters))

    def _table_of(
        self, rows: Rows, weight: NDArray[Any], delay: NDArray[Any], parameters: Values
    ) -> SynapseTable:
        """The table of connections between cells that follow each other."""
        assert self._stretches is not None
        pre, post = self._stretches
        target = rows.target
        if post[1]:
            target = (target + np.uint32(post[1])).astype(index_type(post[0].size))
        ends = pre[0], post[0], pre[1], rows.row_start, target
        kind = self.receptor_type, self._rule(post[0], target, parameters)
        return SynapseTable(*ends, weight, delay, *kind)

    def _connect_own(
        self, rows: Rows, weight: NDArray[Any], delay: NDArray[Any], parameters: Values
    ) -> None:
        """Take up the connections onto cells of this process; the others take up the rest."""
        processes, n = simulator.state.processes, len(rows)
        mine = np.array([n, delay[0] if len(delay) else 0])
        every = processes.all_gather("Projection", mine)
        n_all = int(every[:, 0].sum())
        self._has_own = True
        if not n_all:
            return
        self._check_weights(weight, signs=self._connector.safe)
        if not n:  # one value each, which says no more than that all of none are equal
            weight, delay = np.zeros(1, weight.dtype), every[every[:, 0] > 0, 1][:1]
            parameters = {name: each[:1] for name, each in parameters.items()}
        table = self._table_of(rows, weight, delay, parameters)
        if table.rule is not None:
            if n_all > MOST_WITH_RULE:
                raise errors.ConnectionError(
                    f"{self.label} has {n_all} synapses of {type(self.synapse_type).__name__}: "
                    f"must be at most {MOST_WITH_RULE}"
                )
            # Processes have consecutive cells, and synapses are numbered by their targets first.
            table.identity += np.uint32(every[: processes.rank, 0].sum())
        self._tables.append(table)

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
        ordered = keeps_order(self._connector) or self.synapse_type.dynamics
        identity = np.arange(len(source), dtype=np.uint32) if ordered else None
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
        for pre, post, part in _by_blocks(
            blocks_of(self.pre), source, blocks_of(self.post), target
        ):
            i, j = source[part] - np.uint32(pre.first), target[part] - np.uint32(post.first)
            w, d = part_of(weight, part), part_of(delay, part)
            of_rule = {name: part_of(each, part) for name, each in parameters.items()}
            rule = self._rule(post, j, of_rule)
            own = None if identity is None else identity[part]
            ends = pre, post, i, j
            tables.append(SynapseTable.from_pairs(*ends, w, d, self.receptor_type, rule, own))
        return tables

    def _check_weights(
        self, weight: NDArray[np.float64], signs: bool = True, receptor: str | None = None
    ) -> None:
        """Weights are finite, and have the sign that PyNN asks for of a receptor."""
        receptor = self.receptor_type if receptor is None else receptor
        limit = GREATEST_WEIGHT[simulator.state.scalar]
        good = np.abs(weight) <= limit  # false for NaN
        if not good.all():
            raise errors.ConnectionError(
                f"weight = {weight[~good][0]} in {self.label}: weights must be finite numbers "
                f"of at most {limit:g}"
            )
        if not signs:
            return
        if self._positive(receptor):
            if (weight < 0).any():
                raise errors.ConnectionError(
                    f"weight = {weight[weight < 0][0]:g} in {self.label}: Weights must be positive "
                    "for conductance-based and/or excitatory synapses"
                )
        elif self._negative(receptor) and (weight > 0).any():
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


def _parts(ends: Any) -> list[Any]:
    """The populations of an assembly, or the population or view itself."""
    return getattr(ends, "populations", [ends])


def _is_signed(celltype: Any, receptor: str) -> bool:
    return receptor in getattr(celltype, "signed_receptors", ())


def is_conductance(celltype: Any, receptor: str) -> bool:
    """Whether weights of a receptor are conductances."""
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


def part_of(values: NDArray[Any], which: Any) -> NDArray[Any]:
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


def blocks_of(ends: Any) -> list[Block]:
    """The blocks that the cells of a population, view or assembly lie in, each once."""
    return list(dict.fromkeys(part._block for part in _parts(ends)))


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
