"""Connectivity and values drawn in the engine, for `NativeRNG`: they need not be another backend's.

All is a function of a seed of 64 bits. The number of threads changes how long it takes, not what is
made; nor does the machine (`cuda/draws.h` says how). Connections and values of one seed are
independent of each other, but two networks, or two sets of values, need two seeds.
"""

from __future__ import annotations

import ctypes
import math
import operator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ..errors import ParameterError
from .compile import cpu_library

MOST_CELLS = 1 << 32  # indices are stored in 32 bits, or fewer
NARROW = 1 << 16  # targets of up to so many cells are stored in 16 bits
MOST_STEPS = (1 << 16) - 1
STEP_TOLERANCE = 1e-6  # steps that a delay may lie outside its limits, an error of decimal values
LEAST_MASS = 1e-3  # of a clipped distribution inside its limits; below, too many draws are rejected

# Distribution -> its parameters, with PyNN's names, in the order of `Kind` in cuda/draw.cpp.
KINDS = {
    "uniform": ("low", "high"),
    "uniform_int": ("low", "high"),
    "normal": ("mu", "sigma"),
    "normal_clipped": ("mu", "sigma", "low", "high"),
    "normal_clipped_to_boundary": ("mu", "sigma", "low", "high"),
    "exponential": ("beta",),
    "lognormal": ("mu", "sigma"),
}
DRAWN = frozenset(KINDS)


@dataclass(frozen=True, eq=False)
class Rows:
    """Connections by source; those of source s are ``target[row_start[s]:row_start[s + 1]]``.

    - `row_start`: int64 [n_source + 1];
    - `target`: uint16 [n] if there are at most 65536 targets, else uint32 [n]; indices from 0,
      ascending within a row.
    """

    row_start: NDArray[np.int64]
    target: NDArray[np.uint16] | NDArray[np.uint32]


class _Request(ctypes.Structure):
    """`Request` of cuda/connect.cpp."""

    _fields_ = (
        ("seed", ctypes.c_uint64),
        ("n_source", ctypes.c_int64),
        ("n_target", ctypes.c_int64),
        ("self", ctypes.c_void_p),
        ("p", ctypes.c_double),
        ("threads", ctypes.c_int32),
        ("with_replacement", ctypes.c_int32),
    )


class _Law(ctypes.Structure):
    """`Law` of cuda/draw.cpp."""

    _fields_ = (
        ("kind", ctypes.c_int64),
        ("location", ctypes.c_double),
        ("scale", ctypes.c_double),
        ("low", ctypes.c_double),
        ("high", ctypes.c_double),
    )


class _StepRange(ctypes.Structure):
    """`StepRange` of cuda/draw.cpp."""

    _fields_ = tuple((name, ctypes.c_double) for name in ("per_ms", "least", "most"))


# --- connectivity -----------------------------------------------------------------------------


def fixed_probability(
    n_source: int,
    n_target: int,
    p: float,
    seed: int,
    threads: int,
    *,
    skip_self: NDArray[np.int64] | None = None,
) -> Rows:
    """Each possible connection is made with probability `p`, independently.

    `skip_self`, int64 [n_source]: the target that is the same cell as a source and that is not
    connected to it, or -1.
    """
    skip = _checked(n_source, n_target, skip_self)
    if not 0 <= p <= 1:
        raise ParameterError(f"p = {p}: a probability must be from 0 to 1")
    if p == 1:
        return _by_number(n_target, _limits(n_source, n_target, skip), skip)
    length = np.zeros(n_source, np.int64)
    if p == 0:
        return _empty(length, n_target)
    request = _Request(_word(seed), n_source, n_target, _address(skip), p, _count(threads))
    library = cpu_library()
    library.connect_row_lengths(ctypes.byref(request), _pointer(length))
    rows = _empty(length, n_target)
    library.connect_by_probability(
        ctypes.byref(request), _pointer(rows.row_start), *_wide(rows.target)
    )
    return rows


def fixed_number_post(
    n_source: int,
    n_target: int,
    n: int,
    seed: int,
    threads: int,
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
    return _by_number(n_target, length, skip, seed, threads, with_replacement)


def fixed_number_pre(
    n_source: int,
    n_target: int,
    n: int,
    seed: int,
    threads: int,
    *,
    with_replacement: bool = False,
    skip_self: NDArray[np.int64] | None = None,
) -> Rows:
    """Each target is connected from `n` sources, otherwise as `fixed_number_post`."""
    skip = _inverse(_checked(n_source, n_target, skip_self), n_target)
    least = int(_limits(n_target, n_source, skip).min(initial=n_source))
    n = _possible(n, least if n_target else n, with_replacement, "sources")
    columns = _by_number(
        n_source, np.full(n_target, n), skip, seed, threads, with_replacement, dtype=np.uint32
    )
    return _transposed(columns.target, n_source, n_target, n, threads)


def fixed_total_number(n_source: int, n_target: int, n: int, seed: int, threads: int) -> Rows:
    """`n` connections in all, each between a source and a target drawn from all.

    Several may join the same two cells. First the source of each is drawn, then the targets in
    each source's row: both ends are independent and uniform, as in pairs drawn one by one.
    """
    _checked(n_source, n_target, None)
    n = _possible(n, min(n_source, n_target), True, "sources and targets")
    parts = _parts(threads, n, n_source)
    count = np.zeros((parts, n_source), np.int64)
    cpu_library().connect_draw_sources(
        _word(seed), ctypes.c_int64(n), ctypes.c_int64(n_source), parts, _pointer(count)
    )
    return _by_number(n_target, count.sum(0), None, seed, threads, with_replacement=True)


def all_to_all(n_source: int, n_target: int, *, skip_self: NDArray[np.int64] | None = None) -> Rows:
    """Each source is connected to each target; `skip_self` as in `fixed_probability`."""
    skip = _checked(n_source, n_target, skip_self)
    return _by_number(n_target, _limits(n_source, n_target, skip), skip)


def one_to_one(n_source: int, n_target: int) -> Rows:
    """Source i is connected to target i, as far as there are both."""
    _checked(n_source, n_target, None)
    rows = _empty((np.arange(n_source) < n_target).astype(np.int64), n_target)
    rows.target[:] = np.arange(len(rows.target))
    return rows


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
    seed: int = 0,
    threads: int = 1,
    with_replacement: bool = False,
    dtype: DTypeLike | None = None,
) -> Rows:
    """Rows of the given lengths, [n_source]."""
    rows = _empty(length, n_target, dtype)
    request = _Request(
        _word(seed), len(length), n_target, _address(skip), 0, _count(threads), with_replacement
    )
    cpu_library().connect_by_number(
        ctypes.byref(request), _pointer(rows.row_start), *_wide(rows.target)
    )
    return rows


def _empty(length: NDArray[np.int64], n_target: int, dtype: DTypeLike | None = None) -> Rows:
    """Rows of given lengths, [n_source], whose targets are yet to be filled in."""
    row_start = np.zeros(len(length) + 1, np.int64)
    np.cumsum(length, out=row_start[1:])
    narrow = np.uint16 if n_target <= NARROW else np.uint32
    return Rows(row_start, np.empty(row_start[-1], dtype or narrow))


def _transposed(
    source: NDArray[Any], n_source: int, n_target: int, per_target: int, threads: int
) -> Rows:
    """Rows from columns, uint32 [n_target * per_target], that hold the sources of each target."""
    parts = _parts(threads, len(source), n_source)
    columns = (_pointer(source), ctypes.c_int64(n_target), ctypes.c_int64(per_target), parts)
    place = np.zeros((parts, n_source), np.int64)
    library = cpu_library()
    library.connect_count_sources(*columns, ctypes.c_int64(n_source), _pointer(place))
    rows = _empty(place.sum(0), n_target)
    # From how many of a row each part holds to where in the row it begins.
    ends = rows.row_start[1:].copy()
    for part in reversed(range(parts)):
        ends -= place[part]
        place[part] = ends
    library.connect_transpose(
        *columns, ctypes.c_int64(n_source), _pointer(place), *_wide(rows.target)
    )
    return rows


def _parts(threads: int, n: int, n_source: int) -> int:
    """Threads to count `n` synapses with: their counts take at most 4 bytes per synapse."""
    return max(1, min(_count(threads), n // (2 * n_source + 1)))


# --- values -----------------------------------------------------------------------------------


def draw(
    distribution: str,
    parameters: Mapping[str, float],
    n: int,
    seed: int,
    threads: int,
    dtype: DTypeLike = np.float64,
) -> NDArray[Any]:
    """`n` values of a distribution, float64 or float32; value i is a function of (seed, i).

    `distribution` is one of `DRAWN`, with PyNN's parameters. As with NumPy, `high` of
    "uniform_int" is not drawn. Values are drawn as float64, then rounded if float32 is asked for.
    """
    law = _law(distribution, parameters)
    values = np.empty(n, dtype)
    if values.dtype not in (np.float64, np.float32):
        raise ParameterError(f"dtype = {values.dtype}: must be float64 or float32")
    cpu_library().draw_values(
        ctypes.byref(law),
        _word(seed),
        ctypes.c_int64(n),
        _count(threads),
        values.dtype == np.float64,
        _pointer(values),
    )
    return values


def draw_steps(
    distribution: str,
    parameters: Mapping[str, float],
    n: int,
    seed: int,
    threads: int,
    steps_per_ms: float,
    low: float,
    high: float,
) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """The `n` values that `draw` gives, times in ms, as the nearest numbers of steps, halves up.

    `low` and `high` are limits in steps, 0 <= low <= high <= 65535, for the values before they are
    rounded. The result is uint8 if `high` is at most 255, else uint16.
    """
    law = _law(distribution, parameters)
    if not (0 <= low <= high <= MOST_STEPS and 0 < steps_per_ms < math.inf):
        raise ParameterError(
            f"low = {low}, high = {high}, steps_per_ms = {steps_per_ms}: must be 0 <= low <= high "
            f"<= {MOST_STEPS} and a positive number of steps per ms"
        )
    steps = np.empty(n, np.uint8 if high <= np.iinfo(np.uint8).max else np.uint16)
    limits = _StepRange(steps_per_ms, low - STEP_TOLERANCE, high + STEP_TOLERANCE)
    outside = ctypes.c_double()
    good = cpu_library().draw_steps(
        ctypes.byref(law),
        _word(seed),
        ctypes.c_int64(n),
        _count(threads),
        ctypes.byref(limits),
        steps.dtype == np.uint16,
        _pointer(steps),
        ctypes.byref(outside),
    )
    if not good:
        raise ParameterError(
            f"{outside.value:g} ms, drawn from {_described(distribution, parameters)}: must be "
            f"from {low / steps_per_ms:g} ms to {high / steps_per_ms:g} ms"
        )
    return steps


def _law(distribution: str, parameters: Mapping[str, float]) -> _Law:
    if distribution not in KINDS:
        known = ", ".join(KINDS)
        raise ParameterError(f"{distribution!r} is not drawn in the engine: must be one of {known}")
    if set(parameters) != set(KINDS[distribution]):
        raise ParameterError(
            f"{distribution!r} has the parameters {', '.join(KINDS[distribution])}; "
            f"got {', '.join(parameters) or 'none'}"
        )
    given = {name: float(value) for name, value in parameters.items()}
    problem = _problem(distribution, given)
    if problem:
        raise ParameterError(f"{_described(distribution, parameters)}: {problem}")
    low, high = given.get("low", -math.inf), given.get("high", math.inf)
    if distribution in ("uniform", "uniform_int"):
        location, scale = low, high - low
    else:
        location, scale = given.get("mu", 0.0), given.get("sigma", given.get("beta", 0.0))
    return _Law(list(KINDS).index(distribution), location, scale, low, high)


def _described(distribution: str, parameters: Mapping[str, float]) -> str:
    return f"{distribution}({', '.join(f'{name}={parameters[name]}' for name in parameters)})"


def _problem(distribution: str, given: dict[str, float]) -> str:
    """What is wrong with the parameters, or ''."""
    unbounded = ("low", "high") if distribution.startswith("normal_clipped") else ()
    for name, value in given.items():
        if math.isnan(value) or (math.isinf(value) and name not in unbounded):
            return f"{name} must be a finite number"
    for name in ("sigma", "beta"):
        if given.get(name, 0.0) < 0:
            return f"{name} must not be negative"
    low, high = given.get("low", -math.inf), given.get("high", math.inf)
    if low > high:
        return "low must not be above high"
    if distribution == "uniform_int":
        return _integer_problem(low, high)
    if distribution == "uniform" and math.isinf(high - low):
        return "the difference of low and high is too large"
    if distribution == "normal_clipped" and _mass(**given) < LEAST_MASS:
        return f"less than {LEAST_MASS:g} of the normal distribution lies between low and high"
    return ""


def _integer_problem(low: float, high: float) -> str:
    if not (low.is_integer() and high.is_integer() and max(abs(low), abs(high)) <= 2**53):
        return "low and high must be whole numbers of at most 2**53"
    if not 1 <= high - low <= MOST_CELLS:
        return f"high must be above low, by at most {MOST_CELLS}"
    return ""


def _mass(mu: float, sigma: float, low: float, high: float) -> float:
    """Probability that a normal value lies between low and high."""
    if sigma == 0:
        return float(low <= mu <= high)
    below, above = (low - mu) / (sigma * math.sqrt(2)), (high - mu) / (sigma * math.sqrt(2))
    if below > 0:  # the smaller tails, whose difference is accurate
        below, above = -above, -below
    return (math.erfc(-above) - math.erfc(-below)) / 2


# --- calling the library ----------------------------------------------------------------------


def _word(seed: int) -> ctypes.c_uint64:
    return ctypes.c_uint64(operator.index(seed) & 0xFFFFFFFFFFFFFFFF)


def _count(threads: int) -> int:
    if threads < 1:
        raise ParameterError(f"threads = {threads}: must be at least 1")
    return threads


def _pointer(array: NDArray[Any]) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


def _address(array: NDArray[Any] | None) -> int | None:
    return None if array is None else array.ctypes.data


def _wide(target: NDArray[Any]) -> tuple[bool, ctypes.c_void_p]:
    """Whether targets have 32 bits, and where they are."""
    return target.dtype == np.uint32, _pointer(target)
