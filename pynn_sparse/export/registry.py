"""The targets by name, each loaded when it is first asked for.

A target that ships with the package is a folder in `targets`, whose `__init__.py` says what targets
are in it, by name, and where their classes are, written as in an entry point. A target of another
package is an entry point of the group `pynn_sparse.targets`.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

from . import targets
from .errors import ExportError
from .target import Target

GROUP = "pynn_sparse.targets"


class Registry(Mapping[str, type[Target]]):
    """Name -> class of a target."""

    def __init__(self) -> None:
        self._classes: dict[str, type[Target]] = {}

    def __getitem__(self, name: str) -> type[Target]:
        if name not in self._classes:
            self._classes[name] = _found()[name].load()
        return self._classes[name]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted({*_found(), *self._classes}))

    def __len__(self) -> int:
        return len({*_found(), *self._classes})

    def add(self, target: type[Target]) -> None:
        """Enter a class by its name."""
        self._classes[target.name] = target

    def remove(self, name: str) -> None:
        """Forget a class that `add` entered. Raises KeyError for one that is not there."""
        del self._classes[name]


@cache
def _found() -> dict[str, EntryPoint]:
    """Those that ship with the package, and of other packages."""
    own = {
        name: EntryPoint(name, value, GROUP)
        for folder in pkgutil.iter_modules(targets.__path__, f"{targets.__name__}.")
        for name, value in import_module(folder.name).TARGETS.items()
    }
    return {each.name: each for each in entry_points(group=GROUP)} | own


TARGETS = Registry()


def register(target: type[Target]) -> type[Target]:
    """Enter a target of a script, by its name; returns it, so that it may decorate a class."""
    TARGETS.add(target)
    return target


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
    return TARGETS[target](**options)
