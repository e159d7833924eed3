"""Makes ``import pyNN.sparse`` load this package's backend.

A ``.pth`` file (and, from Python 3.15, a ``.start`` file) calls `register` when the interpreter
starts, so this module imports nothing that the interpreter has not loaded already.
"""

import sys
from os.path import dirname, join

TYPE_CHECKING = False  # as in `typing`, whose import would slow down the start
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

BACKEND = join(dirname(__file__), "backend")


class Finder:
    """Finds ``pyNN.sparse``; its submodules are then found as any package's are."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> "ModuleSpec | None":
        if name != "pyNN.sparse":
            return None
        from importlib.util import spec_from_file_location

        init = join(BACKEND, "__init__.py")
        return spec_from_file_location(name, init, submodule_search_locations=[BACKEND])


def register() -> None:
    """Append the finder once; a ``pyNN/sparse.py`` of PyNN's own would come first and win."""
    if Finder not in sys.meta_path:
        sys.meta_path.append(Finder)
