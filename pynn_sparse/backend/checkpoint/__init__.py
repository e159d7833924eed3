"""The state of a simulation in a file, from which it goes on."""

from .saving import load_state, save_state

__all__ = ["load_state", "save_state"]
