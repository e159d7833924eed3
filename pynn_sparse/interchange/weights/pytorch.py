"""Files of `torch.save` without PyTorch: archives of a pickle, which is restricted, and bytes.

A pickle may name any function to be called. Only those are found here that make tensors of bytes.
"""

from __future__ import annotations

import io
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import GraphError

STORAGES = {
    "DoubleStorage": "f8",
    "FloatStorage": "f4",
    "HalfStorage": "f2",
    "BFloat16Storage": "u2",
    "LongStorage": "i8",
    "IntStorage": "i4",
    "ShortStorage": "i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}


def read_pytorch(path: Path) -> Mapping[str, Any]:
    """The dictionary in a file, with arrays for tensors.

    Raises `GraphError` for a file that holds anything but dictionaries, lists, numbers, strings and
    dense tensors: with a network's classes, code would have to be run.
    """
    if not zipfile.is_zipfile(path):
        path.open("rb").close()  # which says whether it is there
        raise GraphError("is no file of torch.save since PyTorch 1.6, an archive")
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith("/data.pkl")]
        if len(names) != 1:
            raise GraphError("has no data.pkl, which files of torch.save have")
        folder = names[0].removesuffix("data.pkl")
        order = ">" if _read(archive, f"{folder}byteorder").strip() == b"big" else "<"
        found = _Unpickler(archive, folder, order).load()
    if not isinstance(found, Mapping):
        raise GraphError(f"holds a {type(found).__name__}: must be a state dictionary")
    return found


def _read(archive: zipfile.ZipFile, name: str) -> bytes:
    """An entry, empty where there is none."""
    return archive.read(name) if name in archive.namelist() else b""


class _Unpickler(pickle.Unpickler):
    """Makes nothing but arrays, numbers, strings, lists and dictionaries."""

    def __init__(self, archive: zipfile.ZipFile, folder: str, order: str) -> None:
        super().__init__(io.BytesIO(archive.read(f"{folder}data.pkl")))
        self._archive, self._folder, self._order = archive, folder, order

    def find_class(self, module: str, name: str) -> Any:
        """The few functions that a state dictionary needs."""
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor
        if (module, name) == ("torch._utils", "_rebuild_parameter"):
            return lambda data, *_: data
        if module in ("torch", "torch.storage") and name in STORAGES:
            return name
        raise GraphError(
            f"needs {module}.{name}, which is not looked for: must be a state dictionary, as of "
            "torch.save(network.state_dict(), ...)"
        )

    def persistent_load(self, key: Any) -> NDArray[Any]:
        """The numbers of a storage."""
        kind, storage, name, *_ = key
        if kind != "storage" or storage not in STORAGES:
            raise GraphError(f"refers to {key!r}: must be a storage")
        dtype = np.dtype(f"{self._order}{STORAGES[storage]}")
        numbers = np.frombuffer(self._archive.read(f"{self._folder}data/{name}"), dtype)
        if storage == "BFloat16Storage":
            return bfloat16(numbers)
        return numbers


def bfloat16(bits: NDArray[np.uint16]) -> NDArray[np.float32]:
    """Numbers that are the upper halves of those of 32 bits."""
    return (bits.astype(np.uint32) << 16).view(np.float32)


def _tensor(numbers: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> NDArray[Any]:
    """An array of a storage."""
    last = offset + sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
    if 0 in shape:
        return np.zeros(shape, numbers.dtype)
    if min((offset, *shape, *strides), default=0) < 0 or last >= len(numbers):
        raise GraphError(f"has a tensor of shape {shape} that is not within its storage")
    steps = [numbers.itemsize * step for step in strides]
    made: NDArray[Any] = np.lib.stride_tricks.as_strided(numbers[offset:], shape, steps).copy()
    return made
