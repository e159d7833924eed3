"""Synapses that do more than add their weight; the steps are in `cuda/synapses`."""

from .dynamics import Dynamics, Rule
from .pairs import PAIRS, time_constants
from .short_term import (
    MULTI_QUANTAL,
    SIMPLE_STOCHASTIC,
    STOCHASTIC_TSODYKS_MARKRAM,
    TSODYKS_MARKRAM,
)

# In the order of `with_kind` in cuda/synapses/kinds.h.
KINDS = (
    "SharedPairs",
    "OwnPairs",
    "TsodyksMarkram",
    "SimpleStochastic",
    "StochasticTsodyksMarkram",
    "MultiQuantal",
)

__all__ = [
    "KINDS",
    "MULTI_QUANTAL",
    "PAIRS",
    "SIMPLE_STOCHASTIC",
    "STOCHASTIC_TSODYKS_MARKRAM",
    "TSODYKS_MARKRAM",
    "Dynamics",
    "Rule",
    "time_constants",
]
