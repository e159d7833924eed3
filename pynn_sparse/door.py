"""The door of what is not PyNN's API: arguments are what they must be, or an error says what.

The messages have one form, that of `pynn_sparse.backend.doors`:

    NAME = VALUE: must be ...
"""

from __future__ import annotations

import math
import os
import reprlib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Kind = TypeVar("Kind")

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 60


def shown(value: Any) -> str:
    """A value as a message shows it: one short line."""
    if isinstance(value, np.generic):
        value = value.item()
    try:
        if type(value) is np.ndarray and value.dtype != object and value.size < 1000:
            return _SHORT.repr(value.tolist())
        return " ".join(_SHORT.repr(value).split())
    except Exception:  # whatever the __repr__ of somebody else's class raises
        return f"<{type(value).__name__}>"


def is_integer(value: Any) -> bool:
    """Whether it is an integer, which truth values and NumPy's times are not."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, (bool, np.timedelta64))


def is_number(value: Any) -> bool:
    """Whether it is a finite number, which truth values are not, and fits into a float."""
    if not is_integer(value) and not isinstance(value, (float, np.floating)):
        return False
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False


@dataclass(frozen=True)
class Door:
    """What checks arguments. Each method gives the value, plain, or raises `error`."""

    error: type[Exception]

    def refused(self, name: str, value: Any, must: str) -> Exception:
        """The error that says what would be valid."""
        return self.error(f"{name} = {shown(value)}: must be {must}")

    def instance(self, name: str, value: Kind, kind: Any, must: str) -> Kind:
        """An object of a class."""
        if not isinstance(value, kind):
            raise self.refused(name, value, must)
        return value

    def integer(self, name: str, value: Any, least: int, most: int | None = None) -> int:
        """An integer from `least` to `most`."""
        if not is_integer(value) or value < least or (most is not None and value > most):
            limits = f"{least} or greater" if most is None else f"{least} to {most}"
            raise self.refused(name, value, f"{limits}, an integer")
        return int(value)

    def number(self, name: str, value: Any, must: str, holds: Callable[[float], bool]) -> float:
        """A finite number for which a condition holds."""
        if not is_number(value) or not holds(float(value)):
            raise self.refused(name, value, must)
        return float(value)

    def positive(self, name: str, value: Any) -> float:
        """A finite number greater than 0."""
        return self.number(name, value, "a number greater than 0", lambda number: number > 0)

    def flag(self, name: str, value: Any) -> bool:
        """True or False."""
        if not isinstance(value, (bool, np.bool_)):
            raise self.refused(name, value, "True or False")
        return bool(value)

    def one_of(self, name: str, value: Any, choices: Collection[Any], more: str = "") -> Any:
        """One of some words or integers."""
        known = isinstance(value, str) or is_integer(value)
        if not known or value not in choices:
            raise self.refused(name, value, f"one of {', '.join(map(str, choices))}{more}")
        return str(value) if isinstance(value, str) else int(value)

    def names(self, name: str, value: Any, known: Iterable[str]) -> tuple[str, ...]:
        """A list of some of the names that are known."""
        if isinstance(value, str):
            raise self.refused(name, value, f'a list of names, ["{shown(value)[1:-1]}"]')
        plain = isinstance(value, (list, tuple, set, frozenset))
        if not plain or not all(isinstance(each, str) for each in value):
            raise self.refused(name, value, "a list of names; [] for none")
        for each in value:
            if each not in known:
                raise self.refused(name, each, f"of {', '.join(known)}")
        return tuple(value)

    def items(self, name: str, value: Any, must: str) -> list[Any]:
        """The items of a list, a tuple, a range or an array, of which there must be some."""
        one = isinstance(value, np.ndarray) and value.ndim != 1
        if one or not isinstance(value, (list, tuple, range, np.ndarray)) or not len(value):
            raise self.refused(name, value, f"a list of {must}, at least one")
        return list(value)

    def several(self, name: str, value: Any) -> list[Any]:
        """The items of anything that has some, also of what gives them one by one."""
        if isinstance(value, (str, bytes, bytearray, type)):
            raise self.refused(name, value, "a list, or what gives its items one by one")
        try:
            return list(value)
        except TypeError as error:
            must = "a list, or what gives its items one by one"
            raise self.refused(name, value, must) from error

    def mapping(self, name: str, value: Mapping[Any, Any], must: str) -> Mapping[Any, Any]:
        """A dictionary, or the like."""
        return self.instance(name, value, Mapping, must)

    def function(self, name: str, value: Any, must: str) -> Callable[..., Any]:
        """What can be called, and is no class."""
        if not callable(value) or isinstance(value, type):
            raise self.refused(name, value, must)
        return value  # type: ignore[no-any-return]

    def path(self, name: str, value: Any) -> Path:
        """The path of a file or folder."""
        must = "a path, as a string or a pathlib.Path"
        if not isinstance(value, (str, os.PathLike)) or not str(value):
            raise self.refused(name, value, must)
        path = Path(value)
        try:
            os.fsencode(path)
        except UnicodeError:
            raise self.refused(name, value, f"{must}, that files may have") from None
        if "\0" in str(path):
            raise self.refused(name, value, f"{must}, that files may have")
        return path

    def numbers(
        self, name: str, value: Any, must: str, shape: tuple[int, ...]
    ) -> NDArray[np.float64]:
        """An array of finite numbers of that shape."""
        array = as_numbers(value)
        if array is None or array.shape != shape or not np.isfinite(array).all():
            raise self.refused(name, value, must)
        return array


def as_numbers(value: Any, kinds: str = "iuf") -> NDArray[np.float64] | None:
    """The real numbers of an array, or of lists of lists; None for anything else.

    Complex numbers, texts, times, quantities and masked values are none, and arrays of truth values
    are only where `kinds` has "b".
    """
    several = value if isinstance(value, (list, tuple)) else ()
    if np.ma.is_masked(value) or any(hasattr(each, "units") for each in (value, *several)):
        return None
    if not isinstance(value, (list, tuple, range)) and not hasattr(type(value), "__array__"):
        return None
    try:
        array = np.asarray(value)
        return np.asarray(array, np.float64) if array.dtype.kind in kinds else None
    except Exception:  # of whatever class it is, NumPy cannot make numbers of it
        return None
