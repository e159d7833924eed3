"""PyNN's own exporter, `pyNN.serialization.export_to_sonata`, for networks of this backend.

That of PyNN 0.13.0 loses attributes of more than 32,768 connections or cells, calls nodes by their
numbers in the simulation, and writes two projections of one label into one file. It asks a network
for nothing that could lead it elsewhere, so the name stands for `export_to_sonata` below once
this backend is imported (`serialization.py`): a network of this backend gets the files of
`to_sonata`, those of other backends what PyNN's function does, which itself stays as it is. A
script that has imported the name before it imports this backend has PyNN's function.
"""

from __future__ import annotations

import functools
from typing import Any

from ...serialization import sonata as pynns
from ..populations import Population
from .capture import write

_of_pynn = pynns.export_to_sonata


@functools.wraps(_of_pynn)
def export_to_sonata(
    network: Any, output_path: Any, target: str = "PyNN", overwrite: bool = False
) -> None:
    """What PyNN's function does; paths in the configurations are absolute, as PyNN reads them.

    Raises ValueError for a target other than "PyNN", and what `to_sonata` raises.
    """
    if not any(isinstance(each, Population) for each in network.populations):
        _of_pynn(network, output_path, target, overwrite)
        return
    if target.lower() != "pynn":
        raise ValueError(
            f"target = {target!r}: pyNN.sparse writes SONATA files with PyNN's models, 'PyNN'"
        )
    write(network, output_path, overwrite=bool(overwrite), for_pynn=True)
