"""What arguments are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .errors import ExportError


def is_integer(value: Any) -> bool:
    """Whether it is an integer, which truth values are not."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    """Whether it is a finite number, which truth values are not."""
    return is_integer(value) or (
        isinstance(value, (float, np.floating)) and math.isfinite(float(value))
    )


def integer(name: str, value: Any, least: int, most: int) -> int:
    """A plain integer of an argument. Raises `ExportError` unless it is one, `least` to `most`."""
    if not (is_integer(value) and least <= value <= most):
        raise ExportError(f"{name} = {value!r}: must be {least} to {most}, an integer")
    return int(value)


def one_of(name: str, value: Any, choices: Sequence[int]) -> int:
    """A plain integer of an argument. Raises `ExportError` unless it is one of `choices`."""
    if not (is_integer(value) and value in choices):
        raise ExportError(f"{name} = {value!r}: must be one of {', '.join(map(str, choices))}")
    return int(value)


def positive(name: str, value: Any) -> float:
    """A plain number of an argument. Raises `ExportError` unless it is one greater than 0."""
    if not (is_number(value) and value > 0):
        raise ExportError(f"{name} = {value!r}: must be a number greater than 0")
    return float(value)
