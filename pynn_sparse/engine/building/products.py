"""Sums of real numbers times weights, of many samples."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..structures import host_address
from ..toolchain.libraries import cpu_library


def add_products(
    total: NDArray[np.float64], values: NDArray[Any], matrix: NDArray[np.float64], threads: int
) -> None:
    """Add `values @ matrix` to `total`, with sums in the order of the matrix's rows.

    They are the same bits for a sample alone as among others, with any number of threads, and on
    any machine; weights and values that are 0 take no time.

    Args:
        total: [samples, targets], contiguous.
        values: [samples, sources].
        matrix: [sources, targets], finite.
        threads: of the CPU.
    """
    source, target = np.nonzero(matrix)
    begin = np.searchsorted(source, np.arange(len(matrix) + 1)).astype(np.int64)
    arrays = (
        np.ascontiguousarray(values, np.float64),
        begin,
        target.astype(np.int32),
        np.ascontiguousarray(matrix[source, target]),
    )
    value, *rows = (ctypes.c_void_p(host_address(each)) for each in arrays)
    sizes = (ctypes.c_int64(n) for n in (*arrays[0].shape, total.shape[1]))
    n_sample, n_source, n_target = sizes
    cpu_library().add_products(
        value,
        n_sample,
        n_source,
        *rows,
        n_target,
        ctypes.c_void_p(host_address(total)),
        ctypes.c_int32(threads),
    )
