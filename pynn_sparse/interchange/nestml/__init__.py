"""Models in the language NESTML (https://nestml.readthedocs.io), read with pynestml."""

from .model import NestmlModel, read_model
from .synapse import NestmlSynapse, read_synapse

__all__ = ["NestmlModel", "NestmlSynapse", "read_model", "read_synapse"]
