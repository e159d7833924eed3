"""Arrays by name in a file that is whole, or is refused.

The file is a NumPy archive (.npz) that `numpy.load` reads, too. Its last bytes, the comment of the
ZIP format, are a checksum of all bytes before. So no changed bit, and no missing part, goes unseen.
"""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from .. import interrupts
from ..errors import CheckpointError, MissingCheckpointError
from ..replacing import replaced
from .block import Arrays

SIGNATURE = b"pynn-sparse sha256 "
COMMENT = len(SIGNATURE) + 64  # bytes
AT_ONCE = 1 << 22  # bytes that are looked at


def write(path: Path, arrays: Arrays) -> None:
    """Write a file, which takes the place of an old one when it is complete.

    Raises OSError if there is no room, or the folder cannot be written; the old file is as it was.
    """
    with replaced(path) as new, new.open("w+b") as file:
        _write_arrays(file, arrays)
        file.seek(-2, 2)  # where the length of the comment stands
        file.write(COMMENT.to_bytes(2, "little"))
        size = file.tell()
        file.write(SIGNATURE + _checksum(file, size))


def _write_arrays(file: IO[bytes], arrays: Arrays) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            with interrupts.held, archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, np.asanyarray(array), allow_pickle=False)


def _checksum(file: IO[bytes], size: int) -> bytes:
    """SHA-256 of the first bytes, as hexadecimal digits. The file is left behind them."""
    found = hashlib.sha256()
    file.seek(0)
    while size:
        part = file.read(min(size, AT_ONCE))
        if not part:
            break
        found.update(part)
        size -= len(part)
    return found.hexdigest().encode()


def read(path: Path) -> Arrays:
    """All arrays of a file that `write` has written.

    Raises `CheckpointError`, with the name of the file and what is wrong with it.
    """
    try:
        with path.open("rb") as file:
            _check_whole(path, file)
            return _arrays(file)
    except FileNotFoundError as error:
        raise MissingCheckpointError(f"{path}: there is no such file") from error
    except (CheckpointError, MemoryError):
        raise
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {error.strerror or error}") from error
    except Exception as error:  # with a valid checksum, but made by something else
        raise CheckpointError(
            f"{path}: is damaged, or no file of save_state ({type(error).__name__}: {error})"
        ) from error


def _check_whole(path: Path, file: IO[bytes]) -> None:
    if not path.is_file():
        raise CheckpointError(f"{path}: is not a file")
    size = file.seek(0, 2) - COMMENT
    file.seek(max(size, 0))
    comment = file.read()
    if size < 0 or not comment.startswith(SIGNATURE):
        raise CheckpointError(
            f"{path}: is not a file that save_state wrote, or its end is missing or damaged"
        )
    if SIGNATURE + _checksum(file, size) != comment:
        raise CheckpointError(f"{path}: is damaged: its checksum is not that of its contents")


def _arrays(file: IO[bytes]) -> Arrays:
    arrays: dict[str, NDArray[Any]] = {}
    file.seek(0)
    with zipfile.ZipFile(file) as archive:
        for name in archive.namelist():
            with archive.open(name) as entry:
                array = np.lib.format.read_array(entry, allow_pickle=False)
            arrays[name.removesuffix(".npy")] = array
    return arrays
