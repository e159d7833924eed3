"""Networks of layers that step together, as programs that train them have: what they compute.

A `Graph` of layers and a `Rule`, by which neurons are stepped, become a `Plan` of populations and
projections. Formats are read by the packages beside this one.
"""

from .graph import Graph, Input, Neurons, Output
from .linear import Convolution, Delay, Dense, Flatten, Linear, Pool, Scale
from .plan import Plan, Population, Readout, Wires, plan
from .rule import Rule

__all__ = [
    "Convolution",
    "Delay",
    "Dense",
    "Flatten",
    "Graph",
    "Input",
    "Linear",
    "Neurons",
    "Output",
    "Plan",
    "Pool",
    "Population",
    "Readout",
    "Rule",
    "Scale",
    "Wires",
    "plan",
]
