"""Where in a user's script a call came from, for warnings that point there."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import FrameType

from .. import common

OURS = tuple(f"{Path(module).parents[1]}{os.sep}" for module in (__file__, common.__file__))


def users_level() -> int:
    """The `stacklevel` with which the function that calls this one warns at the user's line.

    That is the first that is neither of this package nor of PyNN, however many functions of both
    lie in between.
    """
    frame: FrameType | None = sys._getframe(1)
    level = 1
    while frame is not None and frame.f_code.co_filename.startswith(OURS):
        frame = frame.f_back
        level += 1
    return level
