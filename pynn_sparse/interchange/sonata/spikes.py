"""Files of spikes, input and output."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ...errors import SonataError
from .circuit import Circuit, Spikes
from .hdf5 import created, floats, h5py, integers, is_group, opened, subgroup, text, where

SORTING = {"none": 0, "by_id": 1, "by_time": 2}
UNITS = {"": 1.0, "ms": 1.0, "milliseconds": 1.0, "s": 1000.0, "seconds": 1000.0}


def read_spikes(path: Path, circuit: Circuit, wanted: list[str]) -> dict[str, Spikes]:
    """Spikes of the wanted populations, by their names, in the order of the file.

    Files as written before populations had groups of their own are read, too; they have to be of
    one population. Raises SonataError for a population without spikes in the file.
    """
    with opened(path) as file:
        spikes = subgroup(file, "spikes")
        if "timestamps" in spikes:
            if len(wanted) != 1:
                raise SonataError(f"{path}: spikes of one population, but {len(wanted)} are wanted")
            return {wanted[0]: _read(spikes, "gids", circuit, wanted[0])}
        found = {}
        for name in wanted:
            if not is_group(spikes, name):
                known = ", ".join(map(repr, spikes))
                raise SonataError(f"{path}: has no spikes of {name!r}, but of {known}")
            found[name] = _read(subgroup(spikes, name), "node_ids", circuit, name)
        return found


def _read(group: Any, ids: str, circuit: Circuit, population: str) -> Spikes:
    time = floats(group, "timestamps")
    unit = text(group["timestamps"], "units")
    if unit not in UNITS:
        raise SonataError(f"{where(group)}: unit of timestamps = {unit!r}: must be ms or s")
    node = integers(group, ids if ids in group else "node_ids", len(time))
    nodes = circuit.population(population, where(group))
    return nodes.places(node, where(group)), time * UNITS[unit]


def write_spikes(path: Path, spikes: dict[str, Spikes]) -> None:
    """Write spikes by population; each sorted by node, and then by time."""
    with created(path) as file:
        for name, (node, time) in spikes.items():
            order = np.lexsort((time, node))
            group = file.create_group(f"spikes/{name}")
            kind = h5py().enum_dtype(SORTING, basetype="u1")
            group.attrs.create("sorting", SORTING["by_id"], dtype=kind)
            group.create_dataset("node_ids", data=node[order].astype(np.uint64))
            times = group.create_dataset("timestamps", data=time[order].astype(np.float64))
            times.attrs["units"] = "ms"
