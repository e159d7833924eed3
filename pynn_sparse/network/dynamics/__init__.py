"""Synapses that do more than add their weight; the steps are in `cuda/synapses`."""

from .dynamics import KINDS, Dynamics, Rule
from .pairs import PAIRS
from .short_term import (
    MULTI_QUANTAL,
    SIMPLE_STOCHASTIC,
    STOCHASTIC_TSODYKS_MARKRAM,
    TSODYKS_MARKRAM,
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
]
