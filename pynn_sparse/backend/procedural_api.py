"""PyNN's procedural interface."""

from __future__ import annotations

from typing import Any

from .. import common
from ..common import set  # noqa: F401
from . import simulator
from .connectors import FixedProbabilityConnector
from .populations import Population
from .projections import Projection
from .standardmodels.synapses import StaticSynapse

create = common.build_create(Population)

connect = common.build_connect(Projection, FixedProbabilityConnector, StaticSynapse)

record = common.build_record(simulator)


def record_v(source: Any, filename: str) -> None:
    """Record the membrane potential of all cells in `source`, and write it on `end()`."""
    record(["v"], source, filename)


def record_gsyn(source: Any, filename: str) -> None:
    """Record the synaptic conductances of all cells in `source`, and write them on `end()`."""
    record(["gsyn_exc", "gsyn_inh"], source, filename)
