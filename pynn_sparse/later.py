"""Names that a package has at once, and whose modules are imported when one is first asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def later(package: str, modules: Mapping[str, str]) -> Callable[[str], Any]:
    """What a package's `__getattr__` calls for names that are not there yet.

    Args:
        package: its `__name__`.
        modules: for each name, the module that has it, relative to the package: "..x" or ".x.y".

    The function imports the module, and keeps what it found in the package. It raises
    AttributeError for any other name.
    """

    def found(name: str) -> Any:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(modules[name], package), name)
        setattr(sys.modules[package], name, value)
        return value

    return found
