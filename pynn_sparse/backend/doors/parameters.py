"""The door that every value which a user gives passes: it becomes plain numbers, or is refused.

A `Parameter` describes what is valid: whose it is, its name and unit, and the condition on its
numbers, which the model declares. What a user gave is checked twice. `accepted` looks at it when it
is given, where the number of cells may not be known yet; `evaluated` makes numbers of it, one or as
many as there are cells. Both give float64 without units, masks or bools, or raise PyNN's error
whose message has one form:

    OWNER: NAME = VALUE: must be ...

Nothing is changed before both are done, and generators of random numbers that were drawn from are
put back if a value turns out to be invalid (`generators.restoring_generators`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from lazyarray import larray
from numpy.typing import NDArray

from pynn_sparse import door
from pynn_sparse.errors import ParameterError
from pynn_sparse.network.model import FINITE, Check, Constraint

from ... import errors
from ...parameters import ArrayParameter, LazyArray, Sequence
from ...random import RandomDistribution
from .plain import PLAIN, NotNumbersError, as_array, has_items, has_unit, items_of, number_of


def shown(value: Any) -> str:
    """A value as a message shows it: one short line."""
    if isinstance(value, RandomDistribution):
        of = ", ".join(f"{name}={each!r}" for name, each in value.parameters.items())
        return f"RandomDistribution({value.name!r}, {of})"
    if isinstance(value, larray) and not value.operations:
        return shown(value.base_value)
    if isinstance(value, ArrayParameter):
        return f"{type(value).__name__}({shown(value.value)})"
    return door.shown(value)


@dataclass(frozen=True)
class Parameter:
    """A parameter that is one number for each cell or connection.

    Attributes:
        owner: what has it, as messages say: a model, or a model and the label of a population.
        name: as users write it.
        unit: as `quantities` reads it, "" for none; None if it is not known.
        check: the condition on the numbers.
        distances: whether it may be an expression of the distance d between two cells.
        sizes: what `evaluated` makes as many numbers as there are of, for messages; "" where there
            is just one.
    """

    owner: str
    name: str
    unit: str | None = ""
    check: Check = FINITE
    distances: bool = False
    sizes: str = "cells"

    def of(self, owner: str) -> Parameter:
        """The same, with another name for what has it."""
        return replace(self, owner=owner)

    @property
    def what(self) -> str:
        """What a value has to be, for messages."""
        unit = f" in {self.unit}" if self.unit and self.unit != "dimensionless" else ""
        each = f", or one for each of the {self.sizes}" if self.sizes else ""
        return f"a number{unit}{each}"

    def refused(
        self, value: Any, must: str, error: type[Exception] = errors.InvalidParameterValueError
    ) -> Exception:
        """The error that says what would be valid."""
        return error(f"{self.owner}: {self.name} = {shown(value)}: must be {must}")

    def takes(self, number: Any) -> bool:
        """Whether a number without unit is valid."""
        try:
            self.check.check(self.name, number if type(number) is float else float(number))
        except (OverflowError, ParameterError):
            return False
        return True

    def accepted(self, value: Any) -> Any:
        """The value without units: a float, a float64 array [n], or what is evaluated later.

        That is a RandomDistribution, a function of indices or a LazyArray. Raises
        InvalidParameterValueError.
        """
        if type(value) is float:
            return self._checked(value, value)
        if isinstance(value, larray):
            return self._accepted_lazy(value)
        if isinstance(value, RandomDistribution):
            if any(map(has_unit, value.parameters.values())):
                raise self.refused(value, f"{self.what}; its parameters must have no units")
            return value
        if callable(value) and not isinstance(value, type):
            self._check_no_distance(value)
            return value
        return self._checked(value, self._numbers(value))

    def _check_no_distance(self, value: Any) -> None:
        if not self.distances and is_expression(value):
            raise self.refused(value, f"{self.what}, not an expression of a distance")

    def _accepted_lazy(self, value: larray) -> Any:
        base = value.base_value
        self._check_no_distance(base)
        if not value.operations:
            accepted = self.accepted(base)
            return LazyArray(accepted, value.shape) if callable(accepted) else accepted
        if not (callable(base) or isinstance(base, RandomDistribution)):
            self._numbers(base)  # for what it raises
        return value

    def _numbers(self, value: Any) -> float | NDArray[np.float64]:
        try:
            return as_array(value, self.unit) if has_items(value) else number_of(value, self.unit)
        except NotNumbersError as error:
            raise self.refused(value, error.instead_of(self.what)) from error

    def _checked(self, given: Any, value: Any) -> Any:
        """The value, if its numbers meet the condition."""
        try:
            self.check.check(self.name, value)
        except ParameterError as error:
            raise errors.InvalidParameterValueError(f"{self.owner}: {error}") from error
        return value

    def evaluated(self, value: Any, shape: tuple[int, ...]) -> float | NDArray[np.float64]:
        """The number, or numbers of that shape, that the value stands for.

        Raises InvalidParameterValueError, or InvalidDimensionsError for another number of numbers.
        """
        accepted = self.accepted(value)
        if type(accepted) is float:
            return accepted
        if not isinstance(accepted, np.ndarray):
            accepted = self._checked(value, self._numbers(self._drawn(accepted, shape)))
        if np.ndim(accepted) and accepted.shape != shape:
            raise self._wrong_shape(value, accepted, shape)
        return accepted

    def _drawn(self, value: Any, shape: tuple[int, ...]) -> Any:
        """What a distribution, a function or operations give, as it comes."""
        try:
            return _computed(value, shape)
        except Exception as error:  # somebody else's function can raise anything
            about = f"{type(error).__name__}: {error}".rstrip(": ")
            raise self.refused(value, f"{self.what}; it cannot be evaluated ({about})") from error

    def _wrong_shape(self, value: Any, found: Any, shape: tuple[int, ...]) -> Exception:
        count = " x ".join(map(str, found.shape))
        sizes = " x ".join(map(str, shape))
        each = f", or one for each of {sizes} {self.sizes}" if shape else ""
        must = f"one number{each}; there are {count}"
        return self.refused(value, must, errors.InvalidDimensionsError)


@dataclass(frozen=True)
class SequenceParameter(Parameter):
    """A parameter that is several numbers for each cell, such as times of spikes.

    `length` is how many, None for any number.
    """

    length: int | None = None

    @property
    def what(self) -> str:
        unit = f" in {self.unit}" if self.unit and self.unit != "dimensionless" else ""
        count = "a sequence of" if self.length is None else f"{self.length}"
        each = f", or such a sequence for each of the {self.sizes}" if self.sizes else ""
        return f"{count} numbers{unit}{each}"

    def accepted(self, value: Any) -> Any:
        """A Sequence for all cells, an object array [n] of one for each, or a function of indices.

        Rows of an array of two dimensions, and items of a list that are sequences, are one for each
        cell. Raises InvalidParameterValueError.
        """
        if isinstance(value, larray):
            self._check_no_distance(value.base_value)
            return value if value.operations else self.accepted(value.base_value)
        if callable(value) and not isinstance(value, type):
            self._check_no_distance(value)
            return value
        if isinstance(value, np.ndarray) and value.ndim == 0 and value.dtype == object:
            value = value.item()
        rows = self._rows(value)
        if rows is None:
            accepted = self._one(value, value)
            self._check_rows(value, [accepted.value])
            return accepted
        sequences = np.empty(len(rows), dtype=object)
        for i, row in enumerate(rows):
            sequences[i] = self._one(value, row, f"; the item at index {i} is not")
        self._check_rows(value, [each.value for each in sequences])
        return sequences

    def _rows(self, value: Any) -> list[Any] | None:
        """The sequences of the cells, None if the value is one for all of them."""
        if isinstance(value, ArrayParameter) or not has_items(value):
            return None
        if isinstance(value, np.ndarray) and value.dtype != object:
            if value.ndim > 2:
                raise self.refused(value, self.what, errors.InvalidDimensionsError)
            return list(value) if value.ndim == 2 else None
        try:
            items = items_of(value)
        except NotNumbersError as error:
            raise self.refused(value, error.instead_of(self.what)) from error
        if set(map(type, items)) <= PLAIN:
            return None
        rows = [has_items(each) or isinstance(each, ArrayParameter) for each in items]
        if any(rows) and not all(rows):
            raise self.refused(value, f"{self.what}, not a mixture of both")
        return items if any(rows) else None

    def _check_rows(self, value: Any, rows: list[NDArray[np.float64]]) -> None:
        """Check each number; with PyNN, their order is looked at when there are cells."""
        if isinstance(self.check, Constraint):  # on each number, whosever it is
            self._checked(value, np.concatenate([np.zeros(0), *rows]))
        else:
            self._checked(value, [np.sort(row, kind="stable") for row in rows])

    def _one(self, value: Any, row: Any, which: str = "") -> ArrayParameter:
        given = row.value if isinstance(row, ArrayParameter) else row
        if type(given) is np.ndarray and given.dtype == np.float64 and given.flags.c_contiguous:
            numbers = given.copy()
        else:
            numbers = self._converted(value, given, which)
        if numbers.ndim != 1 or self.length not in (None, len(numbers)):
            found = f"{numbers.ndim} dimensions" if numbers.ndim != 1 else f"{len(numbers)} numbers"
            must = f"{self.what}{which}; there are {found}"
            raise self.refused(value, must, errors.InvalidDimensionsError)
        return (Sequence if self.length is None else ArrayParameter)(numbers)

    def _converted(self, value: Any, given: Any, which: str) -> NDArray[np.float64]:
        try:
            if not has_items(given):
                raise NotNumbersError("")
            return as_array(given, self.unit)
        except NotNumbersError as error:
            raise self.refused(value, f"{error.instead_of(self.what)}{which}") from error

    def evaluated(self, value: Any, shape: tuple[int, ...]) -> Any:
        """An ArrayParameter for all cells, or an object array of one for each."""
        accepted = self.accepted(value)
        if not isinstance(accepted, (ArrayParameter, np.ndarray)):
            accepted = self.accepted(self._drawn(accepted, shape))
        if isinstance(accepted, np.ndarray) and accepted.shape != shape:
            raise self.refused(
                value,
                f"{self.what}; there are {len(accepted)} sequences"
                + (f" for {shape[0]} {self.sizes}" if shape else ""),
                errors.InvalidDimensionsError,
            )
        return accepted


def plain_sequence(value: Any) -> NDArray[np.float64] | None:
    """The numbers of a list of plain ones, or of an array or Sequence, a copy; None for others."""
    if type(value) is Sequence:
        value = value.value
    if type(value) is list:
        try:
            return np.array(value, np.float64) if set(map(type, value)) <= PLAIN else None
        except OverflowError:
            return None
    if type(value) is np.ndarray and value.dtype == np.float64 and value.ndim == 1:
        return value.copy()
    return None


def is_expression(value: Any) -> bool:
    """Whether a function is what PyNN's LazyArray makes of an expression of the distance."""
    code = getattr(value, "__code__", None) if callable(value) else None
    return code is not None and (code.co_filename, code.co_varnames) == ("<string>", ("d",))


def _computed(value: Any, shape: tuple[int, ...]) -> Any:
    """What becomes of a distribution, a function of indices or a LazyArray of that shape."""
    if isinstance(value, larray):
        numbers = _computed(value.base_value, shape)
        for operation, operand in value.operations:
            more = () if operand is None else (_computed(operand, shape),)
            numbers = operation(numbers, *more)
        return numbers
    if isinstance(value, RandomDistribution):
        return value.lazily_evaluate(shape=shape or (1,))
    if callable(value) and not shape:
        raise TypeError("a function of indices means nothing here")
    return value(*np.indices(shape)) if callable(value) else value
