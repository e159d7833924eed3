"""Weights of trained networks, by name, from mappings and files of which nothing is executed."""

from .files import read_weights

__all__ = ["read_weights"]
