"""The network as flat arrays, with no PyNN in it.

The front describes; the engine and the export read. Neurons have one contiguous index space, a
population is a `Block` of it, a projection one or more `SynapseTable`s. What may change between
runs carries a version number, so that the engine knows what to bring up to date.
"""

from .block import Block
from .currents import CurrentSource
from .dynamics import Rule
from .model import Constraint, Model
from .network import Injection, Network
from .probe import Probe, SynapseProbe
from .synapses import SynapseTable
from .time import TimeGrid

__all__ = [
    "Block",
    "Constraint",
    "CurrentSource",
    "Injection",
    "Model",
    "Network",
    "Probe",
    "Rule",
    "SynapseProbe",
    "SynapseTable",
    "TimeGrid",
]
