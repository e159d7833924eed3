"""Node sets: names for some of the nodes, by population, by id or by attributes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import SonataError
from .circuit import Circuit, NodePopulation

Chosen = list[tuple[str, NDArray[np.int64]]]  # name of a population, places in it


def resolve(circuit: Circuit, name: str, where: str) -> Chosen:
    """The nodes of a node set, by population; each population is a node set of its own name.

    Raises SonataError for a set that is not defined, or by what no node has.
    """
    return _resolved(circuit, name, where, ())


def _resolved(circuit: Circuit, name: str, where: str, outer: tuple[str, ...]) -> Chosen:
    if name in outer:
        raise SonataError(f"{where}: node sets refer to each other: {' > '.join((*outer, name))}")
    rule = circuit.node_sets.get(name)
    if rule is None:
        return [(name, np.arange(circuit.population(name, f"{where}: node set").size))]
    if isinstance(rule, list):
        return [
            each for part in rule for each in _resolved(circuit, str(part), where, (*outer, name))
        ]
    if not isinstance(rule, dict):
        raise SonataError(f"{where}: node set {name!r} must be an object or a list of names")
    names = rule.get("population")
    populations = (
        circuit.nodes
        if names is None
        else [circuit.population(str(each), where) for each in _list(names)]
    )
    conditions = {key: each for key, each in rule.items() if key != "population"}
    found = [(each.name, _matching(each, conditions, f"{where}: {name}")) for each in populations]
    chosen = [(of, places) for of, places in found if len(places)]
    if not chosen:
        raise SonataError(f"{where}: node set {name!r} has no node")
    return chosen


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _matching(
    population: NodePopulation, conditions: dict[str, Any], where: str
) -> NDArray[np.int64]:
    """Places that meet all conditions, in the order of `node_id` if that is one."""
    conditions = dict(conditions)
    ids = conditions.pop("node_id", None)
    if ids is None:
        places = np.arange(population.size)
    else:
        given = _list(ids)
        if not all(isinstance(each, int) and each >= 0 for each in given):
            raise SonataError(f"{where}: node_id must be integers, 0 or greater")
        places = population.places(np.array(given, np.int64), where)
    good = np.ones(population.size, bool)
    for name, wanted in conditions.items():
        meets = np.zeros(population.size, bool)
        for part in population.parts:
            if name in part.attributes:
                has = part.attributes[name]
                meets[part.index] = np.isin(np.asarray(has).astype(str), _texts(wanted, has))
        good &= meets
    return places[good[places]]


def _texts(wanted: Any, has: Any) -> list[str]:
    """Values as the text that the attribute has, whose numbers may be floating-point."""
    kind = np.asarray(has).dtype.kind
    return [str(float(each)) if kind == "f" else str(each) for each in _list(wanted)]
