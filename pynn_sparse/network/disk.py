"""Arrays that grow on disk, for what was recorded and is not to be held in memory."""

from __future__ import annotations

import ctypes
import mmap
import os
import tempfile
import weakref
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


class Mapping:
    """Bytes of a file, read when they are looked at, and kept until nothing refers to them.

    Unlike Python's `mmap`, it takes no file descriptor, of which a process has a thousand. What is
    written to it stays in memory, and does not reach the file.

    Args:
        file: descriptor of a file.
        offset: of the first byte.
        size: number of bytes, at least 1.
    """

    def __init__(self, file: int, offset: int, size: int) -> None:
        before = offset % mmap.ALLOCATIONGRANULARITY
        protection, size = mmap.PROT_READ | mmap.PROT_WRITE, size + before
        address = _libc.mmap(None, size, protection, mmap.MAP_PRIVATE, file, offset - before)
        if address == ctypes.c_void_p(-1).value:
            number = ctypes.get_errno()
            raise OSError(number, f"{size} bytes on disk cannot be mapped: {os.strerror(number)}")
        weakref.finalize(self, _libc.munmap, address, size)
        self._fields = {"data": (address + before, False), "version": 3}

    def array(self, dtype: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
        """The bytes as an array, which keeps the mapping."""
        self.__array_interface__ = self._fields | {"typestr": dtype.str, "shape": shape}
        return np.asarray(self)


_libc = ctypes.CDLL(None, use_errno=True)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = (
    *(ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int),
    ctypes.c_int64 if ctypes.sizeof(ctypes.c_void_p) == 8 else ctypes.c_long,  # off_t
)
_libc.munmap.argtypes = ctypes.c_void_p, ctypes.c_size_t


class DiskArray:
    """Rows of numbers in a temporary file, in the order in which they are appended.

    The file is in the folder for temporary files (`TMPDIR`). It has no name where the system allows
    that, and goes with the last array that shows it, however the process ends.

    Args:
        dtype: type of the numbers.
        row: shape of a row, () for single numbers.
    """

    def __init__(self, dtype: DTypeLike, row: tuple[int, ...] = ()) -> None:
        self._dtype = np.dtype(dtype)
        self._row = row
        self._row_bytes = self._dtype.itemsize * int(np.prod(row, dtype=np.int64))
        self._n = 0
        self._file = tempfile.TemporaryFile(buffering=0, prefix="pynn-sparse-")  # noqa: SIM115
        weakref.finalize(self, self._file.close)

    def __len__(self) -> int:
        return self._n

    def append(self, rows: NDArray[Any], at: int | None = None) -> None:
        """Take up rows [k, ...], in place of those from `at` on; by default, after the last.

        Raises OSError, having taken up none, if the disk is full.
        """
        data = np.ascontiguousarray(rows, self._dtype)
        begin = self._n if at is None else at
        try:
            self._file.seek(begin * self._row_bytes)
            rest = data.reshape(-1).view(np.uint8).data
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            raise OSError(
                error.errno,
                f"{data.nbytes} bytes of recorded data cannot be written to "
                f"{tempfile.gettempdir()}: {error.strerror}; the environment variable TMPDIR "
                "names another folder",
            ) from error
        self._n = begin + len(data)

    def rows(self, begin: int = 0, end: int | None = None) -> NDArray[Any]:
        """Rows begin .. end - 1 as an array that reads the file when it is looked at.

        It belongs to the caller: changes to it do not change the file.
        """
        n = (self._n if end is None else end) - begin
        if not n * self._row_bytes:  # of which no map can be made
            return np.empty((n, *self._row), self._dtype)
        mapping = Mapping(self._file.fileno(), begin * self._row_bytes, n * self._row_bytes)
        return mapping.array(self._dtype, (n, *self._row))
