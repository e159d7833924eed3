"""PyNN's procedural interface."""

from __future__ import annotations

from typing import Any

from .. import common
from ..common import set  # noqa: F401
from ..core import deprecated
from . import simulator
from .connectors import AllToAllConnector, FixedProbabilityConnector
from .doors.arguments import check_annotations, check_cells
from .doors.plain import PLAIN
from .populations import Population
from .projections import Projection, between_cells
from .standardmodels.synapses import StaticSynapse


def _all_to_all(p_connect: float, rng: Any) -> AllToAllConnector:
    return AllToAllConnector()


create = common.build_create(Population)

_connect_all = common.build_connect(Projection, _all_to_all, StaticSynapse)
_connect_some = common.build_connect(Projection, FixedProbabilityConnector, StaticSynapse)


def _between(pre: Any, post: Any, weight: Any, delay: Any, receptor_type: Any) -> Projection:
    made = between_cells.connected(pre, post, weight, delay, receptor_type)
    if made is None:
        synapse = StaticSynapse(weight=weight, delay=delay)
        ends = pre.as_view(), post.as_view()
        made = Projection(*ends, AllToAllConnector(), synapse, receptor_type=receptor_type)
        between_cells.remember(made, pre, post, weight, receptor_type)
    return made


_between.__name__ = "connect"  # which the warning names
_connect_two = deprecated("Projection()")(_between)


def connect(
    pre: Any,
    post: Any,
    weight: Any = 0.0,
    delay: Any = None,
    receptor_type: str | None = None,
    p: float = 1,
    rng: Any = None,
) -> Projection:
    """Connect cells, see `pyNN.common.connect`; with p = 1 nothing is drawn."""
    if not (rng is None and type(p) in PLAIN and p == 1):
        return _connect_some(pre, post, weight, delay, receptor_type, p, rng)
    two = isinstance(pre, simulator.ID) and isinstance(post, simulator.ID)
    return (_connect_two if two else _connect_all)(pre, post, weight, delay, receptor_type)


_record = common.build_record(simulator)


def record(
    variables: Any,
    source: Any,
    filename: Any,
    sampling_interval: Any = None,
    annotations: Any = None,
) -> None:
    """Record variables of the cells in `source`, and write them on `end()`; see `pyNN.common`."""
    if not isinstance(source, simulator.ID):
        check_cells("source", source)
    check_annotations(annotations)
    _record(variables, source, filename, sampling_interval, annotations)


def record_v(source: Any, filename: str) -> None:
    """Record the membrane potential of all cells in `source`, and write it on `end()`."""
    record(["v"], source, filename)


def record_gsyn(source: Any, filename: str) -> None:
    """Record the synaptic conductances of all cells in `source`, and write them on `end()`."""
    record(["gsyn_exc", "gsyn_inh"], source, filename)
