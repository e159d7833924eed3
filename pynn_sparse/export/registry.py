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

from ..door import shown
from . import targets
from .arguments import door
from .capability import Capability
from .errors import ExportError
from .hardware import Limits
from .target import Target, returned

GROUP = "pynn_sparse.targets"


class Registry(Mapping[str, type[Target]]):
    """Name -> class of a target."""

    def __init__(self) -> None:
        self._classes: dict[str, type[Target]] = {}

    def __getitem__(self, name: str) -> type[Target]:
        if name not in self._classes:
            self._classes[name] = _loaded(name)
        return self._classes[name]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted({*_entries(), *self._classes}))

    def __len__(self) -> int:
        return len({*_entries(), *self._classes})

    def add(self, target: type[Target]) -> None:
        """Enter a class by its name, see `register`."""
        check(target)
        if target.name in _entries():
            raise ExportError(f"name = {target.name!r}: there is a target of that name")
        self._classes[target.name] = target

    def remove(self, name: str) -> None:
        """Forget a class that `add` entered. Raises KeyError for one that is not there."""
        del self._classes[name]


@cache
def _entries() -> dict[str, tuple[EntryPoint, ...]]:
    """By name: those that ship with the package, and those of other packages."""
    own = [
        EntryPoint(name, value, GROUP)
        for folder in pkgutil.iter_modules(targets.__path__, f"{targets.__name__}.")
        for name, value in import_module(folder.name).TARGETS.items()
    ]
    entries: dict[str, tuple[EntryPoint, ...]] = {}
    for entry in (*own, *entry_points(group=GROUP)):
        entries[entry.name] = (*entries.get(entry.name, ()), entry)
    return entries


def _loaded(name: str) -> type[Target]:
    """The class of an entry.

    Raises KeyError for a name that does not exist, and `ExportError` for what is not a target.
    """
    values = {entry.value: entry for entry in _entries()[name]}
    if len(values) > 1:
        raise ExportError(f"target {name!r} is claimed by {' and '.join(sorted(values))}")
    ((value, entry),) = values.items()
    target: type[Target] = entry.load()
    check(target)
    if target.name != name:
        raise ExportError(f"{value}: name = {target.name!r}: must be {name!r}, as its entry says")
    return target


def check(target: type[Target]) -> None:
    """Raise `ExportError` for what is not a complete target.

    What a class lacks is said when it is defined, see `Target`; here its hooks are called that take
    no network.
    """
    if not (isinstance(target, type) and issubclass(target, Target)):
        raise ExportError(f"target = {shown(target)}: must be a class derived from Target")
    if not hasattr(target, "name"):
        raise ExportError(f"{target.__name__} has no name: must be of type str")
    try:
        made = target()
    except TypeError as error:
        raise ExportError(
            f"{target.__name__}() failed: {error}; options need values by default"
        ) from None
    returned(made, "options", made.options(), dict)
    returned(made, "limits", made.limits(), Limits)
    for capability in returned(made, "capabilities", made.capabilities(), tuple):
        returned(made, "capabilities", capability, Capability)
    returned(made, "semantics", made.semantics(1), made.model.semantics_type)


TARGETS = Registry()


def register(target: type[Target]) -> type[Target]:
    """Enter a target of a script, by its name; returns it, so that it may decorate a class.

    A class of the same name that was registered before is replaced. Raises `ExportError` for what
    is not a complete target, and for the name of a target that ships with a package.
    """
    TARGETS.add(target)
    return target


def find(target: str | Target, **options: int) -> Target:
    """A target by name, with options of its constructor; a target itself is returned.

    Raises `ExportError` with the names of all targets, or of the options that the target has; with
    what a target is, for anything else.
    """
    if not isinstance(target, str):
        if not isinstance(target, Target):
            raise ExportError(
                f"target = {shown(target)}: must be a name, or what find() returns; there are "
                f"{', '.join(sorted(TARGETS))}"
            )
        return target
    if target not in TARGETS:
        raise door.refused("target", target, f"one of {', '.join(sorted(TARGETS))}")
    known = TARGETS[target]().options()
    for name in options:
        if name not in known:
            has = f"has {', '.join(known)}" if known else "has none"
            raise ExportError(f"option {name!r}: {target} {has}")
    return TARGETS[target](**options)
