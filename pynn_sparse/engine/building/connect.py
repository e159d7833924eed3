"""Connectivity made in the engine, for `NativeRNG`: it need not be another backend's.

All is a function of a seed of 64 bits. The number of threads changes how long it takes, not what is
made; nor does the device (`cuda/core/draws.h` says how). Connections and values (`laws.py`) of one
seed are independent of each other, but two networks, or two sets of values, need two seeds.

`by` says who makes connections: a number of threads of the host, or the builder of a device, where
the targets are then.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ...errors import ParameterError
from .. import structures
from .builder import MOST_CELLS, Builder, Work, builder_of, starts_of, word

NARROW = 1 << 16  # targets of up to so many cells are stored in 16 bits


@dataclass(frozen=True, eq=False)
class Rows:
    """Connections by source; those of source s are ``target[row_start[s]:row_start[s + 1]]``.

    - `row_start`: int64 [n_source + 1], on the host;
    - `target`: uint16 [n] if there are at most 65536 targets, else uint32 [n]; indices from 0,
      ascending within a row.
    """

    row_start: NDArray[np.int64]
    target: Any

    def __len__(self) -> int:
        """Number of connections."""
        return int(self.row_start[-1])


# --- connectivity -----------------------------------------------------------------------------


def fixed_probability(
    n_source: int,
    n_target: int,
    p: float,
    seed: int,
    by: int | Builder,
    *,
    skip_self: NDArray[np.int64] | None = None,
) -> Rows:
    """Each possible connection is made with probability `p`, independently.

    `skip_self`, int64 [n_source]: the target that is the same cell as a source and that is not
    connected to it, or -1.
    """
    skip, builder = _checked(n_source, n_target, skip_self), builder_of(by)
    if not 0 <= p <= 1:
        raise ParameterError(f"p = {p}: a probability must be from 0 to 1")
    if p == 1:
        return _by_number(n_target, _limits(n_source, n_target, skip), skip, 0, builder)
    if p == 0:
        return _empty(builder, np.zeros(n_source + 1, np.int64), n_target)
    work = _work(n_source, n_target, skip, seed, builder, p=p)
    length = builder.array(n_source, np.int64)
    work.point(length=length).run("connect_row_lengths", n_source)
    rows = _empty(builder, starts_of(builder.get(length)), n_target)
    _enter(work, rows)
    work.run("connect_by_probability", n_source)
    return rows


def fixed_number_post(
    n_source: int,
    n_target: int,
    n: int,
    seed: int,
    by: int | Builder,
    *,
    with_replacement: bool = False,
    skip_self: NDArray[np.int64] | None = None,
) -> Rows:
    """Each source is connected to `n` targets; `skip_self` as in `fixed_probability`.

    Without replacement each subset of n targets is equally likely; with, each target is drawn
    from all.
    """
    skip = _checked(n_source, n_target, skip_self)
    least = int(_limits(n_source, n_target, skip).min(initial=n_target))
    n = _possible(n, least if n_source else n, with_replacement, "targets")
    length = np.full(n_source, n)
    return _by_number(n_target, length, skip, seed, builder_of(by), with_replacement)


def fixed_number_pre(
    n_source: int,
    n_target: int,
    n: int,
    seed: int,
    by: int | Builder,
    *,
    with_replacement: bool = False,
    skip_self: NDArray[np.int64] | None = None,
) -> Rows:
    """Each target is connected from `n` sources, otherwise as `fixed_number_post`."""
    skip = _inverse(_checked(n_source, n_target, skip_self), n_target)
    least = int(_limits(n_target, n_source, skip).min(initial=n_source))
    n = _possible(n, least if n_target else n, with_replacement, "sources")
    builder = builder_of(by)
    each = np.full(n_target, n)
    columns = _by_number(n_source, each, skip, seed, builder, with_replacement, dtype=np.uint32)
    return _transposed(columns.target, n_source, n_target, n, builder)


def fixed_total_number(n_source: int, n_target: int, n: int, seed: int, by: int | Builder) -> Rows:
    """`n` connections in all, each between a source and a target drawn from all.

    Several may join the same two cells. First the source of each is drawn, then the targets in
    each source's row: both ends are independent and uniform, as in pairs drawn one by one.
    """
    _checked(n_source, n_target, None)
    n = _possible(n, min(n_source, n_target), True, "sources and targets")
    builder = builder_of(by)
    count = builder.zeros(n_source, np.int64)
    draws = Work(builder, structures.SOURCE_COUNT, seed=word(seed), n=n, n_source=n_source)
    draws.point(count=count).run("connect_count_sources", n)
    return _by_number(n_target, builder.get(count), None, seed, builder, with_replacement=True)


def from_pairs(
    n_source: int,
    n_target: int,
    source: NDArray[np.int64],
    target: NDArray[np.int64],
    by: int | Builder = 1,
) -> Rows:
    """The connections between these pairs, in any order."""
    order = np.lexsort((target, source))
    row_start = starts_of(np.bincount(source, minlength=n_source))
    return Rows(row_start, builder_of(by).put(target[order].astype(_narrow(n_target))))


def all_to_all(
    n_source: int,
    n_target: int,
    by: int | Builder = 1,
    *,
    skip_self: NDArray[np.int64] | None = None,
) -> Rows:
    """Each source is connected to each target; `skip_self` as in `fixed_probability`."""
    skip = _checked(n_source, n_target, skip_self)
    return _by_number(n_target, _limits(n_source, n_target, skip), skip, 0, builder_of(by))


def one_to_one(n_source: int, n_target: int, by: int | Builder = 1) -> Rows:
    """Source i is connected to target i, as far as there are both."""
    _checked(n_source, n_target, None)
    row_start = starts_of((np.arange(n_source) < n_target).astype(np.int64))
    target = np.arange(row_start[-1], dtype=_narrow(n_target))
    return Rows(row_start, builder_of(by).put(target))


def _checked(
    n_source: int, n_target: int, skip_self: NDArray[np.int64] | None
) -> NDArray[np.int64] | None:
    """`skip_self` as the library reads it, after a check of the sizes; None if it skips nothing."""
    for name, size in (("n_source", n_source), ("n_target", n_target)):
        if not 0 <= size <= MOST_CELLS:
            raise ParameterError(f"{name} = {size}: must be from 0 to {MOST_CELLS}")
    if skip_self is None:
        return None
    skip = np.ascontiguousarray(skip_self, np.int64)
    if skip.shape != (n_source,):
        raise ParameterError(f"skip_self has the shape {skip.shape}: must be ({n_source},)")
    bad = skip[(skip < -1) | (skip >= n_target)]
    if bad.size:
        raise ParameterError(f"skip_self has {bad[0]}: must be from -1 to {n_target - 1}")
    return skip


def _limits(n_source: int, n_target: int, skip: NDArray[np.int64] | None) -> NDArray[np.int64]:
    """Number of different targets that each source may have, [n_source]."""
    limits = np.full(n_source, n_target)
    return limits if skip is None else limits - (skip >= 0)


def _possible(n: int, limit: int, with_replacement: bool, what: str) -> int:
    """A number of connections per cell, if so many can be made."""
    n = operator.index(n)
    if n < 0:
        raise ParameterError(f"n = {n}: must not be negative")
    if n > limit and not (with_replacement and limit):
        among = f"{limit} different {what}" if limit else f"no {what}"
        raise ParameterError(f"n = {n}: must be at most {limit}, since there are {among}")
    return n


def _inverse(skip: NDArray[np.int64] | None, n_target: int) -> NDArray[np.int64] | None:
    """For each target the source that is the same cell, or -1."""
    if skip is None:
        return None
    source = np.flatnonzero(skip >= 0)
    inverse = np.full(n_target, -1)
    inverse[skip[source]] = source
    if np.any(inverse[skip[source]] != source):
        raise ParameterError("skip_self names a target twice: two sources cannot be the same cell")
    return inverse


def _by_number(
    n_target: int,
    length: NDArray[np.int64],
    skip: NDArray[np.int64] | None,
    seed: int,
    builder: Builder,
    with_replacement: bool = False,
    dtype: DTypeLike | None = None,
) -> Rows:
    """Rows of the given lengths, [n_source]."""
    rows = _empty(builder, starts_of(length), n_target, dtype)
    if not len(rows):
        return rows
    kind = {"with_replacement": with_replacement}
    work = _work(len(length), n_target, skip, seed, builder, **kind)
    work.record["shortest"], work.record["longest"] = length.min(), length.max()
    _enter(work, rows)
    builder.by_number(work, len(length))
    return rows


def _work(
    n_source: int,
    n_target: int,
    skip: NDArray[np.int64] | None,
    seed: int,
    builder: Builder,
    **kind: Any,
) -> Work:
    """Rows to draw, without the arrays that they are drawn into."""
    sizes = {"n_source": n_source, "n_target": n_target}
    request = Work(builder, structures.REQUEST, seed=word(seed), **sizes, **kind)
    if skip is not None:
        request.point(self=builder.put(skip))
    return Work(builder, structures.CONNECT).include(request=request)


def _enter(work: Work, rows: Rows) -> None:
    """Enter the rows that are to be drawn."""
    work.record["wide"] = rows.target.dtype == np.uint32
    work.point(row_start=work.builder.put(rows.row_start), target=rows.target)


def _narrow(n_target: int) -> DTypeLike:
    """The type of indices of so many targets."""
    return np.uint16 if n_target <= NARROW else np.uint32


def _empty(
    builder: Builder, row_start: NDArray[np.int64], n_target: int, dtype: DTypeLike | None = None
) -> Rows:
    """Rows whose targets are yet to be filled in."""
    return Rows(row_start, builder.array(int(row_start[-1]), dtype or _narrow(n_target)))


def _transposed(
    source: Any, n_source: int, n_target: int, per_target: int, builder: Builder
) -> Rows:
    """Rows from columns, uint32 [n_target * per_target], that hold the sources of each target."""
    n = n_target * per_target
    target = builder.array(n, _narrow(n_target))
    sizes = {"n_column": n_target, "per_column": per_target, "n_source": n_source}
    columns = Work(builder, structures.COLUMNS, **sizes, wide=target.dtype == np.uint32)
    columns.point(source=source, target=target)
    return Rows(builder.transpose(columns, n_source, n), target)
