"""The network of a circuit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from pynn_sparse.errors import NetworkTooLargeError, SonataError
from pynn_sparse.interchange.sonata import Circuit, CurrentInput, EdgePopulation, NodePopulation

from ... import errors
from ...network import Network
from ...parameters import Sequence
from ..standardmodels import electrodes
from ..undoing import all_or_nothing
from .edges import add_edges
from .models import cell_model, check_parameters
from .nodes import Cells

CURRENTS = ("DCSource", "ACSource", "StepCurrentSource", "NoisyCurrentSource")


def build(circuit: Circuit, cell_types: dict[str, Any]) -> Network:
    """Make populations, projections and current sources, or nothing."""
    models = [
        [cell_model(part, cell_types, _named(nodes)) for part in nodes.parts]
        for nodes in circuit.nodes
    ]
    network = Network()
    cells = Cells(circuit)
    sources: dict[int, Any] = {}
    with all_or_nothing():
        for nodes, of_parts in zip(circuit.nodes, models, strict=True):
            with _reason(_named(nodes)):
                network.add(cells.add(nodes, of_parts))
        for edges in _by_projection(circuit.edges):
            with _reason(_named(edges[0])):
                network.add(*add_edges(edges, cells, circuit.simulator))
        for current in circuit.currents:
            with _reason(current.name):
                _add_current(current, cells, circuit.simulator, sources)
    return network


@contextmanager
def _reason(what: str) -> Iterator[None]:
    """What PyNN objects to is wrong in the file."""
    try:
        yield
    except (SonataError, NetworkTooLargeError):
        raise
    except (errors.ConnectionError, TypeError, ValueError, NotImplementedError) as error:
        raise SonataError(f"{what}: {error}") from error


def _named(population: NodePopulation | EdgePopulation) -> str:
    return f"{population.file}: {population.name}"


def _by_projection(edges: tuple[EdgePopulation, ...]) -> list[list[EdgePopulation]]:
    """Edge populations of the same projection together; others alone."""
    groups: dict[Any, list[EdgePopulation]] = {}
    for number, each in enumerate(edges):
        alone = each.projection is None or len(each.parts) != 1
        groups.setdefault(("alone", number) if alone else each.projection, []).append(each)
    return list(groups.values())


def _add_current(current: CurrentInput, cells: Cells, target: str, sources: dict[int, Any]) -> None:
    """Inject a current; the first input of a source makes it."""
    if current.source not in sources:
        sources[current.source] = _current_source(current, target)
    sources[current.source].inject_into(cells.of_set(current.node_set, current.name))


def _current_source(current: CurrentInput, target: str) -> Any:
    schema, _, name = current.module.partition(":")
    if schema == "pynn" and name in CURRENTS:
        kind = getattr(electrodes, name)
        check_parameters(current.values, kind.default_parameters, current.name)
        values = {k: Sequence(v) if isinstance(v, list) else v for k, v in current.values.items()}
        return kind(**values)
    if current.module != "IClamp":
        raise SonataError(
            f"{current.name}: module {current.module!r} is not supported: must be 'IClamp', or "
            f"'pynn:' with one of {', '.join(CURRENTS)}"
        )
    check_parameters(current.values, ("amp", "delay", "duration"), current.name)
    if "amp" not in current.values or any(np.ndim(each) for each in current.values.values()):
        raise SonataError(f"{current.name}: must have amp, delay and duration, one number each")
    unit = 1e-3 if target.upper() == "NEST" else 1.0  # NEST's is pA
    start = current.values.get("delay", 0.0)
    stop = start + current.values.get("duration", np.inf)
    return electrodes.DCSource(amplitude=current.values["amp"] * unit, start=start, stop=stop)
