"""Files that other programs load, derived from the words again."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..errors import DamagedTablesError, ExportError
from ..exported import Exported
from .arrays import read_npz
from .manifest import SOURCE
from .writing import contents_of

HDF5 = (".h5", ".net", ".nir")


def differences(tables: Exported) -> Iterator[str]:
    """What is wrong with each file of tables that were loaded; nothing if all are right.

    Reports, and what a bench plays and expects, say more than the words: they are left out.
    """
    given = {name: data for name, data in tables.files.items() if name != SOURCE}
    try:
        again = contents_of(tables, *(f in given for f in ("synapses.csv", "net.h5", "net.nir")))
    except ExportError as error:
        yield f"cannot be derived: {error}"
        return
    for name, data in again.items():
        if name.endswith(".memh") or name == SOURCE:
            continue
        if name not in given:
            yield f"{name} is missing"
        elif data != given[name] and not _same_contents(name, data, given[name]):
            yield f"{name} differs"


def _same_contents(name: str, one: bytes, other: bytes) -> bool:
    """Whether files hold the same arrays, whatever version of a library wrote them."""
    try:
        if name.endswith(".npz"):
            a, b = (read_npz(each, name) for each in (one, other))
        elif name.endswith(HDF5):
            a, b = (_datasets(each) for each in (one, other))
        else:
            return False
    except (DamagedTablesError, OSError):
        return False
    return a.keys() == b.keys() and all(
        a[key].dtype == b[key].dtype and np.array_equal(a[key], b[key]) for key in a
    )


def _datasets(data: bytes) -> dict[str, Any]:
    """All data sets of an HDF5 file by path."""
    import h5py

    found = {}

    def visit(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            found[name] = np.asarray(item[()])

    with h5py.File(io.BytesIO(data), "r") as file:
        file.visititems(visit)
    return found
