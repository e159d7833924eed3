"""The targets. To add one, write a file beside this and enter its class here."""

from __future__ import annotations

from typing import Any

from ..errors import ExportError
from .akida import Akida
from .asic import Asic
from .dynapse2 import Dynapse2
from .loihi import Loihi1, Loihi2
from .odin import Odin
from .spinnaker import Spinnaker1, Spinnaker2
from .target import Target
from .truenorth import TrueNorth
from .xylo import Xylo

TARGETS: dict[str, type[Any]] = {
    each.name: each
    for each in (
        *(Akida, Asic, Dynapse2, Loihi1, Loihi2, Odin),
        *(Spinnaker1, Spinnaker2, TrueNorth, Xylo),
    )
}


def find(target: str | Target, **options: int) -> Target:
    """A target by name, with options of its constructor; a target itself is returned.

    Raises `ExportError` with the names of all targets, or of the options that the target has; with
    what a target is, for anything else.
    """
    if not isinstance(target, str):
        if isinstance(target, type) or not hasattr(target, "numbers"):
            raise ExportError(
                f"target = {target!r}: must be a name, or what find() returns; there are "
                f"{', '.join(sorted(TARGETS))}"
            )
        return target
    if target not in TARGETS:
        raise ExportError(f"target = {target!r}: must be one of {', '.join(sorted(TARGETS))}")
    known = TARGETS[target]().options()
    for name in options:
        if name not in known:
            has = f"has {', '.join(known)}" if known else "has none"
            raise ExportError(f"option {name!r}: {target} {has}")
    found: Target = TARGETS[target](**options)
    return found
