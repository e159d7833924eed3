"""Warnings that point to the line of the user's script, however deep in the package they arise."""

from __future__ import annotations

import sys
import warnings
from types import FrameType

# The backend's modules are `pyNN.sparse`; PyNN's own ones call them.
INSIDE = ("pynn_sparse", "pyNN")


_muted = False


def mute() -> None:
    """Leave warnings to another process, which runs the same script and gives the same."""
    global _muted
    _muted = True


def warn(
    message: str, category: type[Warning] = UserWarning, *, of_process_alone: bool = False
) -> None:
    """Warn of something that a script has asked for; `of_process_alone` if others do not know."""
    if _muted and not of_process_alone:
        return
    level = 1
    frame: FrameType | None = sys._getframe()
    while frame and _inside(frame):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def _inside(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__")).partition(".")[0] in INSIDE
