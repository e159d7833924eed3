"""PyNN's exporter to SONATA gives way to this backend's, once PyNN's modules have been imported.

`pyNN.serialization` imports h5py, for scripts of which few write files. So this backend does not
import it: where it is not there yet, a finder stands before Python's own, finds it as these do, and
has its name replaced when it has been loaded.
"""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

SERIALIZATION = f"{__name__.split('.')[0]}.serialization"


def offer_exporter() -> None:
    """Let PyNN's modules give `sonata.upstream.export_to_sonata` by the name of theirs."""
    if SERIALIZATION in sys.modules:
        _replace()
    elif Waiting not in sys.meta_path:
        sys.meta_path.insert(0, Waiting)


def _replace() -> None:
    from .sonata.upstream import export_to_sonata

    for module in (SERIALIZATION, f"{SERIALIZATION}.sonata"):
        sys.modules[module].export_to_sonata = export_to_sonata  # type: ignore[attr-defined]


class Waiting:
    """Finds PyNN's package of serialization, as the other finders do."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """What another finder finds, with a loader that replaces the exporter afterwards."""
        if name != SERIALIZATION:
            return None
        finders = [each for each in sys.meta_path if each is not Waiting]
        others = (each.find_spec(name, path, target) for each in finders)
        spec = next((each for each in others if each is not None), None)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                load(module)
                sys.meta_path.remove(Waiting)
                _replace()

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec
