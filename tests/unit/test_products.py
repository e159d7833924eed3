"""Sums of samples times weights are in the order of sources, whatever is beside them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pynn_sparse.engine.building.products import add_products

RNG = np.random.default_rng(5)
FULL = RNG.normal(size=(30, 9))
MATRICES = {
    "full": FULL,
    "sparse": np.where(RNG.random((30, 9)) < 0.2, FULL, 0.0),
    "of columns side by side": np.where(
        abs(np.arange(9) - np.arange(30)[:, None] / 3) < 2, FULL, 0
    ),
    "empty": np.zeros((30, 9)),
}
VALUES = np.where(RNG.random((40, 30)) < 0.6, RNG.normal(size=(40, 30)), 0.0)


def in_order(values: NDArray[Any], matrix: NDArray[Any]) -> NDArray[Any]:
    total = np.zeros((len(values), matrix.shape[1]))
    for source in range(len(matrix)):
        total += values[:, source, None] * matrix[source]
    return total


@pytest.mark.parametrize("name", MATRICES)
def test_sums_are_in_the_order_of_sources(name: str) -> None:
    matrix = MATRICES[name]
    expected = in_order(VALUES, matrix)
    for threads in (1, 2):
        together = np.zeros_like(expected)
        add_products(together, VALUES, matrix, threads)
        assert np.array_equal(together, expected)
    alone = np.ones((1, 9))
    add_products(alone, VALUES[7:8], matrix, 1)
    assert alone == pytest.approx(1 + expected[7:8])


def test_a_team_of_threads_gives_the_same() -> None:
    values = np.tile(VALUES, (200, 1))  # which is work for several
    found = np.zeros((len(values), 9))
    add_products(found, values, FULL, 3)
    assert np.array_equal(found, np.tile(in_order(VALUES, FULL), (200, 1)))
