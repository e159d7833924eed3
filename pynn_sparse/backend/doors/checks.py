"""Checks of what users give, with messages that say what would be valid."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Collection, Iterable
from typing import Any

import numpy as np

from pynn_sparse.door import is_integer

from ... import errors
from .parameters import shown
from .plain import NotNumbersError, number_of


class NonExistentParameterError(errors.NonExistentParameterError):
    """PyNN's error for a name that a model does not have, with a suggestion."""

    def __str__(self) -> str:
        known = ", ".join(self.valid_parameter_names)
        return (
            f"{shown(self.parameter_name)} is not a parameter of {self.model_name} "
            f"(valid parameters for {self.model_name} are: {known})"
            f"{did_you_mean(self.parameter_name, self.valid_parameter_names)}"
        )


class RecordingError(errors.RecordingError):
    """PyNN's error for a variable that cannot be recorded, with a suggestion.

    The model, of cells or of synapses, has a list of what is `recordable`.
    """

    def __str__(self) -> str:
        known = self.cell_type.recordable
        return (
            f"variable {shown(self.variable)} cannot be recorded from "
            f"{type(self.cell_type).__name__}: must be one of {', '.join(known)}"
            f"{did_you_mean(self.variable, known)}"
        )


def did_you_mean(name: Any, known: Collection[str]) -> str:
    """The end of a message, with the known name that is most like this one; "" if none is."""
    close = difflib.get_close_matches(name, known, 1) if isinstance(name, str) else []
    return f". Did you mean {close[0]!r}?" if close else ""


def check_names(names: Iterable[str], model: str, known: Collection[str]) -> None:
    """Raise NonExistentParameterError for the first name that is not known."""
    for name in names:
        if not isinstance(name, str) or name not in known:
            given = name if isinstance(name, str) else shown(name)
            raise NonExistentParameterError(given, model, list(known))


class Named:
    """A model whose parameters are given by names."""

    default_parameters: dict[str, Any]

    def __init__(self, **parameters: Any) -> None:
        check_names(parameters, type(self).__name__, self.default_parameters)
        super().__init__(**parameters)


def as_number(
    name: str,
    value: Any,
    must: str,
    holds: Callable[[float], bool] = math.isfinite,
    unit: str | None = "",
) -> float:
    """An option that is a number, as float; quantities are converted to `unit`.

    Raises TypeError for what is not a number and InvalidParameterValueError, a ValueError, for one
    that does not hold.
    """
    try:
        number = number_of(value, unit)
    except NotNumbersError as error:
        raise TypeError(f"{name} = {shown(value)}: must be {error.instead_of(must)}") from error
    if not holds(number):
        raise errors.InvalidParameterValueError(f"{name} = {shown(value)}: must be {must}")
    return number


def as_integer(name: str, value: Any, least: int, most: int | None = None) -> int:
    """An option that is a whole number within limits; raises as `as_number` does."""
    must = f"an integer, {least} or greater" if most is None else f"an integer, {least} to {most}"
    if not is_integer(value):
        raise TypeError(f"{name} = {shown(value)}: must be {must}")
    number = int(value)
    if number < least or (most is not None and number > most):
        raise errors.InvalidParameterValueError(f"{name} = {shown(value)}: must be {must}")
    return number


def as_flag(name: str, value: Any) -> bool:
    """An option that is True or False; raises TypeError."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} = {shown(value)}: must be True or False")
    return bool(value)


def as_choice(name: str, value: Any, choices: Collection[str]) -> str:
    """An option that is one of several words; raises as `as_number` does."""
    must = f"one of {', '.join(map(repr, choices))}"
    if not isinstance(value, str):
        raise TypeError(f"{name} = {shown(value)}: must be {must}")
    if value not in choices:
        raise errors.InvalidParameterValueError(
            f"{name} = {shown(value)}: must be {must}{did_you_mean(value, choices)}"
        )
    return str(value)


def check_gather(owner: str, value: Any) -> None:
    """Whether data of several processes come together, and where."""
    if not (isinstance(value, (bool, np.bool_)) or (isinstance(value, str) and value == "all")):
        raise TypeError(f"{owner}: gather = {shown(value)}: must be True, False or 'all'")
