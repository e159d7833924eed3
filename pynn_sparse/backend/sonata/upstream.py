"""PyNN's own exporter, `pyNN.serialization.export_to_sonata`, for networks of this backend.

That of PyNN 0.13.0 loses attributes of more than 32,768 connections or cells, calls nodes by their
numbers in the simulation, and writes two projections of one label into one file. A script that
calls it with a network of this backend gets the files of `to_sonata` instead; with those of other
backends it does what it did.
"""

from __future__ import annotations

from types import FunctionType
from typing import Any

from pynn_sparse.interchange import sonata

from ...serialization import sonata as pynns
from ..populations import Population
from .capture import capture

_of_pynn: Any = None


def _called(network: Any, output_path: Any, target: str = "PyNN", overwrite: bool = False) -> Any:
    from pyNN.sparse.sonata.upstream import export

    return export(network, output_path, target, overwrite)


def redirect() -> None:
    """Have PyNN's function call `export`, also under the names that scripts have for it already."""
    global _of_pynn
    function = pynns.export_to_sonata
    if function.__code__ is not _called.__code__:
        _of_pynn = FunctionType(
            function.__code__, function.__globals__, function.__name__, function.__defaults__
        )
        function.__code__ = _called.__code__


def export(network: Any, output_path: Any, target: str, overwrite: bool) -> None:
    """What `export_to_sonata` does; paths in the configurations are absolute, as PyNN reads them.

    Raises ValueError for a target other than "PyNN", and what `to_sonata` raises.
    """
    if not any(isinstance(each, Population) for each in network.populations):
        _of_pynn(network, output_path, target, overwrite)
        return
    if target.lower() != "pynn":
        raise ValueError(
            f"target = {target!r}: pyNN.sparse writes SONATA files with PyNN's models, 'PyNN'"
        )
    sonata.write(capture(network), output_path, overwrite=bool(overwrite), for_pynn=True)
