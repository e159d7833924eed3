"""What cells and synapses have to bring along, checked when they are made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import ModelError


def check_hooks(owner: str, hooks: Mapping[str, tuple[Any, str]]) -> None:
    """Raise `ModelError`, with the name of the hook, for one that is not a function.

    `hooks` gives, for each name, what was given and what it has to be a function of.
    """
    for name, (given, of) in hooks.items():
        if given is None:
            raise ModelError(f"{owner} lacks the hook {name}: must be a function of {of}")
        if not callable(given):
            raise ModelError(f"{owner}: {name} = {given!r}: must be a function of {of}")


def check_names(owner: str, what: str, names: Any, known: Any) -> None:
    """Raise `ModelError` for the first name that is not among those that are known."""
    for name in names:
        if name not in known:
            must = ", ".join(known) or "none, since there are none"
            raise ModelError(f"{owner}: {what} = {name!r}: must be one of {must}")
