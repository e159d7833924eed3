"""Populations of nodes, and the groups of cells that node sets name."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pynn_sparse.errors import SonataError
from pynn_sparse.interchange.sonata import Circuit, NodePopulation, Part, resolve

from ...parameters import ArrayParameter, Sequence
from ..populations import Assembly, Population, PopulationView
from .models import NEST_POTENTIAL, CellModel, check_parameters

INITIAL = "initial_"  # before the name of a state variable
CONSUMED = {"model_type", "model_template", "neuron", "receptors", *"xyz"}


class Cells:
    """The cells of node populations, by name and by place.

    Attributes:
        index: name -> int64 array, the cells' indices in the network, by place.
        weight: name -> float64 array, the files' unit of weights onto each cell in PyNN's.
    """

    def __init__(self, circuit: Circuit) -> None:
        self._circuit = circuit
        self._whole: dict[str, Population | Assembly] = {}
        self._sets: dict[str, Any] = {}
        self._ids: dict[str, NDArray[np.object_]] = {}
        self.index: dict[str, NDArray[np.int64]] = {}
        self.weight: dict[str, NDArray[np.float64]] = {}

    def add(self, nodes: NodePopulation, models: list[CellModel]) -> Population | Assembly:
        """Make a population, or an assembly of one for each part."""
        ids, weight = np.empty(nodes.size, dtype=object), np.ones(nodes.size)
        several = len(models) > 1
        populations = []
        for number, (part, model) in enumerate(zip(nodes.parts, models, strict=True)):
            label = f"{nodes.label} {number}" if several else nodes.label
            population = self._population(nodes, part, model, label)
            ids[part.index], weight[part.index] = population.all_cells, model.weight
            populations.append(population)
        if not populations:
            raise SonataError(f"{nodes.file}: {nodes.name} has no nodes")
        whole = Assembly(*populations, label=nodes.label) if several else populations[0]
        self._ids[nodes.name], self.index[nodes.name] = ids, ids.astype(np.int64)
        self.weight[nodes.name], self._whole[nodes.name] = weight, whole
        return whole

    def _population(
        self, nodes: NodePopulation, part: Part, model: CellModel, label: str
    ) -> Population:
        # PyNN writes parameters as attributes of types, too.
        given = {k: v for k, v in part.attributes.items() if k in model.parameters} | part.dynamics
        check_parameters(given, model.parameters, f"{nodes.file}: {nodes.name}")
        parameters, initial = model.translate({k: _parameter(v) for k, v in given.items()})
        if model.virtual:
            parameters = {**parameters, "spike_times": self._spike_times(nodes, part)}
        elif nodes.name in self._circuit.spikes:
            raise SonataError(
                f"{nodes.file}: {nodes.name} is given spikes, but its nodes are not virtual"
            )
        population = Population(len(part.index), model.make(parameters), label=label)
        v_init = self._circuit.v_init
        has_v = "v" in population.celltype.default_initial_values
        if v_init is not None and has_v and NEST_POTENTIAL not in given:
            initial["v"] = v_init
        more = {}
        for name, value in part.attributes.items():
            if name.startswith(INITIAL):
                initial[name.removeprefix(INITIAL)] = value
            elif name not in CONSUMED and name not in model.parameters:
                texts = isinstance(value, np.ndarray) and value.dtype == object
                more[name] = value.astype(str) if texts else value
        population.initialize(**initial)
        population.annotate(**more)
        if any(axis in part.attributes for axis in "xyz"):
            axes = [part.attributes.get(axis, 0.0) for axis in "xyz"]
            population.positions = np.array(
                [np.broadcast_to(np.asarray(axis, float), (population.size,)) for axis in axes]
            )
        return population

    def _spike_times(self, nodes: NodePopulation, part: Part) -> Any:
        node, time = self._circuit.spikes.get(nodes.name, (np.zeros(0, np.int64), np.zeros(0)))
        order = np.lexsort((time, node))
        counts = np.bincount(node, minlength=nodes.size)
        trains = np.split(time[order], np.cumsum(counts)[:-1])
        sequences = np.empty(len(part.index), dtype=object)
        sequences[:] = [Sequence(trains[place]) for place in part.index.tolist()]
        return sequences if len(sequences) > 1 else sequences[0]

    def end(self, node_set: str, population: str) -> Any:
        """A projection's end: the view or assembly of a node set, or the whole population."""
        if not node_set:
            return self._whole[population]
        if node_set not in self._sets:
            rule = self._circuit.node_sets.get(node_set, {"population": node_set})
            if isinstance(rule, list):
                parts = [self.end(each, "") for each in rule]
                self._sets[node_set] = Assembly(*parts, label=node_set)
            elif list(rule) == ["population"] and rule["population"] in self._whole:
                self._sets[node_set] = self._whole[rule["population"]]
            else:
                ((name, places),) = resolve(self._circuit, node_set, "node sets")
                self._sets[node_set] = PopulationView(self._whole[name], places, label=node_set)
        return self._sets[node_set]

    def of_set(self, node_set: str, where: str) -> list[Any]:
        """The cells of a node set."""
        chosen = resolve(self._circuit, node_set, where)
        return [cell for name, places in chosen for cell in self._ids[name][places]]


def _parameter(value: Any) -> Any:
    """A value as PyNN takes it: several numbers for a cell are one parameter."""
    if isinstance(value, list) or (isinstance(value, np.ndarray) and value.ndim == 0):
        return ArrayParameter(value)
    if isinstance(value, np.ndarray) and value.dtype == object:
        rows = np.empty(len(value), dtype=object)
        rows[:] = [ArrayParameter(each) for each in value]
        return rows
    return value
