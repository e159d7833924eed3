"""Values of distributions drawn in the engine, for `NativeRNG`.

They need not be another backend's. Of numbered values, value i is a function of a seed of 64 bits
and of i. That of a synapse is a function of the seed, the source and the target, and of how many of
the synapses between these two come before it: so it is the same whoever draws it, with whichever
other synapses. The number of threads changes how long it takes, not what is drawn; nor does the
device.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ...errors import ParameterError
from .. import structures
from ..structures import filled
from .builder import MOST_CELLS, Builder, Work, builder_of, word
from .connect import Rows

MOST_STEPS = (1 << 16) - 1
STEP_TOLERANCE = 1e-6  # steps that a delay may lie outside its limits, an error of decimal values
LEAST_MASS = 1e-3  # of a clipped distribution inside its limits; below, too many draws are rejected

# Distribution -> its parameters, with PyNN's names, in the order of `Kind` in cuda/build/laws.h.
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


def draw(
    distribution: str,
    parameters: Mapping[str, float],
    n: int,
    seed: int,
    by: int | Builder,
    dtype: DTypeLike = np.float64,
) -> Any:
    """`n` values of a distribution, float64 or float32; value i is a function of (seed, i).

    `distribution` is one of `DRAWN`, with PyNN's parameters. As with NumPy, `high` of
    "uniform_int" is not drawn. Values are drawn as float64, then rounded if float32 is asked for.
    `by` is a number of threads of the host, or the builder on whose device the values are to be.
    """
    law, builder = _law(distribution, parameters), builder_of(by)
    values = _array(builder, n, dtype)
    work = Work(builder, structures.DRAW, law=law, seed=word(seed), n=n)
    work.record["wide"] = values.dtype == np.float64
    work.point(value=values).run("draw_values", n)
    return values


def draw_weights(
    distribution: str,
    parameters: Mapping[str, float],
    rows: Rows,
    seed: int,
    by: int | Builder,
    dtype: DTypeLike = np.float64,
) -> Any:
    """A value for each synapse, otherwise as `draw`; `by` is who has made the rows."""
    builder = builder_of(by)
    values = _array(builder, len(rows), dtype)
    work = drawing(distribution, parameters, rows, seed, builder, dtype)
    work.point(value=values).run("draw_weights", len(rows.row_start) - 1)
    return values


def drawing(
    distribution: str,
    parameters: Mapping[str, float],
    rows: Rows,
    seed: int,
    builder: Builder,
    dtype: DTypeLike,
) -> Work:
    """What `draw_weights` has done, without an array of values."""
    work = _of_synapses(_law(distribution, parameters), rows, seed, builder)
    work.record["wide"] = np.dtype(dtype) == np.float64
    return work


def draw_steps(
    distribution: str,
    parameters: Mapping[str, float],
    rows: Rows,
    seed: int,
    by: int | Builder,
    steps_per_ms: float,
    low: float,
    high: float,
) -> Any:
    """The values that `draw_weights` gives, times in ms, as numbers of steps, halves up.

    `low` and `high` are limits in steps, 0 <= low <= high <= 65535, for the values before they are
    rounded. The result is uint8 if `high` is at most 255, else uint16.
    """
    law, builder = _law(distribution, parameters), builder_of(by)
    if not (0 <= low <= high <= MOST_STEPS and 0 < steps_per_ms < math.inf):
        raise ParameterError(
            f"low = {low}, high = {high}, steps_per_ms = {steps_per_ms}: must be 0 <= low <= high "
            f"<= {MOST_STEPS} and a positive number of steps per ms"
        )
    n = len(rows)
    steps = builder.array(n, np.uint8 if high <= np.iinfo(np.uint8).max else np.uint16)
    limits = {"least": low - STEP_TOLERANCE, "most": high + STEP_TOLERANCE}
    range_ = filled(structures.STEP_RANGE, per_ms=steps_per_ms, **limits)
    work = _of_synapses(law, rows, seed, builder)
    work.record["range"], work.record["wide"] = range_, steps.dtype == np.uint16
    first_outside = builder.put(np.array([n]))
    work.point(value=steps, first_outside=first_outside)
    work.run("draw_steps", len(rows.row_start) - 1)
    first = int(builder.get(first_outside)[0])
    if first < n:
        outside = _one(distribution, parameters, rows, seed, builder, first)
        raise ParameterError(
            f"{outside:g} ms, drawn from {_described(distribution, parameters)}: must be "
            f"from {low / steps_per_ms:g} ms to {high / steps_per_ms:g} ms"
        )
    return steps


def greatest(distribution: str, parameters: Mapping[str, float], n: int) -> float:
    """About the greatest size that there is among n values."""
    _law(distribution, parameters)
    width = math.sqrt(2 * math.log(n + 1))
    if distribution == "exponential":
        return parameters["beta"] * math.log(n + 1)
    low, high = (parameters.get(name, sign * math.inf) for name, sign in (("low", -1), ("high", 1)))
    if "mu" in parameters:
        mu, around = parameters["mu"], width * parameters["sigma"]
        low, high = max(low, mu - around), min(high, mu + around)
    if distribution == "lognormal":
        low, high = 0.0, math.exp(min(high, 700.0))
    return max(abs(low), abs(high)) * (1 - 1e-9)  # the limit itself is not drawn


def _array(builder: Builder, n: int, dtype: DTypeLike) -> Any:
    values = builder.array(n, dtype)
    if values.dtype not in (np.float64, np.float32):
        raise ParameterError(f"dtype = {values.dtype}: must be float64 or float32")
    return values


def _of_synapses(law: NDArray[np.void], rows: Rows, seed: int, builder: Builder) -> Work:
    sizes = {"n": len(rows), "n_source": len(rows.row_start) - 1}
    wide = rows.target.dtype == np.uint32
    work = Work(builder, structures.DRAW, law=law, seed=word(seed), **sizes, wide_target=wide)
    return work.point(row_start=builder.put(rows.row_start), target=rows.target)


def _one(
    distribution: str,
    parameters: Mapping[str, float],
    rows: Rows,
    seed: int,
    builder: Builder,
    index: int,
) -> float:
    """The value of one synapse, for a message."""
    row = int(np.searchsorted(rows.row_start, index, side="right")) - 1
    first, end = rows.row_start[row : row + 2]
    starts = np.zeros(row + 2, np.int64)
    starts[-1] = end - first
    alone = Rows(starts, builder.get(rows.target)[first:end])
    return float(draw_weights(distribution, parameters, alone, seed, 1)[index - first])


def _law(distribution: str, parameters: Mapping[str, float]) -> NDArray[np.void]:
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
    kind = list(KINDS).index(distribution)
    limits = {"low": low, "high": high}
    return filled(structures.LAW, kind=kind, location=location, scale=scale, **limits)


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
