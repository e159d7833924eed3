"""Structural plasticity: connections that come and go by rules while a network runs."""

from .rules import (
    DistanceDependentFormation,
    LastNeuronSelection,
    RandomByWeightElimination,
    RandomSelection,
)
from .synapses import StructuralMechanismStatic, StructuralMechanismSTDP

__all__ = [
    "DistanceDependentFormation",
    "LastNeuronSelection",
    "RandomByWeightElimination",
    "RandomSelection",
    "StructuralMechanismSTDP",
    "StructuralMechanismStatic",
]
