"""Where connections and values are made: threads of the CPU, or a GPU (`gpu_builder.py`).

What is made is the same. A piece of work is a structure of `cuda/build/work.h`, done by a function
of the CPU's library or by a kernel of the same name.
"""

from __future__ import annotations

import ctypes
import operator
from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ...errors import ParameterError
from ..structures import filled, host_address
from ..toolchain.libraries import cpu_library

MOST_CELLS = 1 << 32  # indices are stored in 32 bits, or fewer


class Work:
    """A structure of `cuda/build/work.h` for a builder, and the arrays that it points to.

    Fields that are not given are 0.
    """

    def __init__(self, builder: Builder, structure: np.dtype[Any], **fields: Any) -> None:
        self.builder = builder
        self.record = filled(structure, **fields)
        self._arrays: list[Any] = []

    def point(self, /, **arrays: Any) -> Work:
        """Enter arrays, which live as long as the work."""
        for name, array in arrays.items():
            self.record[name] = self.builder.address(array)
            self._arrays.append(array)
        return self

    def include(self, **parts: Work) -> Work:
        """Enter structures within this one."""
        for name, part in parts.items():
            self.record[name] = part.record
            self._arrays.append(part)
        return self

    def run(self, name: str, n: int) -> None:
        """Have it done by a function or kernel, for n rows or items."""
        self.builder.run(name, self.record, n)

    @property
    def pointer(self) -> ctypes.c_void_p:
        """The address of the record, as an argument of a function of the CPU's library."""
        return ctypes.c_void_p(self.record.ctypes.data)


class Builder(ABC):
    """Makes arrays, and does work on them. An array is opaque but for its shape and dtype."""

    @abstractmethod
    def array(self, shape: Any, dtype: DTypeLike) -> Any:
        """A new array, whose values are not defined."""

    @abstractmethod
    def zeros(self, shape: Any, dtype: DTypeLike) -> Any:
        """A new array of zeros."""

    @abstractmethod
    def put(self, array: NDArray[Any]) -> Any:
        """An array of the host, where the builder works."""

    @abstractmethod
    def get(self, array: Any) -> NDArray[Any]:
        """An array on the host."""

    @abstractmethod
    def address(self, array: Any) -> int:
        """What a structure holds of an array."""

    @abstractmethod
    def run(self, name: str, record: NDArray[np.void], n: int) -> None:
        """Call a function or kernel for a structure, with n rows or items."""

    @abstractmethod
    def connect(self, work: Work, n_source: int, dtype: DTypeLike) -> tuple[NDArray[np.int64], Any]:
        """Draw `n_source` rows, whose numbers of targets are given, or else probabilities.

        Returns where they begin, on the host, [n_source + 1], and their targets.
        """

    @abstractmethod
    def transpose(self, columns: Work, n_source: int, n: int) -> NDArray[np.int64]:
        """Turn columns of n connections into rows; return where these begin, [n_source + 1]."""


class HostBuilder(Builder):
    """Threads of this process; arrays are NumPy's."""

    def __init__(self, threads: int) -> None:
        if threads < 1:
            raise ParameterError(f"threads = {threads}: must be at least 1")
        self._threads = ctypes.c_int32(threads)

    def array(self, shape: Any, dtype: DTypeLike) -> NDArray[Any]:
        return np.empty(shape, dtype)

    def zeros(self, shape: Any, dtype: DTypeLike) -> NDArray[Any]:
        return np.zeros(shape, dtype)

    def put(self, array: NDArray[Any]) -> NDArray[Any]:
        return array

    def get(self, array: NDArray[Any]) -> NDArray[Any]:
        return array

    def address(self, array: NDArray[Any]) -> int:
        return host_address(array)

    def run(self, name: str, record: NDArray[np.void], n: int) -> None:
        getattr(cpu_library(), name)(ctypes.c_void_p(record.ctypes.data), self._threads)

    def call(self, name: str, *arguments: Any) -> None:
        """Call a function of the library, whose last argument is the number of threads."""
        getattr(cpu_library(), name)(*arguments, self._threads)

    def connect(
        self, work: Work, n_source: int, dtype: DTypeLike
    ) -> tuple[NDArray[np.int64], NDArray[Any]]:
        library, length = cpu_library(), np.empty(n_source, np.int64)
        work.record["wide"] = np.dtype(dtype) == np.uint32
        work.point(length=length)
        drawn = ctypes.c_void_p(library.connect_draw(work.pointer, self._threads))
        try:
            row_start = starts_of(length)
            target = np.empty(int(row_start[-1]), dtype)
            work.point(row_start=row_start, target=target)
        finally:
            library.connect_take(drawn, work.pointer, self._threads)
        return row_start, target

    def transpose(self, columns: Work, n_source: int, n: int) -> NDArray[np.int64]:
        row_start = np.empty(n_source + 1, np.int64)
        columns.point(row_start=row_start).run("connect_transpose", n)
        return row_start


def builder_of(by: int | Builder) -> Builder:
    """A builder, or that of as many threads."""
    return by if isinstance(by, Builder) else HostBuilder(by)


def starts_of(length: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where rows of given lengths, [n], begin and end: [n + 1]."""
    row_start = np.zeros(len(length) + 1, np.int64)
    np.cumsum(length, out=row_start[1:])
    return row_start


def word(seed: int) -> int:
    """A seed as an integer of 64 bits."""
    return operator.index(seed) & 0xFFFFFFFFFFFFFFFF
