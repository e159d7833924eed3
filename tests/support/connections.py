"""Rules of connectivity for tests, and networks to use them on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from pynn_sparse.engine.building import connect
from pynn_sparse.engine.building.connect import Rows


def pairs(rows: Rows) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Source and target of each connection."""
    source = np.repeat(np.arange(len(rows.row_start) - 1), np.diff(rows.row_start))
    return source, rows.target.astype(np.int64)


def matrix(rows: Rows, n_target: int) -> NDArray[np.int64]:
    """Number of connections from each source to each target."""
    made = np.zeros((len(rows.row_start) - 1, n_target), np.int64)
    np.add.at(made, pairs(rows), 1)
    return made


def same(a: Rows, b: Rows) -> bool:
    return (
        a.target.dtype == b.target.dtype
        and np.array_equal(a.row_start, b.row_start)
        and np.array_equal(a.target, b.target)
    )


def onto_part(rows: Rows, first: int, end: int) -> Rows:
    """The connections onto some of the targets."""
    source, target = pairs(rows)
    mine = (target >= first) & (target < end)
    counts = np.bincount(source[mine], minlength=len(rows.row_start) - 1)
    return Rows(connect.starts_of(counts), rows.target[mine])


# Rule -> (n_source, n_target, number, seed, threads or builder, skip_self, onto=None) -> rows
MADE: dict[str, Callable[..., Rows]] = {
    "probability": lambda m, k, n, seed, by, skip, onto=None: connect.fixed_probability(
        m, k, n / max(m, k), seed, by, skip_self=skip, onto=onto
    ),
    "post": lambda m, k, n, seed, by, skip, onto=None: connect.fixed_number_post(
        m, k, min(n, k - 1), seed, by, skip_self=skip, onto=onto
    ),
    "post replaced": lambda m, k, n, seed, by, skip, onto=None: connect.fixed_number_post(
        m, k, n, seed, by, with_replacement=True, skip_self=skip, onto=onto
    ),
    "pre": lambda m, k, n, seed, by, skip, onto=None: connect.fixed_number_pre(
        m, k, max(0, min(n, m - 1)), seed, by, skip_self=skip, onto=onto
    ),
    "pre replaced": lambda m, k, n, seed, by, skip, onto=None: connect.fixed_number_pre(
        m, k, n, seed, by, with_replacement=True, skip_self=skip, onto=onto
    ),
    "total": lambda m, k, n, seed, by, skip, onto=None: connect.fixed_total_number(
        m, k, 7 * n, seed, by, onto=onto
    ),
    "all": lambda m, k, n, seed, by, skip, onto=None: connect.all_to_all(
        m, k, by, skip_self=skip, onto=onto
    ),
}


@st.composite
def networks(draw: Any) -> tuple[int, int, int, NDArray[np.int64] | None]:
    """n_source, n_target, number, skip_self: views of one population, or two populations."""
    m, k = draw(st.integers(2, 200)), draw(st.integers(2, 200))
    n = draw(st.integers(0, max(m, k)))
    if draw(st.booleans()):
        return m, k, n, None
    skip = np.arange(m) + draw(st.integers(-m, k))
    skip[(skip < 0) | (skip >= k)] = -1
    return m, k, n, skip
