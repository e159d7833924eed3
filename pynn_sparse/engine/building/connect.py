"""Connectivity made in the engine, for `NativeRNG`: it need not be another backend's.

All is a function of a seed of 64 bits. The number of threads changes how long it takes, not what is
made; nor does the device (`cuda/core/draws.h` says how). Connections and values (`laws.py`) of one
seed are independent of each other, but two networks, or two sets of values, need two seeds.

Whoever wants connections onto some targets alone draws these alone: a row's targets are drawn in
chunks, each by random numbers of its own, and where a row has a given number of targets, that is
divided among the chunks before. So processes that share the targets make one network.

`by` says who makes connections: a number of threads of the host, or the builder of a device, where
the targets are then. `onto` are the first of the targets that are wanted, and the one after the
last; None for all.
"""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ...errors import ParameterError
from .. import structures
from .builder import MOST_CELLS, Builder, Work, builder_of, starts_of, word

NARROW = 1 << 16  # targets of up to so many cells are stored in 16 bits
LEAST_CHUNK = 64  # targets; as many as stripes of processes have at least
PER_CHUNK = 64  # connections of a row that chunks have at least, on average
MOST_CHUNK = 1 << 32
Onto = tuple[int, int] | None


@dataclass(frozen=True, eq=False)
class Rows:
    """Connections by source; those of source s are ``target[row_start[s]:row_start[s + 1]]``.

    Sources and targets are numbered from 0 also where there are connections onto some alone.

    - `row_start`: int64 [n_source + 1], on the host;
    - `target`: uint16 [n] if there are at most 65536 targets, else uint32 [n]; ascending within a
      row.
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
    onto: Onto = None,
) -> Rows:
    """Each possible connection is made with probability `p`, independently.

    `skip_self`, int64 [n_source]: the target that is the same cell as a source and that is not
    connected to it, or -1.
    """
    skip, builder = _checked(n_source, n_target, skip_self), builder_of(by)
    if not 0 <= p <= 1:
        raise ParameterError(f"p = {p}: a probability must be from 0 to 1")
    if p == 1:
        return all_to_all(n_source, n_target, builder, skip_self=skip, onto=onto)
    if p == 0:
        none = builder.array(0, _narrow(n_target))
        return Rows(np.zeros(n_source + 1, np.int64), none)
    ends = n_source, n_target, skip, onto
    work = _work(*ends, seed, builder, p * n_target, p=p)
    return Rows(*builder.connect(work, n_source, _narrow(n_target)))


def fixed_number_post(
    n_source: int,
    n_target: int,
    n: int,
    seed: int,
    by: int | Builder,
    *,
    with_replacement: bool = False,
    skip_self: NDArray[np.int64] | None = None,
    onto: Onto = None,
) -> Rows:
    """Each source is connected to `n` targets; `skip_self` as in `fixed_probability`.

    Without replacement each subset of n targets is equally likely; with, each target is drawn
    from all.
    """
    skip = _checked(n_source, n_target, skip_self)
    least = int(_limits(n_source, n_target, skip).min(initial=n_target))
    n = _possible(n, least if n_source else n, with_replacement, "targets")
    number = np.full(n_source, n)
    return _by_number(n_target, number, skip, seed, builder_of(by), with_replacement, onto=onto)


def fixed_number_pre(
    n_source: int,
    n_target: int,
    n: int,
    seed: int,
    by: int | Builder,
    *,
    with_replacement: bool = False,
    skip_self: NDArray[np.int64] | None = None,
    onto: Onto = None,
) -> Rows:
    """Each target is connected from `n` sources, otherwise as `fixed_number_post`."""
    skip = _inverse(_checked(n_source, n_target, skip_self), n_target)
    least = int(_limits(n_target, n_source, skip).min(initial=n_source))
    n = _possible(n, least if n_target else n, with_replacement, "sources")
    first, end = _range(n_target, onto)
    skip, builder = skip if skip is None else skip[first:end], builder_of(by)
    each = np.full(end - first, n)  # a column for each target
    columns = _by_number(
        *(n_source, each, skip, seed, builder, with_replacement),
        first_source=first,
        dtype=np.uint32,
    )
    return _transposed(columns.target, n_source, n_target, n, builder, (first, end))


def fixed_total_number(
    n_source: int, n_target: int, n: int, seed: int, by: int | Builder, *, onto: Onto = None
) -> Rows:
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
    return _by_number(n_target, builder.get(count), None, seed, builder, True, onto=onto)


def from_pairs(
    n_source: int,
    n_target: int,
    source: NDArray[np.int64],
    target: NDArray[np.int64],
    by: int | Builder = 1,
    *,
    onto: Onto = None,
) -> Rows:
    """The connections between these pairs, in any order."""
    first, end = _range(n_target, onto)
    if (first, end) != (0, n_target):
        mine = (target >= first) & (target < end)
        source, target = source[mine], target[mine]
    order = np.lexsort((target, source))
    row_start = starts_of(np.bincount(source, minlength=n_source))
    return Rows(row_start, builder_of(by).put(target[order].astype(_narrow(n_target))))


def all_to_all(
    n_source: int,
    n_target: int,
    by: int | Builder = 1,
    *,
    skip_self: NDArray[np.int64] | None = None,
    onto: Onto = None,
) -> Rows:
    """Each source is connected to each target; `skip_self` as in `fixed_probability`."""
    skip = _checked(n_source, n_target, skip_self)
    number = _limits(n_source, n_target, skip)
    return _by_number(n_target, number, skip, 0, builder_of(by), onto=onto)


def one_to_one(n_source: int, n_target: int, by: int | Builder = 1, *, onto: Onto = None) -> Rows:
    """Source i is connected to target i, as far as there are both."""
    _checked(n_source, n_target, None)
    first, end = _range(min(n_source, n_target), onto)
    source = np.arange(n_source)
    row_start = starts_of(((source >= first) & (source < end)).astype(np.int64))
    target = np.arange(first, end).astype(_narrow(n_target))
    return Rows(row_start, builder_of(by).put(target))


def _range(n_target: int, onto: Onto) -> tuple[int, int]:
    """The targets that are wanted, of so many."""
    first, end = (0, n_target) if onto is None else onto
    end = min(end, n_target)
    return min(first, end), end


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
    number: NDArray[np.int64],
    skip: NDArray[np.int64] | None,
    seed: int,
    builder: Builder,
    with_replacement: bool = False,
    *,
    onto: Onto = None,
    first_source: int = 0,
    dtype: DTypeLike | None = None,
) -> Rows:
    """Rows of the given numbers of targets, [n_source], as far as these are wanted."""
    n_source, longest = len(number), int(number.max(initial=0))
    kind = {"with_replacement": with_replacement, "first_source": first_source}
    work = _work(n_source, n_target, skip, onto, seed, builder, longest, **kind)
    work.record["longest"] = longest
    work.point(number=builder.put(number))
    return Rows(*builder.connect(work, n_source, dtype or _narrow(n_target)))


def _work(
    n_source: int,
    n_target: int,
    skip: NDArray[np.int64] | None,
    onto: Onto,
    seed: int,
    builder: Builder,
    each: float,
    **kind: Any,
) -> Work:
    """Rows to draw, about `each` connections in a whole one, without what they are drawn into."""
    first, end = _range(n_target, onto)
    sizes = {"n_source": n_source, "n_target": n_target, "first": first, "end": end}
    sizes["chunk"] = chunk_size(n_target, each)
    request = Work(builder, structures.REQUEST, seed=word(seed), **sizes, **kind)
    if skip is not None:
        request.point(self=builder.put(skip))
    return Work(builder, structures.CONNECT).include(request=request)


def chunk_size(n_target: int, each: float) -> int:
    """Number of targets in a chunk, for rows that have about `each` connections.

    It is a power of two: fewer connections in a chunk would take longer to draw, more would have
    processes draw more that is not theirs, at the borders of what they have.
    """
    if each <= 0:
        return MOST_CHUNK
    least = min(max(LEAST_CHUNK, PER_CHUNK * n_target / each), MOST_CHUNK)
    return 1 << (math.ceil(least) - 1).bit_length()


def _narrow(n_target: int) -> DTypeLike:
    """The type of indices of so many targets."""
    return np.uint16 if n_target <= NARROW else np.uint32


def _transposed(
    source: Any,
    n_source: int,
    n_target: int,
    per_target: int,
    builder: Builder,
    onto: tuple[int, int],
) -> Rows:
    """Rows from columns, uint32 [targets * per_target], that hold the sources of each target."""
    first, end = onto
    n = (end - first) * per_target
    target = builder.array(n, _narrow(n_target))
    sizes = {"n_column": end - first, "first_column": first, "per_column": per_target}
    wide = {"n_source": n_source, "wide": target.dtype == np.uint32}
    columns = Work(builder, structures.COLUMNS, **sizes, **wide)
    columns.point(source=source, target=target)
    return Rows(builder.transpose(columns, n_source, n), target)
