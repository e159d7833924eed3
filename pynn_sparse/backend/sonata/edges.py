"""Projections from edges."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pynn_sparse.errors import SonataError
from pynn_sparse.interchange.sonata import EdgePopulation, Part
from pynn_sparse.network import memory

from ...connectors import Connector
from .. import simulator
from ..projections import Projection
from .models import NEST_DELAY, check_parameters, synapse_type
from .nodes import INITIAL, Cells

ORDER = "connection_index"  # place of an edge among those of all populations of a projection
WEIGHT_FUNCTIONS = ("", "wmax")  # of BMTK: those that leave syn_weight as it is
Columns = dict[str, NDArray[Any]]  # name -> [n], or [1] where all edges have the same


def add_edges(populations: list[EdgePopulation], cells: Cells, target: str) -> list[Projection]:
    """Make the projection of some edge populations, or one for each part of a single one.

    `target` is the target simulator. Where files name no receptor, weights below 0 are inhibitory,
    and make a projection of their own.
    """
    parts = [(each, part) for each in populations for part in each.parts]
    groups = [parts] if len(populations) > 1 else [[each] for each in parts]
    return [made for group in groups for made in _projections(group, cells, target)]


def _projections(
    edges: list[tuple[EdgePopulation, Part]], cells: Cells, target: str
) -> list[Projection]:
    population, part = edges[0]
    where = f"{population.file}: {population.name}"
    parts = [_columns(*each, cells, target) for each in edges]
    if any(each.keys() != parts[0].keys() for each in parts):
        raise SonataError(f"{where}: the edges of this projection have different attributes")
    columns = _joined(parts)
    n = len(columns["source"])
    shared = {name: float(columns[name][0]) for name in part.dynamics if len(columns[name]) == 1}
    synapse = synapse_type(part, shared, where)
    for _, each in edges:
        check_parameters(each.dynamics, synapse.get_parameter_names(), where)
    ends = (
        cells.end(population.ends[0], population.source_population),
        cells.end(population.ends[1], population.target_population),
    )
    made: list[Projection] = []
    for receptor, which in _receptors(part, columns["weight"], n, synapse):
        own = {k: each[which] if len(each) == n else each for k, each in columns.items()}
        if not part.text("receptor_type") and _is_conductance(ends[1]):
            own["weight"] = np.abs(own["weight"])
        label = f"{population.label}, {receptor}" if made else population.label
        connector = _Edges(own)
        made.append(Projection(*ends, connector, synapse, receptor_type=receptor, label=label))
        _initialize(made[-1], own)
    return made


def _columns(edges: EdgePopulation, part: Part, cells: Cells, target: str) -> Columns:
    """Both ends, as indices in the network, and the values of edges in PyNN's units."""
    where = f"{edges.file}: {edges.name}"
    function = part.text("weight_function")
    if function not in WEIGHT_FUNCTIONS:
        raise SonataError(
            f"{where}: weight_function {function!r} is not supported: must be 'wmax', or absent"
        )
    given = part.attributes | part.dynamics
    nodes = edges.target[part.index]
    weight = given.get("syn_weight", given.get("weight", None if len(nodes) else 0.0))
    if weight is None:
        raise SonataError(f"{where}: has neither syn_weight nor weight")
    delay = given.get("delay", _default_delay(target))
    scale = cells.weight[edges.target_population][nodes]
    if len(scale) and (scale == scale[0]).all():
        scale = scale[:1]
    named = {"weight": weight, "delay": delay, "nsyns": given.get("nsyns", 1.0)}
    named |= {
        name: value
        for name, value in given.items()
        if name == ORDER or name.startswith(INITIAL) or name in part.dynamics
    }
    named["weight"] = weight
    check_parameters(named, named, where)
    for name, value in named.items():
        if np.shape(value) not in ((), nodes.shape) or isinstance(value, list):
            raise SonataError(f"{where}: {name} must be one number for each edge")
    columns = {name: np.atleast_1d(np.asarray(value, float)) for name, value in named.items()}
    columns["weight"] = columns["weight"] * columns.pop("nsyns") * scale
    for end, population, place in (
        ("source", edges.source_population, edges.source),
        ("target", edges.target_population, edges.target),
    ):
        columns[end] = cells.index[population][place[part.index]]
    return columns


def _default_delay(target: str) -> float:
    """Delay (ms) of edges for which files say none."""
    return NEST_DELAY if target.upper() == "NEST" else simulator.state.least_delay_allowed


def _joined(parts: list[Columns]) -> Columns:
    """The columns of several edge populations, in the order in which connections were made."""
    first = parts[0]
    if len(parts) == 1:
        return first
    counts = [len(each["source"]) for each in parts]
    joined = {}
    for name in first:
        columns = [each[name] for each in parts]
        same = all(len(each) == 1 and each[0] == columns[0][0] for each in columns)
        joined[name] = (
            columns[0]
            if same and name not in ("source", "target")
            else np.concatenate(
                [np.broadcast_to(e, (count,)) for e, count in zip(columns, counts, strict=True)]
            )
        )
    if ORDER in joined:
        order = np.argsort(joined[ORDER])
        joined = {k: each if len(each) == 1 else each[order] for k, each in joined.items()}
    return joined


def _receptors(
    part: Part, weight: NDArray[np.float64], n: int, synapse: Any
) -> list[tuple[str | None, Any]]:
    """The receptor, or if files say none, one for each sign of the weights; and which edges."""
    everything = slice(None)
    if synapse.electrical:
        return [(None, everything)]
    if part.text("receptor_type"):
        return [(part.text("receptor_type"), everything)]
    negative = np.broadcast_to(weight < 0, (n,))
    if not negative.any():
        return [("excitatory", everything)]
    if negative.all():
        return [("inhibitory", everything)]
    return [("excitatory", np.flatnonzero(~negative)), ("inhibitory", np.flatnonzero(negative))]


def _is_conductance(post: Any) -> bool:
    return all(part.celltype.conductance_based for part in getattr(post, "populations", [post]))


def _initialize(projection: Projection, columns: Columns) -> None:
    """Set state variables of synapses, which are in the order of the projection's connections.

    Those that nobody has set have the values with which synapses begin, not always valid ones.
    """
    states = {k.removeprefix(INITIAL): v for k, v in columns.items() if k.startswith(INITIAL)}
    start = projection.synapse_type.dynamics.state if states else {}
    given = {name: v for name, v in states.items() if np.any(v != start[name])}
    if given and len(projection):
        stored = np.argsort(projection._order())
        projection._initialize_stored(
            {name: v if len(v) == 1 else v[stored] for name, v in given.items()}
        )


class _Edges(Connector):
    """Connects pairs of cells, given by their indices in the network."""

    parameter_names = ()

    def __init__(self, columns: Columns) -> None:
        super().__init__()
        self._columns = columns

    def connect(self, projection: Any) -> None:
        """Hand the connections over to the projection."""
        values = {name: np.array([each], float) for name, each in projection._defaults.items()}
        values |= self._columns
        n = len(values["source"])
        memory.require(n * memory.BYTES_PER_SYNAPSE, f"{projection.label} with {n} synapses")
        projection._connect_pairs(
            _places(projection._pre_ids, values["source"], projection.label),
            _places(projection._post_ids, values["target"], projection.label),
            {name: values[name] for name in ("weight", "delay", *projection._of_rule)},
        )


def _places(ids: NDArray[np.int64], cells: NDArray[np.int64], label: str) -> NDArray[np.int64]:
    """Where cells stand among `ids`."""
    inside = not len(cells) or (cells.min() >= ids[0] and cells.max() <= ids[-1])
    if inside and (np.diff(ids) == 1).all():
        return cells - ids[0]
    order = np.argsort(ids)
    at = order[np.minimum(np.searchsorted(ids, cells, sorter=order), len(ids) - 1)]
    if (ids[at] != cells).any():
        raise SonataError(f"{label}: has an edge whose ends are not in its node sets")
    return at
