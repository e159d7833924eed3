"""The targets. To add one, write a file beside this and enter its class here."""

from __future__ import annotations

from typing import Any

from ..errors import ExportError
from .asic import Asic
from .loihi import Loihi1, Loihi2
from .target import Target
from .xylo import Xylo

TARGETS: dict[str, type[Any]] = {each.name: each for each in (Asic, Loihi1, Loihi2, Xylo)}


def find(target: str | Target) -> Target:
    """A target by name, with its defaults; a target itself is returned.

    Raises `ExportError` with the names of all targets.
    """
    if not isinstance(target, str):
        return target
    if target not in TARGETS:
        raise ExportError(f"target = {target!r}: must be one of {', '.join(sorted(TARGETS))}")
    found: Target = TARGETS[target]()
    return found
