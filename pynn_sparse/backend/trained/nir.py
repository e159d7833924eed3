"""Networks in NIR."""

from __future__ import annotations

from typing import Any

from pynn_sparse.errors import GraphError
from pynn_sparse.interchange.layers import Rule, plan
from pynn_sparse.interchange.nir import read, reading_of

from .. import simulator
from .network import TrainedNetwork


def nir_network(
    source: Any, rule: str | Rule | None = None, *, dt: float | None = None, **switches: Any
) -> TrainedNetwork:
    """The network of a NIR file, stepped as by the program that trained it.

    NIR describes layers in continuous time, and does not say how they are stepped: neither dt, nor
    what a spike does to v, nor whether neurons fire at or above the threshold. No two programs
    agree, so that the file alone is not enough. One time step of the simulation is one step of the
    program.

    Args:
        source: path of a file, a `nir.NIRGraph`, or the dictionary that its `to_dict` gives; also
            a file of lava-dl's netx. Of a file nothing is executed; it needs h5py, and neither nir
            nor torch.
        rule: "snntorch", "norse", "spikingjelly", "sinabs", "rockpool", "spyx", "lava-dl" or
            "literal", with the defaults of that program; or a `Rule`. Not needed for files of
            `to_nir` and of lava-dl, and where all switches are given.
        dt: how long a step lasts, in the unit of the file's times, which is s in NIR.
        switches: of `pynn_sparse.interchange.layers.Rule`, that are otherwise than by the rule,
            such as `reset="value"`.

    Returns a `TrainedNetwork`; nothing is made where an error is raised.

    Raises `pynn_sparse.errors.GraphError`, a ValueError, for a file that is damaged or contradicts
    itself, with the node's name, and where the rule is not complete, with all that is missing and
    what each program would mean; NotImplementedError for values that are no spikes between layers;
    RuntimeError before `setup`; FileNotFoundError; ImportError without h5py.
    """
    simulator.state.require_open("nir_network")
    given = read(source)
    reading = reading_of(given, rule, {"dt": dt, **switches})
    try:
        planned = plan(reading.graph, reading.dt, reading.rule_of)
    except (GraphError, NotImplementedError) as error:
        raise type(error)(f"{given.name}: {error}") from None
    return TrainedNetwork(planned, reading.rule)
