"""Makes a script that imports one backend use another, without a change to the script."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, spec_from_loader
from types import ModuleType
from typing import Any

# Modules `pyNN.<name>` that are backends, in PyNN 0.13 and in packages that add one.
BACKENDS = (
    "arbor brian brian2 carlsim genn mock moose nest neuron nineml neuroml sparse spiNNaker"
).split()


def module_name(backend: str) -> str:
    """The module of a backend: `pyNN.<backend>`, or one of that name outside PyNN.

    Raises ModuleNotFoundError if there is neither.
    """
    import pynn_sparse  # noqa: F401  makes pyNN.sparse known

    for name in (f"pyNN.{backend}", backend):
        try:
            if find_spec(name):
                return name
        except ModuleNotFoundError:  # of the package that it would be in
            continue
    raise ModuleNotFoundError(
        f"backend {backend!r}: there is no module pyNN.{backend} or {backend}"
    )


class Submodules(MetaPathFinder, Loader):
    """Finds `pyNN.<any backend>.<module>` in the backend that is used instead."""

    def __init__(self, used: str) -> None:
        self.used = used

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        first, *rest = name.split(".")
        redirected = first == "pyNN" and len(rest) > 1 and rest[0] in BACKENDS
        if not redirected or name.startswith(f"{self.used}."):
            return None
        return spec_from_loader(name, self)

    def exec_module(self, module: ModuleType) -> None:
        # What the import system hands out is the entry of sys.modules.
        rest = module.__name__.split(".")[2:]
        sys.modules[module.__name__] = import_module(".".join([self.used, *rest]))


def redirect(backend: str) -> Any:
    """Import a backend, and make every other name of a backend mean it; return its module."""
    import pyNN
    import pyNN.utility.script_tools

    used = module_name(backend)
    sim = import_module(used)
    for name in BACKENDS:
        if used != f"pyNN.{name}":
            sys.modules[f"pyNN.{name}"] = sim
            setattr(pyNN, name, sim)
    sys.meta_path.insert(0, Submodules(used))
    for module in (pyNN.utility, pyNN.utility.script_tools):
        module.get_simulator = _get_simulator(sim, backend)
    return sim


def _get_simulator(sim: Any, backend: str) -> Any:
    """In place of PyNN's: the name of a backend may be on the script's command line or not."""

    def get_simulator(*arguments: Any) -> tuple[Any, argparse.Namespace]:
        parser = argparse.ArgumentParser()
        for name, text, *more in arguments:
            parser.add_argument(name, help=text, **(more[0] if more else {}))
        words = sys.argv[1:]
        known = next((word for word in words if word in (*BACKENDS, backend)), None)
        if known is not None:
            words.remove(known)
        return sim, parser.parse_args(words, argparse.Namespace(simulator=backend))

    return get_simulator
