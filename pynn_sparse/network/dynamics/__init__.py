"""Synapses that do more than add their weight; the steps are in `cuda/synapses`."""

from .dynamics import (
    KINDS,
    MOST_COLUMNS,
    MOST_STATES,
    MOST_VARIABLES,
    Dynamics,
    Modulator,
    Rule,
    Trace,
    Traces,
    number_of,
)
from .pairs import PAIRS
from .short_term import (
    MULTI_QUANTAL,
    SIMPLE_STOCHASTIC,
    STOCHASTIC_TSODYKS_MARKRAM,
    TSODYKS_MARKRAM,
)

__all__ = [
    "KINDS",
    "MOST_COLUMNS",
    "MOST_STATES",
    "MOST_VARIABLES",
    "MULTI_QUANTAL",
    "PAIRS",
    "SIMPLE_STOCHASTIC",
    "STOCHASTIC_TSODYKS_MARKRAM",
    "TSODYKS_MARKRAM",
    "Dynamics",
    "Modulator",
    "Rule",
    "Trace",
    "Traces",
    "number_of",
]
