"""The network as a circuit in memory."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pynn_sparse.door import shown
from pynn_sparse.errors import SonataError
from pynn_sparse.interchange import sonata
from pynn_sparse.interchange.sonata import (
    Circuit,
    CurrentInput,
    EdgePopulation,
    NodePopulation,
    Part,
    Spikes,
)
from pynn_sparse.network import Block

from ...network import Network
from ...parameters import ArrayParameter
from .. import simulator
from ..populations import Assembly, Population, PopulationView
from ..projections import Projection
from ..projections.connections import POST, PRE
from ..projections.synapse_columns import FRACTION
from ..recording.recorder import SPIKES
from ..standardmodels.electrodes import DCSource, SparseCurrentSource
from .models import describe_cells, describe_synapses

SPIKE_TIMES = "spike_times"  # which are input of a simulation
TSTOP = 1000.0  # ms, where nothing has been run


def write(given: Any, path: str | os.PathLike[str], **options: bool) -> None:
    """Write everything, or what the user gives, see `to_sonata`; of several processes, the first.

    `options` are those of `pynn_sparse.interchange.sonata.write`.
    """
    simulator.state.require_all("to_sonata")
    with simulator.state.processes.together("to_sonata"):
        circuit = _capture(given)
        if circuit is not None:
            sonata.write(circuit, path, **options)


def _capture(given: Any) -> Circuit | None:
    """A circuit, on the first process; the others get None."""
    populations, projections = _parts(given)
    for each in populations:
        each.recorder._check_present()
    for each in projections:
        simulator.state.check_present(each._network, each.label)
    with ExitStack() as everyones:
        for projection in projections:
            everyones.enter_context(projection._gathered("to_sonata", True))
        for population in populations:
            what = f"to_sonata of {population.label}"
            everyones.enter_context(population.recorder.reading_all(what, everywhere=False))
        if simulator.state.processes.rank:
            return None
        return _Capture(populations, projections).circuit()


def _parts(given: Any) -> tuple[list[Population], list[Projection]]:
    """Populations and projections in the order in which they were made."""
    state = simulator.state
    items: Iterable[Any]
    if given is None:
        items = [*(each.population for each in state.recorders), *state.projections]
    elif isinstance(given, Network):
        items = [*given.populations, *given.projections]
    elif isinstance(given, (Population, PopulationView, Assembly, Projection)):
        items = [given]
    else:
        items = given if isinstance(given, (list, tuple, set, frozenset)) else [given]
    populations: dict[Block, Population] = {}
    projections: list[Projection] = []
    for item in items:
        ends = [item]
        if isinstance(item, Projection):
            projections.append(item)
            ends = [item.pre, item.post]
        for part in (each for end in ends for each in getattr(end, "populations", [end])):
            if not isinstance(part, (Population, PopulationView)):
                must = "a pyNN.network.Network, or a list of populations and projections"
                raise TypeError(f"network = {shown(given)}: must be {must} of pyNN.sparse")
            whole: Any = getattr(part, "grandparent", part)
            populations[whole._block] = whole
    order = {each: number for number, each in enumerate(state.projections)}
    return (
        sorted(populations.values(), key=lambda each: each._block.first),
        sorted(projections, key=lambda each: order.get(each, 0)),
    )


def _new_name(label: Any, used: set[str]) -> str:
    """A name that HDF5 can hold, with a number if that of another label is the same; now used."""
    text = str(label).encode("utf-8", "replace").decode().replace("/", "|")
    text = "".join(each if each.isprintable() else "_" for each in text)
    base = text if text.strip(". ") else f"population {text}".strip()
    name, number = base, 1
    while name in used:
        number += 1
        name = f"{base} #{number}"
    used.add(name)
    return name


def _key(cells: Any) -> tuple[str, Any]:
    """What groups of cells have in common that one node set stands for: label, parts and cells."""
    if isinstance(cells, Assembly):
        return str(cells.label), tuple(map(_key, cells.populations))
    return str(cells.label), cells.all_cells.astype(np.int64).tobytes()


class _Capture:
    """Makes the parts of a circuit, and names for groups of cells as they are needed."""

    def __init__(self, populations: list[Population], projections: list[Projection]) -> None:
        self.populations, self.projections = populations, projections
        self._used: set[str] = set()  # names of populations and node sets
        self.names = [_new_name(each.label, self._used) for each in populations]
        # Each population has a node set of its name without that, but libsonata wants it said.
        self.node_sets: dict[str, Any] = {name: {"population": name} for name in self.names}
        self._named: dict[Any, str] = {}  # `_key` of a view or assembly -> node set
        self._starts = np.array([each._block.first for each in populations], np.int64)

    def circuit(self) -> Circuit:
        state = simulator.state
        return Circuit(
            tuple(map(self._nodes, self.populations, self.names)),
            tuple(self._edges()),
            currents=tuple(self._currents()),
            node_sets=self.node_sets,
            spikes={
                name: _given_spikes(each)
                for name, each in zip(self.names, self.populations, strict=True)
                if SPIKE_TIMES in each._block.parameters
            },
            recorded=self._recorded(),
            dt=state.dt,
            tstop=state.t or TSTOP,
            seed=state.options.seed,
        )

    # --- cells --------------------------------------------------------------------------------

    def _nodes(self, population: Population, name: str) -> NodePopulation:
        attributes: dict[str, Any] = dict(describe_cells(population.celltype))
        attributes |= dict(zip("xyz", map(_one_or_each, population.positions), strict=True))
        block = population._block
        attributes |= {
            f"initial_{variable}": _one_or_each(block.initial[variable])
            for variable in population.celltype.default_initial_values
            if variable in block.initial
        }
        dynamics = {
            parameter: _number_or_lists(population._get_value(parameter))
            for parameter in population.celltype.get_parameter_names()
            if parameter != SPIKE_TIMES
        }
        part = Part(np.arange(population.size), attributes, dynamics)
        return NodePopulation(name, population.size, (part,), label=_text(population.label))

    def _where(self, cells: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The number of each cell's population, and its place in it."""
        number = np.searchsorted(self._starts, cells, side="right") - 1
        return number, cells - self._starts[number]

    def _set_of(self, cells: Any) -> str:
        """The node set of a projection's end; "" for a whole population."""
        if isinstance(cells, Population):
            return ""
        key = _key(cells)
        if key not in self._named:
            if isinstance(cells, Assembly):
                parts = [
                    self._set_of(each) or self.names[self.populations.index(each)]
                    for each in cells.populations
                ]
                rule: Any = parts
            else:
                number, places = self._where(cells.all_cells.astype(np.int64))
                rule = _chosen(self.names[number[0]], places)
            self._named[key] = self._new_set(cells.label, rule)
        return self._named[key]

    def _new_set(self, label: Any, rule: Any) -> str:
        name = _new_name(label, self._used)
        self.node_sets[name] = rule
        return name

    # --- synapses -----------------------------------------------------------------------------

    def _edges(self) -> list[EdgePopulation]:
        used: set[str] = set()
        return [
            EdgePopulation(
                _new_name(projection.label, used),
                self.names[pre],
                self.names[post],
                source=source,
                target=target,
                parts=(part,),
                label=_text(projection.label),
                projection=number,
                ends=(self._set_of(projection.pre), self._set_of(projection.post)),
            )
            for number, projection in enumerate(self.projections)
            for (pre, post), source, target, part in self._pairs(projection)
        ]

    def _pairs(self, projection: Projection) -> Iterator[Any]:
        """Edges between each pair of populations: their numbers, places of both ends, and values.

        The edges are in the order that users see.
        """
        order = projection._order()
        pre, source = self._where(projection._pre_ids[projection._stored(PRE)[order]])
        post, target = self._where(projection._post_ids[projection._stored(POST)[order]])
        texts = describe_synapses(projection.synapse_type, _receptor(projection))
        attributes, dynamics = _values(projection, order)
        pair = pre * len(self.names) + post
        numbers = np.unique(pair) if len(pair) else self._first_pair(projection)
        if len(numbers) > 1 and projection.synapse_type.dynamics is not None:
            attributes["connection_index"] = np.arange(len(pair))
        for number in numbers.tolist():
            which = np.flatnonzero(pair == number) if len(numbers) > 1 else slice(None)
            part = Part(
                np.arange(len(source[which])),
                texts | {name: _of(each, which) for name, each in attributes.items()},
                {name: _of(each, which) for name, each in dynamics.items()},
            )
            yield divmod(number, len(self.names)), source[which], target[which], part

    def _first_pair(self, projection: Projection) -> NDArray[np.int64]:
        """Of a projection without connections."""
        (pre, _), (post, _) = (
            self._where(ids[:1]) for ids in (projection._pre_ids, projection._post_ids)
        )
        return pre * len(self.names) + post

    # --- input and output ---------------------------------------------------------------------

    def _currents(self) -> list[CurrentInput]:
        sources: dict[Any, int] = {}
        found: list[CurrentInput] = []
        ends = self._starts + [each.size for each in self.populations]
        for injection in simulator.state.network.injections:
            number, _ = self._where(injection.neurons)
            cells = injection.neurons[(number >= 0) & (injection.neurons < ends[number])]
            if not len(cells):
                continue
            source = sources.setdefault(injection.source, len(sources))
            name = f"current {len(found)}"
            module, values = _describe_current(injection.source)
            found.append(
                CurrentInput(name, self._set_of_cells(name, cells), module, values, source)
            )
        return found

    def _set_of_cells(self, name: str, cells: NDArray[np.int64]) -> str:
        number, places = self._where(cells)
        parts = []
        for each in np.unique(number).tolist():
            own = places[number == each]
            if np.array_equal(own, np.arange(self.populations[each].size)):
                parts.append(self.names[each])
            else:
                parts.append(self._new_set(f"{name}, cells", _chosen(self.names[each], own)))
        return parts[0] if len(parts) == 1 else self._new_set(f"{name}, all cells", parts)

    def _recorded(self) -> dict[str, Spikes]:
        """Spikes that were recorded since the last reset."""
        found: dict[str, Spikes] = {}
        for name, population in zip(self.names, self.populations, strict=True):
            recorder = population.recorder
            of_spikes = (ids for each, ids in recorder.recorded.items() if each.name == SPIKES)
            cells: set[Any] = set().union(*of_spikes)
            if cells and simulator.state.engine is not None:
                neuron, time = recorder._get_spiketimes(sorted(cells))
                found[name] = neuron - population._block.first, time
        return found


def _receptor(projection: Projection) -> str | None:
    """The receptor of all synapses. Raises NotImplementedError where there are two."""
    receptors = {table.receptor for table in projection._tables}
    if len(receptors) > 1:
        raise NotImplementedError(
            f"{projection.label}: has synapses of the receptors {' and '.join(sorted(receptors))}: "
            "must have those of one to be written; make a projection for each, one with the "
            "weights above 0 and one with those below"
        )
    return receptors.pop() if receptors else projection.receptor_type


def _values(
    projection: Projection, order: NDArray[np.int64]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Attributes and parameters of connections, in the order that users see."""
    attributes: dict[str, Any] = {"syn_weight": _one_or_each(projection._stored("weight")[order])}
    dynamics: dict[str, Any] = {}
    if not projection.synapse_type.electrical:
        attributes["delay"] = _one_or_each(projection._stored("delay")[order])
    for name in projection._of_rule:
        given = [table.rule.parameters[name] for table in projection._tables if table.rule]
        shared = {float(each[0]) for each in given if len(each) == 1}
        if given and all(len(each) == 1 for each in given) and len(shared) == 1:
            dynamics[name] = shared.pop()
        elif given:
            dynamics[name] = np.asarray(projection._stored(name)[order], np.float64)
    if hasattr(projection.synapse_type, FRACTION):
        dynamics[FRACTION] = float(getattr(projection.synapse_type, FRACTION))
    for name in projection._states:
        states = [table.initial_state(name) for table in projection._tables]
        if states:
            attributes[f"initial_{name}"] = _one_or_each(np.concatenate(states)[order])
    return attributes, dynamics


def _of(value: Any, which: Any) -> Any:
    return value[which] if isinstance(value, np.ndarray) else value


def _one_or_each(column: NDArray[Any]) -> Any:
    values = np.asarray(column, np.float64)
    same = len(values) > 0 and bool((values.view(np.int64) == values.view(np.int64)[0]).all())
    return float(values[0]) if same else values


def _number_or_lists(value: Any) -> Any:
    if isinstance(value, ArrayParameter):
        return [float(each) for each in value.value]
    if isinstance(value, np.ndarray) and value.dtype == object:
        rows = np.empty(len(value), dtype=object)
        rows[:] = [np.asarray(each.value, np.float64) for each in value]
        return rows
    return value if isinstance(value, np.ndarray) else float(value)


def _text(label: Any) -> str:
    """A label as HDF5 can hold it."""
    return str(label).encode("utf-8", "replace").decode().replace("\0", "_")


def _chosen(population: str, places: NDArray[np.int64]) -> dict[str, Any]:
    return {"population": population, "node_id": places.tolist()}


def _given_spikes(population: Population) -> Spikes:
    times = population._block.parameters[SPIKE_TIMES]
    node = np.repeat(np.arange(population.size), [len(each) for each in times])
    return node, np.concatenate([np.zeros(0), *times])


def _describe_current(source: Any) -> tuple[str, dict[str, Any]]:
    """Module and values of an input."""
    if not isinstance(source, SparseCurrentSource):
        raise SonataError(f"{source!r}: this current source cannot be written")
    values = {name: _plain_value(each) for name, each in source._values.items()}
    if not isinstance(source, DCSource):
        finite = {name: each for name, each in values.items() if each != np.inf}
        return f"pynn:{type(source).__name__}", finite
    clamp = {"amp": values["amplitude"], "delay": values["start"]}
    if np.isfinite(values["stop"]):
        clamp["duration"] = values["stop"] - values["start"]
    return "IClamp", clamp


def _plain_value(value: Any) -> Any:
    if isinstance(value, ArrayParameter):
        return [float(each) for each in value.value]
    return float(value)
