"""Networks of layers that step together, as programs that train them have: what they compute.

A `Graph` of layers and a `Rule`, by which neurons are stepped, become a `Plan` of populations and
projections. In a graph of an ordinary network are rectifiers, which `converted` makes neurons of.
Formats are read by the packages beside this one.
"""

from .assembling import Assembling
from .conversion import Recipe, converted, without_traces
from .forward import forward
from .graph import Graph, Input, Neurons, Output, Rectifier
from .kernel import Kernel
from .linear import Convolution, Delay, Dense, Flatten, Linear, Pool, Scale
from .plan import Plan, Population, Readout, Wires, plan
from .rule import Rule

__all__ = [
    "Assembling",
    "Convolution",
    "Delay",
    "Dense",
    "Flatten",
    "Graph",
    "Input",
    "Kernel",
    "Linear",
    "Neurons",
    "Output",
    "Plan",
    "Pool",
    "Population",
    "Readout",
    "Recipe",
    "Rectifier",
    "Rule",
    "Scale",
    "Wires",
    "converted",
    "forward",
    "plan",
    "without_traces",
]
