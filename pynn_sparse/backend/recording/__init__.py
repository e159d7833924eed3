"""What is recorded of cells, in memory and in files."""

from .recorder import Recorder

__all__ = ["Recorder"]
