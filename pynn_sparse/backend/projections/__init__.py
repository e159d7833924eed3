"""Projections: the synapses between two groups of cells."""

from .projection import Projection

__all__ = ["Projection"]
