"""Child processes of a test."""

from __future__ import annotations

import os
from collections.abc import Callable


def in_a_child(act: Callable[[], bool]) -> bool:
    """What a function gives in the child of a fork."""
    reading, writing = os.pipe()
    process = os.fork()
    if not process:
        try:
            os.write(writing, b"y" if act() else b"n")
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read()
    os.waitpid(process, 0)
    return said == b"y"
