"""HDF5 as SONATA uses it: reading that checks before it allocates, and writing."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import SonataError
from .config import require_memory, require_plain

MAGIC = 0x0A7A
VERSION = (0, 1)
ROWS_OF_A_CHUNK = 1 << 16


def h5py() -> Any:
    """The package h5py; raises ImportError with the command that installs it."""
    try:
        return importlib.import_module("h5py")
    except ImportError as error:
        raise ImportError(
            "SONATA files need the package h5py: pip install 'pynn-sparse[sonata]'"
        ) from error


# --- reading ----------------------------------------------------------------------------------


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """A file to read from; whatever HDF5 finds wrong in it is a SonataError."""
    library = h5py()
    require_plain(path)
    try:
        with library.File(path, "r") as file:
            magic = file.attrs.get("magic", MAGIC)
            if np.ndim(magic) or magic != MAGIC:
                raise SonataError(f"{path}: magic = {magic}: SONATA files have {MAGIC}, or none")
            yield file
    except SonataError:
        raise
    except (
        *(AttributeError, IndexError, KeyError, OSError, OverflowError),
        *(RuntimeError, TypeError, ValueError),
    ) as error:
        raise SonataError(f"{path}: damaged, or not a SONATA file: {error}") from error


def where(item: Any) -> str:
    """File and place of a group or data set, for messages."""
    return f"{item.file.filename}: {item.name}"


def subgroup(group: Any, name: str) -> Any:
    """A group in a group, in the same file."""
    item = _item(group, name)
    if not isinstance(item, h5py().Group):
        raise SonataError(f"{where(group)}: {name} must be a group")
    return item


def _item(group: Any, name: str) -> Any:
    link = group.get(name, getlink=True)
    if link is None:
        raise SonataError(f"{where(group)}: has no {name}")
    if isinstance(link, h5py().ExternalLink):
        raise SonataError(f"{where(group)}: {name} is a link to another file, {link.filename}")
    return group[name]


def is_group(group: Any, name: str) -> bool:
    """Whether there is a group of that name."""
    return name in group and isinstance(_item(group, name), h5py().Group)


def values(group: Any, name: str, length: int | None = None) -> NDArray[Any]:
    """A data set of numbers, strings or vectors of numbers, with `length` rows if that is given."""
    data = _item(group, name)
    if not isinstance(data, h5py().Dataset) or data.shape is None or not data.ndim:
        raise SonataError(f"{where(group)}: {name} must be a data set")
    if data.is_virtual or data.external:
        raise SonataError(f"{where(data)}: its data are in another file")
    if length is not None and len(data) != length:
        raise SonataError(f"{where(data)}: has {len(data)} rows, must have {length}")
    require_memory(float(np.prod(data.shape, dtype=float)) * data.dtype.itemsize, where(data))
    text = h5py().check_string_dtype(data.dtype)
    return np.asarray(data[()] if text is None else data.asstr("utf-8", "replace")[()])


def integers(group: Any, name: str, length: int | None = None) -> NDArray[np.int64]:
    """A data set of integers, one in each row."""
    read = values(group, name, length)
    if read.dtype.kind not in "iu" or read.ndim != 1:
        raise SonataError(f"{where(group)}: {name} must be one column of integers")
    if read.dtype.kind == "u" and len(read) and read.max() > np.iinfo(np.int64).max:
        raise SonataError(f"{where(group)}: {name} = {read.max()}: must be less than 2^63")
    return read.astype(np.int64)


def floats(group: Any, name: str, length: int | None = None) -> NDArray[np.float64]:
    """A data set of numbers, one in each row."""
    read = values(group, name, length)
    if read.dtype.kind not in "iuf" or read.ndim != 1:
        raise SonataError(f"{where(group)}: {name} must be one column of numbers")
    return read.astype(np.float64)


def text(item: Any, name: str) -> str:
    """An attribute that is a string; "" where it is absent."""
    value = item.attrs.get(name, "")
    if isinstance(value, bytes):  # NumPy's, too
        return value.decode("utf-8", "replace")
    if not isinstance(value, str):
        raise SonataError(f"{where(item)}: attribute {name} must be a string")
    return value


# --- writing ----------------------------------------------------------------------------------


@contextmanager
def created(path: Path) -> Iterator[Any]:
    """A new file, with the attributes that all SONATA files have."""
    with h5py().File(path, "w") as file:
        file.attrs["version"] = np.array(VERSION, np.uint32)
        file.attrs["magic"] = np.uint32(MAGIC)
        yield file


def put(group: Any, name: str, value: Any, n: int, dtype: Any = np.float64) -> Any:
    """A data set of n numbers, from an array or one number; the latter takes no space."""
    if np.ndim(value) or not n:
        return group.create_dataset(name, data=np.broadcast_to(value, (n,)).astype(dtype))
    chunks = (min(n, ROWS_OF_A_CHUNK),)  # none is written, and reading gives the fill value
    return group.create_dataset(name, (n,), dtype, chunks=chunks, fillvalue=dtype(value))


def put_vectors(group: Any, name: str, rows: list[NDArray[np.float64]]) -> None:
    """A data set with several numbers in each row, of the same or of different lengths."""
    if len({len(row) for row in rows}) == 1 and len(rows[0]):
        group.create_dataset(name, data=np.stack(rows))
        return
    data = group.create_dataset(name, (len(rows),), h5py().vlen_dtype(np.float64))
    for number, row in enumerate(rows):
        data[number] = row
