"""What the files of a SONATA circuit hold, in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import SonataError

# One for all elements (a string, a number, a list of numbers), or an array with one for each.
Value = Any
Spikes = tuple[NDArray[np.int64], NDArray[np.float64]]  # place in the population, time in ms


@dataclass(frozen=True)
class Part:
    """Nodes or edges of a population that have the same model and the same attributes.

    Attributes:
        index: int64 [m], their places in the population.
        attributes: what their types and their group say of them.
        dynamics: parameters of their model.
    """

    index: NDArray[np.int64]
    attributes: dict[str, Value] = field(default_factory=dict)
    dynamics: dict[str, Value] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """An attribute as a string; "" where it is absent."""
        return str(self.attributes.get(name, ""))


@dataclass(frozen=True)
class NodePopulation:
    """Nodes `0 .. size - 1`, called by `ids` in files, or by their places where that is None.

    `label` is what the user called the population; `name` is unique. `file` is named in errors.
    """

    name: str
    size: int
    parts: tuple[Part, ...]
    label: str = ""
    ids: NDArray[np.int64] | None = None
    file: str = ""

    def places(self, ids: NDArray[np.int64], where: str) -> NDArray[np.int64]:
        """Places of nodes in the population; raises SonataError for an id that no node has."""
        if self.ids is None and len(ids) and ids.min() >= 0 and ids.max() < self.size:
            return ids
        known = np.arange(self.size) if self.ids is None else self.ids
        order = np.argsort(known, kind="stable") if self.ids is not None else slice(None)
        ascending = known[order]
        at = np.searchsorted(ascending, ids)
        good = at < self.size
        good[good] = ascending[at[good]] == ids[good]
        if not good.all():
            span = f"{self.size} nodes from {ascending[0]} to {ascending[-1]}"
            raise SonataError(
                f"{where}: node {ids[~good][0]} is not in the population {self.name}, which has "
                f"{span if self.size else 'no nodes'}"
            )
        return at if self.ids is None else np.arange(self.size)[order][at]


@dataclass(frozen=True)
class EdgePopulation:
    """Edges from nodes of one population to nodes of another.

    Attributes:
        source, target: int64 [n], places in the node populations.
        projection: number of the projection that the edges belong to; None if a file says none.
        ends: node sets that the projection's ends are; "" for the whole population.
    """

    name: str
    source_population: str
    target_population: str
    source: NDArray[np.int64]
    target: NDArray[np.int64]
    parts: tuple[Part, ...]
    label: str = ""
    projection: int | None = None
    ends: tuple[str, str] = ("", "")
    file: str = ""


@dataclass(frozen=True)
class CurrentInput:
    """A current into the nodes of a node set; inputs of the same `source` are one generator."""

    name: str
    node_set: str
    module: str
    values: dict[str, Any]
    source: int


@dataclass(frozen=True)
class Circuit:
    """A network, and what a simulation of it is given.

    Attributes:
        simulator: the target simulator, which decides about names and units.
        dt, tstop: time step and end of the simulation in ms, where a file says so.
        seed: of random numbers, where a file says so.
        v_init: initial membrane potential (mV) of all nodes that have none of their own.
        spikes: input, by the name of a population of virtual nodes.
        recorded: output spikes, by the name of a population.
    """

    nodes: tuple[NodePopulation, ...]
    edges: tuple[EdgePopulation, ...] = ()
    node_sets: dict[str, Any] = field(default_factory=dict)
    spikes: dict[str, Spikes] = field(default_factory=dict)
    currents: tuple[CurrentInput, ...] = ()
    recorded: dict[str, Spikes] = field(default_factory=dict)
    simulator: str = "PyNN"
    dt: float | None = None
    tstop: float | None = None
    seed: int | None = None
    v_init: float | None = None

    def population(self, name: str, where: str) -> NodePopulation:
        """The node population of a name; raises SonataError if there is none."""
        for each in self.nodes:
            if each.name == name:
                return each
        known = ", ".join(repr(each.name) for each in self.nodes)
        raise SonataError(f"{where}: there is no node population {name!r}; there are {known}")
