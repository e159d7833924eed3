"""Connectors: which cells a projection connects, one class for each rule."""

from .connectors import *  # noqa: F403
from .connectors import __all__  # noqa: F401
