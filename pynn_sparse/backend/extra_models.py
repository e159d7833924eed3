"""What scripts of sPyNNaker take from its `extra_models`, as far as it is here."""

from .dialects import foreign as _foreign
from .neuromodulation import Neuromodulation

__all__ = ["Neuromodulation"]


def __getattr__(name: str) -> object:
    raise _foreign(__name__, name)
