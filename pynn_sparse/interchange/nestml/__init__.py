"""Neuron models in the language NESTML (https://nestml.readthedocs.io), read with pynestml."""

from .model import NestmlModel, read_model

__all__ = ["NestmlModel", "read_model"]
