"""Plain numbers from whatever users hold them in: units are converted, nothing is lost silently."""

from __future__ import annotations

import itertools
import numbers
from collections.abc import Iterator, Mapping, Set
from decimal import Decimal
from typing import Any

import numpy as np
import quantities as pq
from numpy.typing import NDArray

PLAIN = {float, int, np.float64, np.float32, np.int64, np.int32}
WITHOUT_UNIT = {*PLAIN, np.ndarray, list, tuple}
TEXT = (str, bytes, bytearray)
MOST_ITEMS = 10**8  # of a list; more neurons have their values in an array


class NotNumbersError(Exception):
    """A value is not a number, or not a plausible one; the text says why, and may be empty."""

    def instead_of(self, what: str) -> str:
        """What the value must be, and why it is not."""
        return f"{what} ({self})" if str(self) else what


def has_items(value: Any) -> bool:
    """Whether the value is a list, an array or the like, not a single number or something else."""
    if isinstance(value, np.ndarray):
        return value.ndim > 0
    if isinstance(value, (list, tuple, range)):
        return True
    if isinstance(value, (*TEXT, Mapping, Set, Iterator, numbers.Number, type, memoryview)):
        return False
    if hasattr(type(value), "__array__"):
        return bool(getattr(value, "ndim", 0))
    # Its class's own: members of an Enum have none, but what Enum inherits from has.
    return all(
        any(name in vars(each) for each in type(value).__mro__)
        for name in ("__len__", "__getitem__")
    )


def number_of(value: Any, unit: str | None = "") -> float:
    """The number that a value is, in that unit. Raises NotNumbersError."""
    if type(value) is float:
        return value
    if isinstance(value, (bool, np.bool_)):
        raise NotNumbersError("True and False are not numbers")
    if has_unit(value):
        value = in_unit(value, unit)
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        raise NotNumbersError("it is masked")
    if isinstance(value, np.ndarray) and value.ndim == 0:
        return number_of(value[()] if value.dtype != object else value.item(), unit)
    if isinstance(value, (complex, np.complexfloating)):
        raise NotNumbersError("it is complex")
    if not _is_a_number(value):
        raise NotNumbersError(_kind(value))
    try:
        return float(value)
    except OverflowError as error:
        raise NotNumbersError("it is too large") from error
    except Exception as error:  # whatever somebody else's class raises
        raise NotNumbersError(_kind(value)) from error


def _is_a_number(value: Any) -> bool:
    if isinstance(value, (np.timedelta64, np.datetime64, *TEXT, type)):
        return False
    return isinstance(value, (numbers.Real, Decimal)) or hasattr(type(value), "__float__")


def _kind(value: Any) -> str:
    if value is None:
        return ""
    advice = "; list(...) makes a list of it" if isinstance(value, (Iterator, Set)) else ""
    return f"it is of type {type(value).__name__}{advice}"


def as_array(value: Any, unit: str | None = "") -> NDArray[np.float64]:
    """The numbers of a list or an array, float64, a copy. Raises NotNumbersError."""
    if has_unit(value):
        value = in_unit(value, unit)
    if isinstance(value, np.ma.MaskedArray):
        if np.ma.is_masked(value):
            raise NotNumbersError("some are masked")
        value = value.data
    if not isinstance(value, np.ndarray) and hasattr(type(value), "__array__"):
        value = _converted(value)
    if isinstance(value, np.ndarray) and value.dtype != object:
        return array_of(value)
    return _from_items(value, unit)


def _converted(value: Any) -> NDArray[Any]:
    try:
        return np.asarray(value)
    except Exception as error:  # whatever somebody else's class raises
        raise NotNumbersError(_kind(value)) from error


def array_of(value: NDArray[Any]) -> NDArray[np.float64]:
    """A copy of an array of integers or floating-point numbers. Raises NotNumbersError."""
    kind = value.dtype.kind
    if kind == "b":
        raise NotNumbersError("True and False are not numbers")
    if kind == "c":
        raise NotNumbersError("they are complex")
    if kind not in "iuf":
        raise NotNumbersError(f"they are of type {value.dtype}")
    try:
        return np.array(value, np.float64)
    except MemoryError as error:
        raise NotNumbersError("there are more than fit into memory") from error


def _from_items(value: Any, unit: str | None) -> NDArray[np.float64]:
    items = items_of(value)
    if _is_plain(items):
        try:
            return np.array(items, np.float64)
        except OverflowError as error:
            raise NotNumbersError("one is too large") from error
    try:
        rows = [as_array(each, unit) if has_items(each) else None for each in items]
    except RecursionError as error:
        raise NotNumbersError("its items are nested too deeply") from error
    if any(row is not None for row in rows):
        return _stacked(rows)
    return np.array([number_of(each, unit) for each in items], np.float64)


def items_of(value: Any) -> list[Any]:
    """The items of what `has_items`. Raises NotNumbersError."""
    if not isinstance(value, np.ndarray) and hasattr(type(value), "__array__"):
        value = _converted(value)
    try:
        if len(value) > MOST_ITEMS:
            raise NotNumbersError(f"it has more than {MOST_ITEMS:,} items")
        return list(itertools.islice(value, len(value)))
    except Exception as error:  # whatever somebody else's class raises
        if isinstance(error, NotNumbersError):
            raise
        raise NotNumbersError(_kind(value)) from error


def _is_plain(items: list[Any]) -> bool:
    """Whether items are plain numbers, or rows of equally many of them."""
    kinds = set(map(type, items))
    if items and kinds <= {list, tuple} and len(set(map(len, items))) == 1:
        kinds = set(map(type, itertools.chain.from_iterable(items)))
        return bool(kinds) and kinds <= PLAIN
    return kinds <= PLAIN


def _stacked(rows: list[NDArray[np.float64] | None]) -> NDArray[np.float64]:
    shapes = {None if row is None else row.shape for row in rows}
    if len(shapes) > 1:
        raise NotNumbersError("its items are of different lengths")
    return np.array(rows, np.float64)


def has_unit(value: Any) -> bool:
    """Whether the value is a quantity, of `quantities` or another package."""
    if type(value) in WITHOUT_UNIT:
        return False
    if isinstance(value, pq.Quantity):
        return True
    names = ("units", "unit", "dim")  # of other packages' quantities, as properties of the class
    return any(not callable(getattr(type(value), name, callable)) for name in names)


def in_unit(value: Any, unit: str | None) -> Any:
    """The number or array that a quantity is in that unit. Raises NotNumbersError."""
    if not isinstance(value, pq.Quantity):
        raise NotNumbersError(
            f"it has a unit, of {type(value).__module__.partition('.')[0]}; give a number without "
            "unit, or a quantity of the package quantities"
        )
    if unit is None:
        raise NotNumbersError("its unit is not known; give a number without unit")
    wanted = f"1{unit}" if unit.startswith("/") else unit or "dimensionless"
    try:
        return value.rescale(wanted).magnitude
    except Exception as error:
        raise NotNumbersError(
            f"its unit, {value.dimensionality.string}, cannot be converted to {wanted}"
        ) from error
