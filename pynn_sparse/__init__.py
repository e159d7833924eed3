"""PyNN-sparse: a PyNN backend on a sparse-event engine, for CPU and GPU from one kernel source.

Importing this package makes ``import pyNN.sparse`` work; an installed copy does so at interpreter
start. Attributes that are not defined here are looked up in the backend, so ``pynn_sparse.setup``
is ``pyNN.sparse.setup``.
"""

from .import_hook import register

TYPE_CHECKING = False  # as in `typing`, whose import would slow down the start
if TYPE_CHECKING:
    from typing import Any

    from .instances import run_instances
    from .sweeps import sweep

__version__ = "0.2.0"

register()

__all__ = ["__version__", "run_instances", "sweep"]

_LATER = {"run_instances": "pynn_sparse.instances", "sweep": "pynn_sparse.sweeps"}


def __getattr__(name: str) -> "Any":
    from importlib import import_module
    from importlib.util import find_spec

    if name in _LATER:
        return getattr(import_module(_LATER[name]), name)
    # The import system asks for __path__ and others, and for a submodule before it is loaded.
    if name.startswith("__") or find_spec(f"{__name__}.{name}"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("pyNN.sparse"), name)
