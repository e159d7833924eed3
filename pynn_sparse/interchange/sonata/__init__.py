"""SONATA: networks as HDF5, CSV and JSON files, read into a `Circuit` and written from one.

The format: https://github.com/AllenInstitute/sonata/blob/master/docs/SONATA_DEVELOPER_GUIDE.md
"""

from .circuit import Circuit, CurrentInput, EdgePopulation, NodePopulation, Part, Spikes
from .node_sets import resolve
from .reading import read
from .writing import CIRCUIT, SIMULATION, write

__all__ = [
    "CIRCUIT",
    "SIMULATION",
    "Circuit",
    "CurrentInput",
    "EdgePopulation",
    "NodePopulation",
    "Part",
    "Spikes",
    "read",
    "resolve",
    "write",
]
