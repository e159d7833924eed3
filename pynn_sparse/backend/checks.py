"""Checks of what users give, with messages that say what would be valid."""

from __future__ import annotations

import difflib
import math
import numbers
from collections.abc import Collection, Iterable
from typing import Any

from .. import errors
from ..random import RandomDistribution


class NonExistentParameterError(errors.NonExistentParameterError):
    """PyNN's error for a name that a model does not have, with a suggestion."""

    def __str__(self) -> str:
        return super().__str__() + did_you_mean(self.parameter_name, self.valid_parameter_names)


class RecordingError(errors.RecordingError):
    """PyNN's error for a variable that cannot be recorded, with a suggestion."""

    def __init__(self, variable: str, celltype: Any) -> None:
        super().__init__(variable, celltype)
        self._hint = did_you_mean(variable, celltype.recordable)

    def __str__(self) -> str:
        return super().__str__() + self._hint


def did_you_mean(name: Any, known: Collection[str]) -> str:
    """The end of a message, with the known name that is most like this one; "" if none is."""
    close = difflib.get_close_matches(str(name), known, 1)
    return f". Did you mean {close[0]!r}?" if close else ""


def check_names(names: Iterable[str], model: str, known: Collection[str]) -> None:
    """Raise NonExistentParameterError for the first name that is not known."""
    for name in names:
        if name not in known:
            raise NonExistentParameterError(name, model, list(known))


class Named:
    """A model whose parameters are given by names."""

    default_parameters: dict[str, Any]

    def __init__(self, **parameters: Any) -> None:
        check_names(parameters, type(self).__name__, self.default_parameters)
        super().__init__(**parameters)


def check_time(name: str, value: Any) -> None:
    """Raise TypeError for what is not a number of milliseconds, ValueError if it is not finite."""
    if not isinstance(value, numbers.Real):
        raise TypeError(f"{name} = {value!r}: must be a number of milliseconds")
    if not math.isfinite(value):
        raise ValueError(f"{name} = {value} ms: must be a finite time")


def check_probability(name: str, value: Any) -> None:
    """Raise InvalidParameterValueError for what is not a number from 0 to 1."""
    if not isinstance(value, numbers.Real) or not 0 <= float(value) <= 1:
        raise errors.InvalidParameterValueError(f"{name} = {value!r}: must be from 0 to 1")


def check_count(name: str, value: Any) -> None:
    """Raise TypeError for what is not a whole number or a distribution, ValueError below 0."""
    if isinstance(value, RandomDistribution):
        return
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name} = {value!r}: must be an integer or a RandomDistribution")
    if int(value) < 0:
        raise errors.InvalidParameterValueError(f"{name} = {value}: must be 0 or greater")
