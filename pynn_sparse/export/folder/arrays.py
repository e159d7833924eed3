"""Arrays from a file of NumPy's, which claims nothing that is not in it.

``np.load`` allocates what the header of an array asks for, and unpacks what an archive has packed,
before it knows whether the file holds as much. Here all sizes are compared with it first.
"""

from __future__ import annotations

import io
import math
import zipfile
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from ..errors import DamagedTablesError

KINDS = "biuf"  # truth values, integers, floats: nothing that is unpickled


def read_npz(data: bytes, name: str) -> dict[str, NDArray[Any]]:
    """The arrays of a file that `np.savez` wrote.

    Raises `DamagedTablesError` naming the file for any other.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return {
                each.filename.removesuffix(".npy"): _array(archive, each)
                for each in archive.infolist()
            }
    except (
        *(zipfile.BadZipFile, EOFError, NotImplementedError, OSError),
        *(RuntimeError, SyntaxError, TypeError, ValueError),
    ) as error:
        raise DamagedTablesError(f"{name} holds no arrays that can be read: {error}") from error


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any]:
    if member.compress_type != zipfile.ZIP_STORED or member.file_size != member.compress_size:
        raise ValueError(f"{member.filename} is packed")
    text = archive.read(member)
    stream = io.BytesIO(text)
    version = npy.read_magic(stream)
    if version != (1, 0):
        raise ValueError(f"{member.filename} has version {version} of NumPy's format")
    shape, fortran, kind = npy.read_array_header_1_0(stream)
    if kind.kind not in KINDS or (fortran and len(shape) > 1):
        raise ValueError(f"{member.filename} has type {kind}, Fortran order {fortran}")
    begin = stream.tell()
    if len(text) - begin != math.prod(shape) * kind.itemsize:
        raise ValueError(f"{member.filename} has not the size of its shape {shape}")
    return np.frombuffer(text, kind, offset=begin).reshape(shape)
