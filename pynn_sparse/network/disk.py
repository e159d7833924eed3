"""Arrays that grow on disk, for what was recorded and is not to be held in memory."""

from __future__ import annotations

import tempfile
import weakref
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


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
        offset = begin * self._row_bytes
        mapped: Any = np.memmap(self._file, self._dtype, "c", offset, (n, *self._row))
        return np.asarray(mapped)
