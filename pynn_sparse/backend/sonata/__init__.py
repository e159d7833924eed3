"""Networks as SONATA files, and from them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pynn_sparse.door import Door
from pynn_sparse.interchange import sonata
from pynn_sparse.notices import warn

from ...network import Network
from .. import simulator
from .build import build
from .capture import write

door = Door(TypeError)


def to_sonata(
    folder: str | os.PathLike[str], network: Any = None, *, overwrite: bool = False
) -> Path:
    """Write the network as SONATA files, from which `from_sonata` makes it again.

    Each population becomes a node population, with node ids from 0, and each projection an edge
    population, or one for each pair of populations that it connects, with `syn_weight` and `delay`
    (ms) of each edge, and indices. Weights are those of now; initial values are those of time 0.
    Labels that occur twice get a number. Spike times are the simulation's input, current sources
    too; spikes recorded since the last reset are written as its output. What is recorded, and
    annotations, are not written.

    Args:
        folder: made if it is not there; all of it is written, or nothing.
        network: a `pyNN.network.Network`, or a list of populations and projections, with which the
            populations that they connect are written, too. By default everything.
        overwrite: whether the folder may hold another circuit, which is replaced.

    Returns the path of `simulation_config.json`. Of several processes the first one writes the
    files; all have to call this.

    Raises `pynn_sparse.errors.SonataError` for a folder that holds anything else, TypeError for
    what is not a network, RuntimeError for parts of an earlier `setup`, ImportError without h5py.
    """
    path, overwrite = door.path("folder", folder), door.flag("overwrite", overwrite)
    write(network, path, overwrite=overwrite)
    return path.absolute() / sonata.SIMULATION


def from_sonata(
    path: str | os.PathLike[str], cell_types: Mapping[str, Any] | None = None
) -> Network:
    """Make the network of SONATA files, in addition to what there is.

    After `setup` with the time step and the `rng_seed` that `to_sonata` was called with, it is the
    same network, and gives the same spikes, bit for bit. Files of other programs are read, too, if
    all nodes are virtual or point neurons of PyNN or of NEST's `iaf` models, and all edges static
    or of PyNN's synapse types; see the page on SONATA.

    Args:
        path: of the folder, of `simulation_config.json`, or of `circuit_config.json`, which says
            nothing of input.
        cell_types: types made by `native_cell_type` or `nestml_cell_type`, by their names.

    Returns a `pyNN.network.Network` of all populations and projections; its `get_component(label)`
    finds one. A node population of several models becomes an Assembly of as many populations.

    Raises `pynn_sparse.errors.SonataError` for files that are damaged or hold something that is not
    supported, with the file and the reason; nothing has been made then. RuntimeError before
    `setup`; `NetworkTooLargeError` where there is not enough memory; ImportError without h5py.
    """
    simulator.state.require_open("from_sonata")
    if cell_types is not None:
        door.mapping("cell_types", cell_types, "a dict of names and cell types")
    circuit = sonata.read(door.path("path", path))
    network = build(circuit, dict(cell_types or {}))
    if circuit.dt is not None and circuit.dt != simulator.state.dt:
        warn(
            f"{path} is for a time step of {circuit.dt:g} ms; delays and times are rounded to the "
            f"present one, {simulator.state.dt:g} ms",
        )
    return network


__all__ = ["from_sonata", "to_sonata"]
